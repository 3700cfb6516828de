# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Things done by hand on the lab's machines, without Holdfast: for the tests of the lab and the benchmark's floor."""

from __future__ import annotations

from .remote import Lab, LabError
from .topology import LAN, default_topology

PROBE_TIMEOUT_S = 0.5
TRIES_MAX = 10


def give(lab: Lab, node: str, address: str) -> None:
    """The node has the address on the client network; nobody was told."""
    outcome = lab.run(node, ["ip", "address", "add", f"{address}/{LAN.prefix_length}", "dev", LAN.alias])
    if outcome.code != 0:
        raise LabError(f"{node} could not take {address}: {outcome.err.strip()}")


def take(lab: Lab, node: str, address: str) -> None:
    """The node does not have the address."""
    lab.run(node, ["ip", "address", "del", f"{address}/{LAN.prefix_length}", "dev", LAN.alias])


def announce(lab: Lab, node: str, address: str) -> None:
    """Everyone on the client network was told that the address is at this node."""
    mac = default_topology(nodes=5).machine(node).mac(LAN)
    code = "import sys; from holdfast_lab.world.stranger import announce as a; "
    code += "a(interface=sys.argv[1], mac=sys.argv[2], address=sys.argv[3])"
    outcome = lab.run(node, ["python", "-c", code, LAN.alias, mac, address])
    if outcome.code != 0:
        raise LabError(f"{node} could not announce {address}: {outcome.err.strip()}")


def reaches_soon(lab: Lab, machine: str, address: str, *, port: int = 80) -> bool:
    """Whether a connection succeeds at one of several tries: for what takes a moment, as ARP after a cut does."""
    return any(reaches(lab, machine, address, port=port) for _unused in range(TRIES_MAX))


def reaches(lab: Lab, machine: str, address: str, *, port: int = 80) -> bool:
    """Whether a TCP connection from the machine succeeds within half a second."""
    code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3])).close()"
    return lab.run(machine, ["python", "-c", code, address, str(port), str(PROBE_TIMEOUT_S)]).code == 0


def tidy_up(lab: Lab, *addresses: str) -> None:
    """Every node is on, thawed, on good cables, and has none of these addresses."""
    for name, machine in lab.status()["machines"].items():
        if machine["role"] != "node":
            continue
        if machine["state"] == "frozen":
            lab.fault("thaw", node=name)
        lab.fault("power_on", node=name)
        lab.fault("restore_path", node=name)
        for address in addresses:
            take(lab, name, address)
