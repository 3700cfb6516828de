# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""How many claims a node has at the arbiter at the same time, and which groups wait for one of them to be answered."""

from __future__ import annotations

AT_ONCE = 64
"""A node that takes a thousand groups over claims so many at a time: each is answered in time, and all are sooner."""


class OpenClaims:
    """Claims without an answer, by group, in the order in which they were made; none counts after ``patience_s``."""

    def __init__(self, *, patience_s: float) -> None:
        self._patience_s = patience_s
        self._since_s: dict[str, float] = {}
        self._waiting: dict[str, None] = {}

    def begun(self, group: str, now_s: float) -> None:
        """The arbiter is being asked for the group."""
        self._since_s.pop(group, None)
        self._since_s[group] = now_s

    def answered(self, group: str) -> str | None:
        """The arbiter has answered; the group that may claim now, if one waits."""
        self._since_s.pop(group, None)
        first = next(iter(self._waiting), None)
        if first is not None:
            del self._waiting[first]
        return first

    def has_room(self, group: str, now_s: float) -> bool:
        """Whether the group may claim now; it waits otherwise."""
        while self._since_s and self._since_s[first := next(iter(self._since_s))] <= now_s - self._patience_s:
            del self._since_s[first]
        if len(self._since_s) >= AT_ONCE:
            self._waiting[group] = None
            return False
        self._waiting.pop(group, None)
        return True
