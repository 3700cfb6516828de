# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The body of the service: starts everything, waits to be stopped, stops everything.

A monitor that cannot read its state does not touch anything; it runs only to say so to whoever asks. One that
finds a rule of its own broken ends with an error, and Windows starts it again.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import time
from functools import partial

from .. import paths
from ..errors import StateError
from ..store.alone import alone
from ..store.ledger import Ledger
from ..store.state import Remembered, Store
from ..surface import Listen, Surface
from .describing import Describing
from .journal import Journal
from .local import LocalEndpoint
from .logs import log_file
from .monitor import Monitor
from .requests import Requests
from .workers import tell

log = logging.getLogger(__name__)
SWITCH_INTERVAL_S = 0.001
"""How long a busy thread may keep the event loop from running (sys.setswitchinterval; 5 ms by default)."""
HISTORY = paths.STATE + r"\history.jsonl"


def body(surface: Surface, version: str, on_stop: Listen, on_shutdown: Listen) -> None:
    """The monitor runs until it is asked to stop, or told of a shutdown.

    Raises:
        StateError: another monitor of this node runs.
        Exception: a rule of our own was broken; the service has to be started again.
    """
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    with log_file(surface):
        try:
            with alone(surface):
                asyncio.run(_serve(surface, version, on_stop, on_shutdown))
        except BaseException as error:
            log.critical("the monitor ends: %s", error, exc_info=error)
            surface.log_event(event_id=1099, level="error", text=f"The monitor ends: {error}")
            raise


async def _serve(surface: Surface, version: str, on_stop: Listen, on_shutdown: Listen) -> None:
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()
    log.info("Holdfast %s starts", version)
    store = Store(surface)
    remembered, obstacle = _load(store)
    if obstacle:
        log.error("%s", obstacle)
        surface.log_event(event_id=1098, level="error", text=obstacle)
    journal = Journal(store=store, ledger=Ledger(surface.local_path(HISTORY)), surface=surface, loop=loop)
    monitor = Monitor(
        surface=surface,
        journal=journal,
        remembered=remembered,
        version=version,
        incarnation=store.next_incarnation(time.time_ns() // 1_000_000),
        broken=partial(_settle, stopped),
        may_stop=partial(_settle, stopped, None),
    )
    describing = Describing(monitor=monitor, surface=surface, in_thread=monitor.in_thread)
    requests = Requests(monitor=monitor, describing=describing, obstacle=obstacle)
    endpoint = LocalEndpoint(surface=surface, handler=requests.answer)
    try:
        await monitor.start()
        port = await endpoint.open()
        # What is alive now lives as long as the process: the collector need not look at it again.
        gc.freeze()
        log.info("requests are taken on loopback port %d", port)
        # Only now: whoever started the service takes "can be stopped" for "runs", and asks it something at once.
        on_stop(partial(tell, loop, _settle, stopped, None))
        on_shutdown(partial(tell, loop, monitor.shutdown))
        await stopped
        log.info("asked to stop; what is in service stays in service")
    finally:
        await endpoint.close()
        monitor.close()
        journal.close()


def _load(store: Store) -> tuple[Remembered, str]:
    """What was remembered, and why the monitor must not go on (empty when it may)."""
    try:
        return store.load(), ""
    except (StateError, OSError) as error:
        return Remembered(registers={}), str(error)


def _settle(stopped: asyncio.Future[None], error: BaseException | None) -> None:
    if stopped.done():
        return
    if error is None:
        stopped.set_result(None)
    else:
        stopped.set_exception(error)
