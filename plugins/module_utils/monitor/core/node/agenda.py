# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which groups are to be tended now: those that something happened to, those with work, those whose time has come.

So that a thousand idle groups cost nothing when one of them is told something.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from ..cluster.peer import NEVER_S
from ..moves.group import GroupMachine
from ..moves.story import Until
from ..moves.tending import next_look_s

FEW = 32
EACH_S = 0.0002


class Agenda:
    """Groups by name.

    A group whose story waits for a condition is looked at on every event, for that may be anything; one that waits for
    steps, answers or a verdict is touched when they come in. More than ``FEW`` that wait are not looked at again before
    ``EACH_S`` for each has passed: a thousand groups that fail over wait for a thousand events of each other.
    """

    def __init__(self) -> None:
        self._touched: dict[str, None] = {}
        self._at_work: dict[str, None] = {}
        self._looked_s = NEVER_S
        self._passed_over = False
        self._due_s: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def begin(self, names: Iterable[str]) -> None:
        """These are the groups now, and all of them are to be tended."""
        self._touched = dict.fromkeys(names)
        self._at_work, self._due_s, self._heap = {}, {}, []

    def touch(self, name: str) -> None:
        """Something happened to the group."""
        self._touched[name] = None

    def touch_all(self, names: Iterable[str]) -> None:
        """Something happened that may concern every group."""
        self._touched.update(dict.fromkeys(names))

    def due(self, now_s: float) -> list[str]:
        """The groups to tend now; each is to be reported as ``tended``."""
        while self._heap and self._heap[0][0] <= now_s:
            due_s, name = heappop(self._heap)
            if self._due_s.get(name) == due_s:
                self._touched[name] = None
        if not self._touched and not self._at_work:
            return []
        self._passed_over = now_s < self._again_s()
        names = self._touched
        if not self._passed_over:
            names = dict.fromkeys((*self._touched, *self._at_work))
            self._looked_s = now_s
        self._touched = {}
        return list(names)

    def tended(self, g: GroupMachine) -> None:
        """The group has gone as far as it can; when it wants to be tended next is noted."""
        if g.waiting or (g.task is not None and isinstance(g.task.wait, Until)):
            self._at_work[g.name] = None
        else:
            self._at_work.pop(g.name, None)
        due_s = next_look_s(g)
        if due_s is None:
            self._due_s.pop(g.name, None)
        elif self._due_s.get(g.name) != due_s:
            self._due_s[g.name] = due_s
            heappush(self._heap, (due_s, g.name))

    def deadline_s(self) -> float | None:
        """When the first group wants to be tended."""
        while self._heap and self._due_s.get(self._heap[0][1]) != self._heap[0][0]:
            heappop(self._heap)
        dues = [self._heap[0][0]] if self._heap else []
        return min([*dues, self._again_s()] if self._passed_over else dues, default=None)

    def _again_s(self) -> float:
        """When all that wait are looked at again, after an event."""
        waiting = len(self._at_work)
        return self._looked_s + EACH_S * waiting if waiting > FEW else NEVER_S
