# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The body of a service on a lab node: its stop request is SIGTERM or SIGINT, the notice before a shutdown SIGUSR1."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.surface import ServiceMain

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
PRESHUTDOWN_SIGNAL = signal.SIGUSR1


def run_until_stopped(main: ServiceMain, *, ready: Callable[[], None], hears_shutdown: Callable[[], None]) -> None:
    """``main(on_stop, on_shutdown)`` ran in this, the main, thread. A request calls what was given last.

    The call comes from another thread, as from the service control handler on Windows, and is not lost when the
    request came first. ``ready`` is called once, when the service can be stopped; ``hears_shutdown`` once, when it
    wants to be told of a shutdown.
    """
    stop, shutdown = _Request(ready), _Request(hears_shutdown)
    handlers = {**dict.fromkeys(STOP_SIGNALS, stop.came), PRESHUTDOWN_SIGNAL: shutdown.came}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        main(stop.call, shutdown.call)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Request:
    """A request and its receiver, in whichever order they come."""

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

    def came(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._came = True
        self._deliver()

    def _deliver(self) -> None:
        if self._callback is not None:
            threading.Thread(target=self._callback, name="service request", daemon=True).start()
