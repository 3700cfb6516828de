# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The system shuts down: how long it is held up for our groups to leave (see ``moves.shutdown``)."""

from __future__ import annotations

from collections.abc import Iterable

from ..moves.group import GroupMachine
from ..moves.shutdown import LEAVE_S, MOVE_S, has_left
from ..values.events import Action, Note, ReadyToStop


class Departure:
    """``since_s`` is when the shutdown was announced; None before."""

    def __init__(self) -> None:
        self.since_s: float | None = None
        self._let_go = False

    def announced(self, now_s: float) -> bool:
        """Whether this is the first that is heard of it."""
        first = self.since_s is None
        self.since_s = now_s if self.since_s is None else self.since_s
        return first

    def end(self, groups: Iterable[GroupMachine], now_s: float) -> list[Action]:
        """The system is let go, once: nothing is in its way any more, or it has waited long enough."""
        if self.since_s is None or self._let_go:
            return []
        left = [g.name for g in groups if not has_left(g)]
        if left and now_s < self.since_s + LEAVE_S:
            return []
        self._let_go = True
        after_s = round(now_s - self.since_s, 3)
        what = f"although {', '.join(left)} could not leave in time" if left else "nothing is in its way"
        text = f"the system may go down after {after_s:.1f} s, {what}"
        return [Note(kind="shutdown", group="", text=text, fields={"after_s": after_s, "left": left}), ReadyToStop()]

    def deadline_s(self, now_s: float) -> float | None:
        """When it has waited long enough for moves, or for anything."""
        if self.since_s is None:
            return None
        return min((due_s for s in (MOVE_S, LEAVE_S) if (due_s := self.since_s + s) > now_s), default=None)
