# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The system shuts down: how long it is held up for our groups to leave (see ``moves.shutdown``)."""

from __future__ import annotations

from collections.abc import Iterable

from ..moves.group import GroupMachine
from ..moves.shutdown import LEAVE_S, MOVE_S, has_left


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

    def lets_go(self, groups: Iterable[GroupMachine], now_s: float) -> bool:
        """Whether the system may go down from now on: nothing is in its way, or it has waited long enough. Once."""
        if self.since_s is None or self._let_go:
            return False
        self._let_go = now_s >= self.since_s + LEAVE_S or all(has_left(g) for g in groups)
        return self._let_go

    def deadline_s(self, now_s: float) -> float | None:
        """When it has waited long enough for moves, or for anything."""
        if self.since_s is None:
            return None
        return min((due_s for s in (MOVE_S, LEAVE_S) if (due_s := self.since_s + s) > now_s), default=None)
