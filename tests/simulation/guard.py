# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard of a simulated computer: what may not be served any more is off soon, whatever the monitor does.

It is as late and as slow as it may be: it sees the end of a permit up to GUARD_S late, and needs up to the fence time
of the group to be done. What it cannot switch off it switches off with the whole machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from holdfast.core.values.events import Permit
from holdfast.core.values.graph import Group
from holdfast.core.values.profiles import GUARD_S, TIMERS

if TYPE_CHECKING:
    from holdfast_sim.cluster import World
    from holdfast_sim.machines import Computer

MARGIN_S = 1e-6
"""For the rounding of clocks."""


class Guard:
    """Enforces the latest Permit of its computer. Before the first one it enforces nothing.

    ``deadlines_s`` are by resource, on the computer's clock; what has none has no permit. ``lapsed_s`` are real times:
    since when what was permitted is not any more. ``thawed_s`` is when it went on after it hung.
    """

    def __init__(self, world: World, computer: Computer) -> None:
        self.world = world
        self.computer = computer
        self.deadlines_s: dict[str, float] = {}
        self.fences_s: dict[str, float] = {}
        self.lapsed_s: dict[str, float] = {}
        self.hung = False
        self.thawed_s = -math.inf
        self._due: list[Callable[[], None]] = []
        self._run = 0
        self._by_run: set[str] = set()
        self._told = False
        self._alarm_s = math.inf

    def hang(self) -> None:
        """The guard does nothing until it thaws."""
        self.hung = True

    def thaw(self) -> None:
        """The guard goes on with everything that was due meanwhile."""
        if not self.hung:
            return
        self.hung, self.thawed_s = False, self.world.now_s
        self.world.judge.soon(self.world)
        due, self._due = self._due, []
        for action in due:
            action()

    def told(self, permit: Permit, groups: Mapping[str, Group], run: int) -> None:
        """The permit of these groups is in force; those that a new configuration does not know are left out.

        What this run of the monitor has never permitted keeps the deadline it had before.
        """
        if run != self._run:
            self._run, self._by_run = run, set()
        self._told = True
        deadlines_s = {tag: permit.until_s[name] for name, group in groups.items() for tag in group.tags}
        self._by_run |= deadlines_s.keys()
        gone = self._by_run & self.deadlines_s.keys() - deadlines_s.keys()
        for tag in gone:
            del self.deadlines_s[tag]
        self.deadlines_s |= deadlines_s
        self._bound(groups.values())
        if gone:
            self._lapse(gone)
        self.arm()

    def allows(self, tag: str) -> bool:
        """Whether the resource may be on at this moment."""
        return not self._told or self.computer.clock.read(self.world.now_s) < self.deadlines_s.get(tag, -math.inf)

    def forbidden(self) -> list[str]:
        """What is on and should have been switched off by now."""
        now_s = self.world.now_s
        late = (tag for tag, since_s in self.lapsed_s.items() if now_s >= since_s + GUARD_S + self.fences_s[tag])
        return sorted(tag for tag in late if tag in self.computer.on and not self.allows(tag))

    def arm(self) -> None:
        """The end of the next permit to end will be noticed."""
        due_s = min(self.deadlines_s.values(), default=math.inf)
        if due_s < self._alarm_s:
            self._alarm_s = due_s
            wait_s = self.computer.clock.wait_s(due_s, self.world.now_s)
            self._later(wait_s, partial(self._ring, due_s))

    def reset(self) -> None:
        """The computer starts anew: nothing was said to this guard."""
        self._told, self._alarm_s, self.hung = False, math.inf, False
        self._due.clear()
        self.deadlines_s.clear()
        self.lapsed_s.clear()

    def look(self) -> None:
        """Whatever is on and may not be is being switched off."""
        addresses, rest = sorted((self.world.extreme(), self.world.extreme()))
        for tag in sorted(self.lapsed_s.keys() & self.computer.on):
            if not self.allows(tag):
                bound_s = self.fences_s[tag]
                delay_s = bound_s * (addresses if tag.startswith("ip-") else rest)
                self._later(delay_s, partial(self._off, tag))
                self._later(bound_s, partial(self._reset_if_on, tag))

    def left_s(self, tag: str) -> float:
        """How much longer the resource may be on, by the computer's clock."""
        if not self._told:
            return math.inf
        return self.deadlines_s.get(tag, -math.inf) - self.computer.clock.read(self.world.now_s)

    def _bound(self, groups: Iterable[Group]) -> None:
        """A group without a volume is off sooner."""
        timers = TIMERS[self.world.profile]
        for group in groups:
            fence_s = timers.fence_s if group.volumes else timers.fence_light_s
            for tag in group.tags:
                self.lapsed_s.pop(tag, None)
                self.fences_s[tag] = fence_s

    def _ring(self, alarm_s: float) -> None:
        if self._alarm_s != alarm_s:
            return
        self._alarm_s = math.inf
        now_s = self.computer.clock.read(self.world.now_s)
        over = {tag for tag, until_s in self.deadlines_s.items() if until_s <= now_s}
        for tag in over:
            del self.deadlines_s[tag]
        if over:
            self._lapse(over)
        self.arm()

    def _lapse(self, tags: Iterable[str]) -> None:
        fresh = {tag: self.world.now_s for tag in tags if tag not in self.lapsed_s}
        self.lapsed_s |= fresh
        if self.computer.on:
            self._later(self.world.extreme() * GUARD_S, self.look)
            for bound_s in {self.fences_s[tag] for tag in fresh}:
                self.world.later(GUARD_S + bound_s + MARGIN_S, partial(self.world.judge.unpermitted, self.world))

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        """The action happens after the delay, or when the guard goes on after that."""

        def happen() -> None:
            if self.hung:
                self._due.append(action)
            else:
                action()

        self.world.on_computer(self.computer, delay_s, happen)

    def _off(self, tag: str) -> None:
        if ("fence", tag) not in self.computer.sick and not self.allows(tag):
            self.computer.on.discard(tag)
            self.computer.tampered = True
            self.world.judge.switched(self.world)
            self.world.noticed(self.computer.name, tag)

    def _reset_if_on(self, tag: str) -> None:
        """Sites are not waited for: one that is prepared for a take-over may well be on by now."""
        if tag.startswith(("ip-", "vol-")) and tag in self.computer.on and not self.allows(tag):
            self.world.power_off(self.computer.name)
