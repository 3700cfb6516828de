# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab consists of, as data: networks, machines, disks. No I/O here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

NODES_MAX = 5
NODE_HOST_BASE = 10
CLIENT_HOST = 5
WITNESS_HOST = 21
STORE_HOST_BASE = 30
STORES = 3
STRANGER_HOST = 66
MANAGEMENT_PORTS = {"winrm": 5986, "ssh": 2222}
"""How a node is managed from the host. SSH is not at its own port 22, which an ordinary user cannot open."""


Role = Literal["node", "witness", "store", "client", "stranger"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One Ethernet segment: a bridge in the supervisor's namespace."""

    name: str
    number: int
    alias: str
    """Name of a machine's interface on it: the Linux name in the lab, the alias on Windows."""

    prefix: str
    prefix_length: int = 24

    @property
    def bridge(self) -> str:
        """Name of the bridge in the supervisor's network namespace."""
        return f"br-{self.name}"

    def address(self, host: int) -> str:
        """The fixed IPv4 address of the machine with this host number."""
        return f"{self.prefix}.{host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One namespace that is a computer: a node, the witness, a member of etcd, the client, or the stranger who steals
    an address.
    """

    name: str
    host: int
    role: Role
    networks: tuple[Network, ...]

    @property
    def managed(self) -> bool:
        """Whether it is a Windows server that Ansible reaches."""
        return self.role in ("node", "witness")

    def port(self, network: Network) -> str:
        """Name of the bridge's end of this machine's cable, at most 15 characters."""
        return f"{self.name}.{network.name}"

    def mac(self, network: Network) -> str:
        """The hardware address: fixed, so that an ARP answer names its machine."""
        return f"02:48:46:{network.number:02x}:00:{self.host:02x}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A shared disk that one node at a time can hold."""

    id: str
    attached: tuple[str, ...]


LAN = Network(name="lan", number=0, alias="LAN", prefix="10.77.0")
HEARTBEAT_A = Network(name="a", number=1, alias="Heartbeat-A", prefix="10.77.1")
HEARTBEAT_B = Network(name="b", number=2, alias="Heartbeat-B", prefix="10.77.2")
COMM_NETWORKS = (HEARTBEAT_A, HEARTBEAT_B)
STRANGER = Machine(name="stranger", host=STRANGER_HOST, role="stranger", networks=(LAN,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole lab."""

    networks: tuple[Network, ...]
    machines: tuple[Machine, ...]
    disks: tuple[Disk, ...]

    @property
    def nodes(self) -> tuple[Machine, ...]:
        """The machines that serve, in order."""
        return tuple(machine for machine in self.machines if machine.role == "node")

    @property
    def managed(self) -> tuple[Machine, ...]:
        """The machines that play Windows servers, in order."""
        return tuple(machine for machine in self.machines if machine.managed)

    @property
    def stores(self) -> tuple[Machine, ...]:
        """The members of etcd, in order."""
        return tuple(machine for machine in self.machines if machine.role == "store")

    def machine(self, name: str) -> Machine:
        """The machine of this name.

        Raises:
            KeyError: there is none; the text lists those there are.
        """
        for machine in self.machines:
            if machine.name == name:
                return machine
        known = ", ".join(machine.name for machine in self.machines)
        raise KeyError(f"no machine {name!r} in this lab; there are: {known}")

    def network(self, name: str) -> Network:
        """The network of this name or alias.

        Raises:
            KeyError: there is none; the text lists those there are.
        """
        for network in self.networks:
            if name in (network.name, network.alias):
                return network
        known = ", ".join(f"{network.name} ({network.alias})" for network in self.networks)
        raise KeyError(f"no network {name!r} in this lab; there are: {known}")

    def machine_of_mac(self, mac: str) -> str:
        """Name of the machine with this hardware address; the address itself when it is nobody's."""
        for machine in (*self.machines, STRANGER):
            if any(machine.mac(network) == mac for network in machine.networks):
                return machine.name
        return mac


def default_topology(*, nodes: int = 2, witness: bool = False, etcd: bool = False) -> Topology:
    """A client LAN, two comm-path networks, a client, and nodes n1 ... with one disk attached to all.

    The witness w1 and the etcd members e1 to e3 are on the comm-path networks only.

    Raises:
        ValueError: fewer than one node or more than five.
    """
    if not 1 <= nodes <= NODES_MAX:
        raise ValueError(f"a lab has 1 to {NODES_MAX} nodes, not {nodes}")
    networks = (LAN, HEARTBEAT_A, HEARTBEAT_B)
    servers = tuple(
        Machine(name=f"n{k}", host=NODE_HOST_BASE + k, role="node", networks=networks) for k in range(1, nodes + 1)
    )
    client = Machine(name="client", host=CLIENT_HOST, role="client", networks=(LAN,))
    third = (Machine(name="w1", host=WITNESS_HOST, role="witness", networks=COMM_NETWORKS),) if witness else ()
    stores = tuple(
        Machine(name=f"e{k}", host=STORE_HOST_BASE + k, role="store", networks=COMM_NETWORKS)
        for k in range(1, STORES + 1 if etcd else 1)
    )
    disk = Disk(id="HFLAB-DISK-0001", attached=tuple(server.name for server in servers))
    return Topology(networks=networks, machines=(*servers, *third, *stores, client), disks=(disk,))
