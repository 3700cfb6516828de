# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Measures how late the event loop is: heartbeats can be late by as much."""

from __future__ import annotations

import asyncio
import logging

log = logging.getLogger(__name__)
INTERVAL_S = 0.05
WORTH_TELLING_S = 0.5


class StallMeter:
    """``max_s`` is the longest time by which the loop came late since the meter was started."""

    def __init__(self) -> None:
        self.max_s = 0.0
        self._loop = asyncio.get_running_loop()
        self._due_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Measures from now on."""
        self._due_s = self._loop.time() + INTERVAL_S
        self._timer = self._loop.call_at(self._due_s, self._look)

    def stop(self) -> None:
        """Measures no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        late_s = self._loop.time() - self._due_s
        if late_s > WORTH_TELLING_S:
            log.warning("the event loop stood still for %.0f ms", late_s * 1000)
        self.max_s = max(self.max_s, late_s)
        self.start()
