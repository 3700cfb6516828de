# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The invariants, judged from what really runs and what is said aloud, never from what a monitor believes of others.

Numbers as in docs/architecture.md, "Invariants".
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from holdfast.core.values import events as e
from holdfast.core.values.graph import Group
from holdfast.core.values.history import Incident
from holdfast.core.values.messages import Answer, Message, Register
from holdfast.core.values.profiles import GUARD_S, TIMERS
from holdfast_sim.guard import MARGIN_S

if TYPE_CHECKING:
    from holdfast_sim.cluster import World
    from holdfast_sim.machines import Computer
    from holdfast_sim.process import Process


GUARDED = ("ip-", "vol-")
"""What must never be on two nodes, by its tag; a site without its address serves nobody."""


DECIDED_S = 3.0
"""A node that hears only now that a group has moved often enough may have claimed it already."""
UNKNOWN: tuple[None, None] = (None, None)


class BrokenInvariantError(AssertionError):
    """An invariant does not hold."""


class Judge:
    """Watches a run. It is told of every moment at which something it judges may have changed."""

    def __init__(self) -> None:
        self._taken: dict[tuple[tuple[str, ...], int], tuple[str | None, str]] = {}
        self._durable: dict[tuple[str, str], int] = {}
        self._out: set[str] = set()
        self._enabled: dict[str, tuple[str, int]] = {}
        self._torn: set[tuple[str, ...]] = set()
        self._heard_s: dict[tuple[str, tuple[str, ...], Incident], float] = {}
        self._loose = False
        self._amnesia = False
        self._vouched = False
        self._said_off: set[str] = set()

    # -- what is on -----------------------------------------------------------------------------------

    def switched(self, world: World) -> None:
        """Resources were switched on or off."""
        computers = list(world.computers.values())
        for i, computer in enumerate(computers):
            for other in computers[i + 1 :] if computer.on else ():
                if other.on:
                    self._exclusive(world, computer, other)
            if self._out & computer.on and (back := served(world, computer, self._out & computer.on)):
                broken(world, f"8: {', '.join(back)} was taken out of service and is on {computer.name}")
            if computer.on and not (computer.sick or computer.tampered or stunned(world, computer)):
                self._volumes_first(world, computer)

    def soon(self, world: World) -> None:
        """A machine or a guard goes on; when it has had its time, it is looked at again."""
        wait_s = bound_s(world) + MARGIN_S
        world.later(wait_s, lambda: self.switched(world))
        world.later(wait_s, lambda: self.unpermitted(world))

    def _exclusive(self, world: World, one: Computer, other: Computer) -> None:
        both = {tag for tag in one.on & other.on if tag.startswith(GUARDED)}
        double = [tag for tag in sorted(both) if not (excused(world, one, tag) or excused(world, other, tag))]
        if double:
            broken(world, f"1: {', '.join(double)} is on {one.name} and {other.name}")

    def _volumes_first(self, world: World, computer: Computer) -> None:
        """5: where an address is, the volumes of its group's sites are too (they came first and leave last)."""
        if "ip-shop" in computer.on and "vol-shop" not in computer.on and "shop" in computer.on:
            broken(world, f"5: vol-shop is missing under ip-shop on {computer.name}")

    def enabled(self, world: World, process: Process, step: e.Step) -> None:
        """An address or a volume was switched on: at an epoch above that of every other node that had it."""
        tag, node = step.resource.tag, process.computer.name
        g = process.machine.groups.get(step.group)
        if g is None or not tag.startswith(GUARDED) or self._loose or self._vouched or self._amnesia:
            return
        before, epoch = self._enabled.get(tag, (node, 0))
        if (before != node and g.register.epoch <= epoch) or g.register.epoch < epoch:
            broken(world, f"3: {tag} on at epoch {g.register.epoch} on {node}, after {epoch} on {before}")
        self._enabled[tag] = (node, g.register.epoch)
        if tag.startswith("vol-"):
            for other in world.computers.values():
                if other.name != node and tag in other.on and excused(world, other, tag):
                    other.on.discard(tag)  # its reservation is taken from it: it cannot write from now on

    # -- permits ---------------------------------------------------------------------------------------

    def permitted(self, world: World, process: Process, permit: e.Permit) -> None:
        """2: a permit lasts no longer than the votes it rests on, counted from when they were asked for.

        An operator's word that a node is off stands for that node's vote.
        """
        until_s = max(permit.until_s.values(), default=-math.inf)
        if world.arbiter == "manual" or until_s < 0:
            return
        peers = [name for name in world.computers if name not in self._said_off and name != process.computer.name]
        if not peers:
            return
        excess_s = until_s - (process.judged.from_s(peers) + TIMERS[world.profile].own_s)
        if excess_s > MARGIN_S:
            broken(world, f"2: the permit of {process.computer.name} is {excess_s:.3f} s longer than its votes")

    def unpermitted(self, world: World) -> None:
        """2: what may not be served any more is off by now."""
        for name, computer in world.computers.items():
            late = [tag for tag in world.guards[name].forbidden() if tag.startswith(GUARDED)]
            left = [tag for tag in late if not excused(world, computer, tag)]
            if left:
                broken(world, f"2: {', '.join(left)} is on {name} without a permit")

    # -- registers ------------------------------------------------------------------------------------

    def started(self, world: World, process: Process) -> None:
        """A monitor begins with what its disk has."""
        for g in process.machine.groups.values():
            self._not_back(world, process.computer.name, g.group, g.register)

    def handled(self, world: World, process: Process) -> None:
        """A monitor has handled an event."""
        for name, g in process.machine.groups.items():
            group, before = process.known.get(name, UNKNOWN)
            if before is g.register and group is g.group:
                continue
            process.known[name] = (g.group, g.register)
            before = before if group is g.group else None
            if before is not None:
                self._within_budget(world, process, g.group, before, g.register)
            if before is not None and g.register.epoch < before.epoch and not g.conflict:
                broken(world, f"3: {process.computer.name} goes back from {before.epoch} to {g.register.epoch}")
            if g.conflict:
                self._torn.add(g.group.tags)
            elif g.group.tags not in self._torn:
                self._one_holder(world, process, g.group, g.register)

    def _within_budget(
        self, world: World, process: Process, group: Group, before: Register, register: Register
    ) -> None:
        """7: no node moves a group by itself of which it knows that it has moved often enough."""
        if register.history is before.history:
            return
        node, now_s = process.computer.name, world.now_s
        fresh = [incident for incident in register.history.incidents if incident not in before.history.incidents]
        self._heard_s.update({(node, group.tags, incident): now_s for incident in fresh})
        known_s = {i: now_s - self._heard_s.get((node, group.tags, i), -math.inf) for i in before.history.incidents}
        spent = sum(i.kind == "failover" and for_s > DECIDED_S for i, for_s in known_s.items())
        moved = any((incident.kind, incident.node) == ("failover", node) for incident in fresh)
        if moved and spent >= world.recovery.failovers:
            broken(world, f"7: {node} has moved {group.name} itself, which had moved {spent} times")

    def forgotten(self) -> None:
        """The arbiter has lost its memory: whoever does not know who had a group last counts from where it was."""
        self._amnesia = True

    def durable(self, world: World, computer: Computer) -> None:
        """Registers were written to a disk."""
        for tag, register in computer.registers.items():
            key = (computer.name, tag)
            if register.epoch < self._durable.get(key, 0):
                broken(world, f"3: {computer.name} wrote epoch {register.epoch} of {tag} after {self._durable[key]}")
            self._durable[key] = register.epoch

    def wiped(self, node: str) -> None:
        """The node has another disk: nothing that was written before is expected of it."""
        self._durable = {key: epoch for key, epoch in self._durable.items() if key[0] != node}

    def _not_back(self, world: World, node: str, group: Group, register: Register) -> None:
        durable = max(self._durable.get((node, tag), 0) for tag in group.tags)
        if register.epoch < durable:
            broken(world, f"3: {node} begins with epoch {register.epoch} of {group.name} after {durable}")

    def _one_holder(self, world: World, process: Process, group: Group, register: Register) -> None:
        """3: an epoch has one holder at most, for ever and on every node; who released it leaves it to nobody."""
        if register.epoch == 0 or register.revision < 0 or register.holder is None or self._amnesia:
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
            left = [tag for tag in (g.group.tags if g else ()) if tag in on and tag.startswith(GUARDED)]
            if left:
                broken(world, f"4: {process.computer.name} grants {message.group} and still has {', '.join(left)}")

    def commanded(self, world: World, verb: str, args: Mapping[str, Any]) -> None:
        """A command that may bring something into service is given.

        With the word that nodes are off, it may also undo what only those nodes were told.
        """
        if args.get("peers_off"):
            self._out.clear()
            self._vouched = True
            self._said_off |= set(args["peers_off"])
        if verb != "in_service" or args.get("check"):
            return
        self._out -= set(args["tags"])
        for config in world.configs.values():
            self._out -= {h.tag for h in config.hierarchies if set(args["tags"]) & set(h.depends_on)}

    def configured(self) -> None:
        """A node has another configuration, in which what was taken out may be part of something else."""
        self._out.clear()
        self._loose = True

    def answered(self, world: World, tell: e.Tell) -> None:
        """A command is answered once; 8: what was taken out stays out, from the answer on.

        Unless another command is open, or ended with nobody knowing what becomes of it.
        """
        if tell.command in world.answers:
            broken(world, f"{tell.command} was answered twice")
        verb, args = world.commands[tell.command]
        if not tell.data["ok"] and tell.data["error"]["kind"] in ("unreachable", "timeout"):
            self._loose = True
        if verb != "out_of_service" or not tell.data["ok"] or args.get("check"):
            return
        others = [id_ for id_ in world.commands if id_ not in world.answers and id_ != tell.command]
        agreed = len({config.digest for config in world.configs.values()}) == 1
        if agreed and not others and not self._loose:
            stops = [stop for stop in tell.data["data"]["stops"] if stop["outcome"] == "stopped"]
            self._out |= {tag for stop in stops for tag in stop["tags"]}


def served(world: World, computer: Computer, tags: set[str]) -> list[str]:
    """Those of the tags that serve somebody: a site that was only prepared has no address yet."""
    sites = {h.tag: set(h.depends_on) for h in world.configs[computer.name].hierarchies}
    return sorted(tag for tag in tags if tag not in sites or sites[tag] & computer.on)


def stunned(world: World, computer: Computer) -> bool:
    """Whether the computer stands still, or did until so lately that its guard may not have acted yet.

    The one exception to what Holdfast promises: a machine that is stopped as a whole and goes on later serves until
    its guard has acted. It cannot write to a disk with a reservation even then.
    """
    return computer.paused or world.now_s <= computer.thawed_s + bound_s(world)


def excused(world: World, computer: Computer, tag: str) -> bool:
    """Whether the resource may be on there without a permit at this moment.

    Also a disk where the guard hangs, or did until lately: it is taken from that node when another one starts it. An
    address is dropped by the system itself then.
    """
    guard = world.guards[computer.name]
    hung = guard.hung or world.now_s <= guard.thawed_s + bound_s(world)
    return stunned(world, computer) or (hung and tag.startswith("vol-"))


def bound_s(world: World) -> float:
    """Within which a guard that has gone on has switched everything off."""
    return GUARD_S + TIMERS[world.profile].fence_s


def broken(world: World, text: str) -> NoReturn:
    """Ends the run."""
    raise BrokenInvariantError(f"seed {world.seed}, {world.now_s:.3f} s: {text}")
