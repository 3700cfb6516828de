# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's cables and switches, kept in the supervisor's network namespace.

The rule that holds: a machine's own end of a cable is touched only while it is plugged in. Cutting, one-way
cutting, losing and delaying happen outside the machine, so that nothing on it can notice but the silence
(except `unplugged`, which takes the carrier away).
"""

from __future__ import annotations

import asyncio
import errno
import sys
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Literal

from pyroute2 import AsyncIPRoute, IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from .namespaces import in_network_of
from .topology import Machine, Network

NSID_GENERATION = 1000
"""Network namespace ids are host number + generation * this: a new one for each power-on."""


CARRIER_LOOKS_MAX = 250
"""Looks, 20 ms apart, for the carrier of a cable that was plugged in again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Roughness:
    """What a bad cable does to frames; from_machine and to_machine cut one direction only."""

    loss_percent: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    cut_from_machine: bool = False
    cut_to_machine: bool = False
    peer: str = ""
    """Hardware address of the only machine whose frames suffer; all when empty."""


Condition = Roughness | Literal["good", "cut", "unplugged"]
"""cut: frames vanish both ways while both ends see a carrier (a dead switch in between); unplugged: no carrier."""


class Fabric:
    """Bridges, the cables of the machines, and what is wrong with each cable."""

    def __init__(self) -> None:
        self._netlink = AsyncIPRoute()
        self._wires: dict[str, asyncio.subprocess.Process] = {}
        self._generation = 0
        self._conditions: dict[str, Condition] = {}

    async def build(self, networks: tuple[Network, ...]) -> None:
        """The bridges of these networks are up; the loopback is, too."""
        await self._netlink.setup_endpoint()
        await self._netlink.link("set", index=await self._index("lo"), state="up")
        for network in networks:
            await self._netlink.link("add", ifname=network.bridge, kind="bridge", br_stp_state=0, br_mcast_snooping=0)
            await self._netlink.link("set", index=await self._index(network.bridge), state="up")

    async def plug_in(self, machine: Machine, pid: int) -> int:
        """The machine, whose process this is, has its cards with their fixed addresses; its namespace id."""
        self._generation += 1
        namespace_id = machine.host + self._generation * NSID_GENERATION
        # Before the first cable: the kernel would give the namespace a number of its own.
        await self._netlink.set_netnsid(nsid=namespace_id, pid=pid)
        for network in machine.networks:
            peer = {"ifname": network.alias, "address": machine.mac(network), "net_ns_pid": pid}
            await self._netlink.link("add", ifname=machine.port(network), kind="veth", peer=peer)
            port = await self._index(machine.port(network))
            await self._netlink.link("set", index=port, master=await self._index(network.bridge), state="up")
        await asyncio.to_thread(configure_cards, machine, pid)
        return namespace_id

    async def silence(self, machine: Machine) -> None:
        """No frame of the machine gets anywhere from now on (a power cut and a pause begin with this).

        Its cards keep their carrier: it must not notice anything in the moment that is left to it.
        """
        await asyncio.gather(*(self.treat(machine, network, "cut") for network in machine.networks))

    async def pull_out(self, machine: Machine) -> None:
        """The machine's cards and cables are gone, and with them every address it had."""
        for network in machine.networks:
            await self._stop_wire(machine.port(network))
            self._conditions.pop(machine.port(network), None)
            if index := await self._find(machine.port(network)):
                await unless_gone(self._netlink.link("del", index=index))

    async def treat(self, machine: Machine, network: Network, condition: Condition) -> None:
        """The cable is in this condition from now on; what was wrong with it before is forgotten."""
        port = machine.port(network)
        await self._stop_wire(port)
        bridge = await self._index(network.bridge) if condition in ("good", "unplugged") else 0
        state = "down" if condition == "unplugged" else "up"
        await self._netlink.link("set", index=await self._index(port), master=bridge, state=state)
        if isinstance(condition, Roughness):
            await self._insert_wire(port, network, condition)
        if condition == "good":
            await self._until_carrier(port)
        self._conditions[port] = condition

    def condition(self, machine: Machine, network: Network) -> Condition:
        """What the machine's cable to this network is like."""
        return self._conditions.get(machine.port(network), "good")

    async def _until_carrier(self, port: str) -> None:
        """The cable carries frames: after a pulled plug the kernel takes up to a second to notice (linkwatch)."""
        for _unused in range(CARRIER_LOOKS_MAX):
            [link] = await self._netlink.link("get", index=await self._index(port))
            if link.get("state") == "up" and link.get("operstate") == "UP":
                return
            await asyncio.sleep(0.02)
        raise RuntimeError(f"the cable {port} has no carrier after {CARRIER_LOOKS_MAX * 0.02:.0f} s")

    async def _insert_wire(self, port: str, network: Network, roughness: Roughness) -> None:
        inner, outer = f"w-{port}", f"v-{port}"
        await self._netlink.link("add", ifname=inner, kind="veth", peer={"ifname": outer})
        await self._netlink.link("set", index=await self._index(inner), state="up")
        bridge = await self._index(network.bridge)
        await self._netlink.link("set", index=await self._index(outer), master=bridge, state="up")
        self._wires[port] = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "holdfast_lab.world.wire", port, inner),
            *("--loss-percent", str(roughness.loss_percent)),
            *("--delay-ms", str(roughness.delay_ms), "--jitter-ms", str(roughness.jitter_ms)),
            *(["--peer", roughness.peer] if roughness.peer else []),
            *(["--cut-from-machine"] if roughness.cut_from_machine else []),
            *(["--cut-to-machine"] if roughness.cut_to_machine else []),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        await self._wire_ready(port)

    async def _wire_ready(self, port: str) -> None:
        output = self._wires[port].stdout
        if output is None or await asyncio.wait_for(output.readline(), 10) != b"ready\n":
            raise RuntimeError(f"the wire process of {port} did not start; see the supervisor's log")

    async def _stop_wire(self, port: str) -> None:
        wire = self._wires.pop(port, None)
        if wire is None:
            return
        if wire.returncode is None:
            wire.kill()
        await wire.wait()
        if index := await self._find(f"w-{port}"):
            await unless_gone(self._netlink.link("del", index=index))

    async def _find(self, name: str) -> int | None:
        found = await self._netlink.link_lookup(ifname=name)
        return int(found[0]) if found else None

    async def _index(self, name: str) -> int:
        index = await self._find(name)
        if index is None:
            raise KeyError(f"no interface {name!r} in the lab; is its machine powered on?")
        return index


async def unless_gone(change: Awaitable[object]) -> None:
    """The change is made, or the interface it was for is gone: the kernel takes it with a dead machine's namespace."""
    try:
        await change
    except NetlinkError as error:
        if error.code != errno.ENODEV:
            raise


def configure_cards(machine: Machine, pid: int) -> None:
    """The machine's cards, whose process this is, are up with their fixed addresses."""

    def configure() -> None:
        with IPRoute() as inside:
            inside.link("set", index=inside.link_lookup(ifname="lo")[0], state="up")
            for network in machine.networks:
                card = inside.link_lookup(ifname=network.alias)[0]
                address, length = network.address(machine.host), network.prefix_length
                broadcast = f"{network.prefix}.255"
                inside.addr("add", index=card, address=address, prefixlen=length, broadcast=broadcast)
                inside.link("set", index=card, state="up")

    # A thread that enters the namespace: pyroute2's own `netns=` forks a child and ends it with SIGTERM, which
    # reaches our loop through the signal pipe that the child inherited.
    in_network_of(pid, configure)
