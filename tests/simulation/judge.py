# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The invariants, judged from what really runs and what is said aloud, never from what a monitor believes of others.

Numbers as in docs/architecture.md, "Invariants".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from holdfast.core.values import events as e
from holdfast.core.values.graph import Group
from holdfast.core.values.messages import Answer, Message, Register

if TYPE_CHECKING:
    from holdfast_sim.cluster import World
    from holdfast_sim.machines import Computer
    from holdfast_sim.process import Process


class BrokenInvariantError(AssertionError):
    """An invariant does not hold."""


class Judge:
    """Watches a run. It is told of every moment at which something it judges may have changed."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, tuple[str, ...]], Register] = {}
        self._taken: dict[tuple[tuple[str, ...], int], tuple[str | None, str]] = {}
        self._durable: dict[tuple[str, str], int] = {}
        self._out: set[str] = set()

    # -- what is on -----------------------------------------------------------------------------------

    def switched(self, world: World) -> None:
        """Resources were switched on or off."""
        computers = list(world.computers.values())
        for i, computer in enumerate(computers):
            for other in computers[i + 1 :]:
                self._exclusive(world, computer, other)
            if self._out and computer.on & self._out:
                tags = ", ".join(sorted(computer.on & self._out))
                broken(world, f"7: {tags} was taken out of service and is on {computer.name}")
            if computer.on and not computer.sick:
                self._volumes_first(world, computer)

    def _exclusive(self, world: World, one: Computer, other: Computer) -> None:
        both = {tag for tag in one.on & other.on if tag.startswith(("ip-", "vol-"))}
        if both:
            broken(world, f"1: {', '.join(sorted(both))} is on {one.name} and {other.name}")

    def _volumes_first(self, world: World, computer: Computer) -> None:
        """5: where an address is, the volumes of its group's sites are too (they came first and leave last)."""
        if "ip-shop" in computer.on and "vol-shop" not in computer.on and "shop" in computer.on:
            broken(world, f"5: vol-shop is missing under ip-shop on {computer.name}")

    # -- registers ------------------------------------------------------------------------------------

    def started(self, world: World, process: Process) -> None:
        """A monitor begins with what its disk has."""
        for g in process.machine.groups.values():
            self._not_back(world, process.computer.name, g.group, g.register)

    def handled(self, world: World, process: Process) -> None:
        """A monitor has handled an event."""
        for g in process.machine.groups.values():
            key = (process.incarnation, g.group.tags)
            before = self._known.get(key)
            if before is g.register:
                continue
            self._known[key] = g.register
            if before is not None and g.register.epoch < before.epoch and not g.conflict:
                broken(world, f"3: {process.computer.name} goes back from {before.epoch} to {g.register.epoch}")
            self._one_holder(world, process, g.group, g.register)

    def durable(self, world: World, computer: Computer) -> None:
        """Registers were written to a disk."""
        for tag, register in computer.registers.items():
            key = (computer.name, tag)
            if register.epoch < self._durable.get(key, 0):
                broken(world, f"3: {computer.name} wrote epoch {register.epoch} of {tag} after {self._durable[key]}")
            self._durable[key] = register.epoch

    def _not_back(self, world: World, node: str, group: Group, register: Register) -> None:
        durable = max(self._durable.get((node, tag), 0) for tag in group.tags)
        if register.epoch < durable:
            broken(world, f"3: {node} begins with epoch {register.epoch} of {group.name} after {durable}")

    def _one_holder(self, world: World, process: Process, group: Group, register: Register) -> None:
        """3: an epoch has one holder, or none, for ever and on every node."""
        if register.epoch == 0:
            return
        key = (group.tags, register.epoch)
        holder, where = self._taken.setdefault(key, (register.holder, process.computer.name))
        if holder != register.holder:
            text = f"epoch {register.epoch} of {group.name} is held by {holder} ({where}) and by {register.holder}"
            broken(world, f"3: {text} ({process.computer.name})")

    # -- what is said -----------------------------------------------------------------------------------

    def sent(self, world: World, process: Process, message: Message) -> None:
        """4: whoever grants a group has nothing of it on."""
        if isinstance(message, Answer) and message.granted:
            g = process.machine.groups.get(message.group)
            on = process.computer.on if g else set()
            left = [tag for tag in (g.group.tags if g else ()) if tag in on and tag.startswith(("ip-", "vol-"))]
            if left:
                broken(world, f"4: {process.computer.name} grants {message.group} and still has {', '.join(left)}")

    def commanded(self, verb: str, args: Mapping[str, Any]) -> None:
        """A command that may bring something into service is given."""
        if verb == "in_service" and not args.get("check"):
            self._out.clear()

    def answered(self, world: World, tell: e.Tell) -> None:
        """A command is answered once; 7: what was taken out stays out, from the answer on."""
        if tell.command in world.answers:
            broken(world, f"{tell.command} was answered twice")
        verb, args = world.commands[tell.command]
        if verb != "out_of_service" or not tell.data["ok"] or args.get("check"):
            return
        others = [id_ for id_ in world.commands if id_ not in world.answers and id_ != tell.command]
        agreed = len({config.digest for config in world.configs.values()}) == 1
        if agreed and not others:
            stops = [stop for stop in tell.data["data"]["stops"] if stop["outcome"] == "stopped"]
            self._out |= {tag for stop in stops for tag in stop["tags"]}


def broken(world: World, text: str) -> NoReturn:
    """Ends the run."""
    raise BrokenInvariantError(f"seed {world.seed}, {world.now_s:.3f} s: {text}")
