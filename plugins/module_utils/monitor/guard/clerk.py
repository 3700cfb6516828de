# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Writes down what the guard did, in a thread of its own: a disk that hangs must not hold up anything."""

from __future__ import annotations

import contextlib
import threading
from collections import deque

from .. import paths
from ..errors import SurfaceError
from ..surface import Surface
from .lane import Lane
from .mailbox import Deed, post

EVENT_ID = 1097
SAME_AGAIN_S = 60.0
"""The same sentence is written down once in this time: what fails is tried again many times a second."""

WAITING_MAX = 1000


class Clerk:
    """``tell`` and ``written`` may be called from any thread."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._folder = surface.local_path(paths.GUARD_RECORDS)
        self._waiting: deque[Deed] = deque(maxlen=WAITING_MAX)
        self._told_s: dict[Deed, float] = {}
        self._idle = threading.Event()
        self._lane = Lane("clerk", self._write, lambda: None)

    def tell(self, group: str, text: str) -> None:
        """It will be written down soon. Never blocks."""
        deed, now_s = Deed(group=group, text=text), self._surface.monotonic_s()
        if now_s - self._told_s.get(deed, float("-inf")) < SAME_AGAIN_S:
            return
        self._told_s[deed] = now_s
        self._idle.clear()
        self._waiting.append(deed)
        self._lane.ask()

    def written(self, within_s: float) -> bool:
        """Everything is written down; False when it was not in time."""
        return self._idle.wait(within_s)

    def _write(self) -> None:
        while self._waiting:
            deed = self._waiting.popleft()
            with contextlib.suppress(OSError):
                post(self._folder, deed)
            with contextlib.suppress(SurfaceError):
                where = f"group {deed.group}: " if deed.group else ""
                self._surface.log_event(event_id=EVENT_ID, level="warning", text=f"The guard: {where}{deed.text}")
        self._idle.set()
