# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of a service on a lab node: its stop request is SIGTERM or SIGINT."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_until_stopped(
    main: Callable[[Callable[[Callable[[], None]], None]], None], *, ready: Callable[[], None]
) -> None:
    """``main(on_stop)`` ran in this, the main, thread. A stop request calls what ``on_stop`` was given last.

    The call comes from another thread, as from the service control handler on Windows, and is not lost when the
    request came first. ``ready`` is called once, when the service can be stopped.
    """
    stops = _Stops(ready)
    before = {number: signal.signal(number, stops.requested) for number in STOP_SIGNALS}
    try:
        main(stops.call)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Stops:
    """The stop request and its receiver, in whichever order they come."""

    def __init__(self, ready: Callable[[], None]) -> None:
        self._ready = ready
        self._callback: Callable[[], None] | None = None
        self._came = False

    def call(self, callback: Callable[[], None]) -> None:
        first, self._callback = self._callback is None, callback
        if first:
            self._ready()
        if self._came:
            self._deliver()

    def requested(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._came = True
        self._deliver()

    def _deliver(self) -> None:
        if self._callback is not None:
            threading.Thread(target=self._callback, name="stop request", daemon=True).start()
