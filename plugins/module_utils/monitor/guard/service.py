# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The guard as a service of its own, which the monitor's troubles do not reach: no event loop, no TLS, no network.

It is not told of a shutdown: it watches until the system ends it.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from functools import partial

from .. import paths
from ..errors import SurfaceError
from ..surface import Listen, Surface, open_surface
from .watch import Guard

SWITCH_INTERVAL_S = 0.001
"""How long a busy thread of ours may keep the watching one from running (sys.setswitchinterval)."""

EVENT_ID = 1096


def run() -> int:
    """The service ran until it was stopped; the exit code."""
    surface = open_surface()
    surface.run_service(name=paths.GUARD_SERVICE, main=partial(body, surface))
    return 0


def body(surface: Surface, on_stop: Listen, on_shutdown: Listen) -> None:
    """The guard watches until it is asked to stop. What ends it otherwise is raised, and Windows starts it again."""
    del on_shutdown
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with contextlib.suppress(SurfaceError):
        surface.raise_priority(highest=True)
    stopped = threading.Event()
    try:
        guard = Guard(surface, stopped)
        # What is alive now lives as long as the process: the collector need not look at it again.
        gc.freeze()
        guard.tick()
        on_stop(stopped.set)
        guard.run()
    except BaseException as error:
        surface.log_event(event_id=EVENT_ID, level="error", text=f"The guard ends: {error}")
        raise
