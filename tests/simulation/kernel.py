# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system of a simulated computer: drops an address whose lifetime is over, whatever hangs there.

Lifetimes are whole seconds: what is left of the permit, at least one second for an address that is added (kits/ip.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast_sim.cluster import World
    from holdfast_sim.machines import Computer


class Kernel:
    """When each address goes, by the computer's clock. What was added by hand stays."""

    def __init__(self, world: World, computer: Computer) -> None:
        self.world = world
        self.computer = computer
        self._ends_s: dict[str, float] = {}
        self._alarm_s = math.inf

    def added(self, tag: str) -> None:
        """The monitor has put the address up, under the permit that there is at this moment."""
        if not self.world.lifetimes:
            return
        left_s = self.world.guards[self.computer.name].left_s(tag)
        self._ends_s[tag] = math.inf if left_s == math.inf else self._now_s() + int(max(1.0, left_s))
        self._arm()

    def refreshed(self, tags: Iterable[str]) -> None:
        """The monitor has a new permit for these; with less than a second left an address is let go with its permit."""
        guard = self.world.guards[self.computer.name]
        for tag in tags:
            if tag in self._ends_s and tag in self.computer.on and (left_s := guard.left_s(tag)) >= 1:
                end_s = math.inf if left_s == math.inf else self._now_s() + int(left_s)
                self._ends_s[tag] = max(self._ends_s[tag], end_s)
        self._arm()

    def reset(self) -> None:
        """The computer starts anew."""
        self._ends_s.clear()
        self._alarm_s = math.inf

    def _arm(self) -> None:
        due_s = min(self._ends_s.values(), default=math.inf)
        if due_s < self._alarm_s:
            self._alarm_s = due_s
            wait_s = self.computer.clock.wait_s(due_s, self.world.now_s)
            self.world.on_computer(self.computer, wait_s, partial(self._ring, due_s))

    def _ring(self, alarm_s: float) -> None:
        if self._alarm_s != alarm_s:
            return
        self._alarm_s = math.inf
        now_s = self._now_s()
        for tag in sorted(tag for tag, end_s in self._ends_s.items() if end_s <= now_s):
            del self._ends_s[tag]
            if tag in self.computer.on:
                self.computer.on.discard(tag)
                self.world.noticed(self.computer.name, tag)
        self._arm()

    def _now_s(self) -> float:
        return self.computer.clock.read(self.world.now_s)
