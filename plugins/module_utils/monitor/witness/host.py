# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The witness as a service: of systemd on Linux, of the service control manager on Windows."""

from __future__ import annotations

import asyncio
import gc
import logging
import logging.handlers
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import RequestError
from ..service.workers import tell
from ..surface import Listen, Surface
from .control import Control
from .memory import MemoryFile, blank
from .service import Service
from .settings import Settings
from .voting import Voting

log = logging.getLogger(__name__)
SERVICE = "HoldfastWitness"
LOG_BYTES_MAX = 5 * 1024 * 1024
SWITCH_INTERVAL_S = 0.001
"""How long the thread that writes may keep the event loop from running (sys.setswitchinterval; 5 ms by default)."""


def run(settings: Settings, version: str, *, surface: Surface | None) -> None:
    """The witness ran until it was stopped; as a Windows service when there is a surface.

    Raises:
        StateError: its memory is not what it wrote last; it says what to do.
    """
    _log_to(_log_file(Path(settings.state)) if surface else logging.StreamHandler(sys.stderr))
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    body = partial(_body, settings, version)
    if surface:
        surface.run_service(name=SERVICE, main=body)
    else:
        body()


def _body(settings: Settings, version: str, on_stop: Listen | None = None, on_shutdown: Listen | None = None) -> None:
    """A shutdown needs no notice: what was promised is on the disk."""
    del on_shutdown
    asyncio.run(_serve(settings, version, on_stop))


async def _serve(settings: Settings, version: str, on_stop: Listen | None) -> None:
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[None] = loop.create_future()
    file = MemoryFile(folder=Path(settings.state), cluster=settings.cluster, name=settings.name)
    service = Service(settings=settings, voting=voting_of(settings, file, loop.time()), file=file)
    control = Control(state=Path(settings.state), handler=partial(_handle, service))
    log.info("Holdfast %s: witness %s of cluster %s", version, settings.name, settings.cluster)
    try:
        service.start()
        await control.open()
        gc.freeze()
        stop = partial(tell, loop, _settle, stopped)
        if on_stop is not None:
            on_stop(stop)
        else:
            _on_signals(loop, stop)
        _notify("READY=1")
        await stopped
    finally:
        control.close()
        service.close()


def voting_of(settings: Settings, file: MemoryFile, now_s: float) -> Voting:
    """What the witness remembers; a new instance is on the disk before anybody hears of it."""
    memory = file.load()
    if memory is None:
        memory = blank()
        file.save(memory)
        file.seal()
        log.warning("there is no memory in %s: this is the new instance %s", settings.state, memory.instance)
    return Voting(name=settings.name, nodes=settings.nodes, memory=memory, now_s=now_s)


def _handle(service: Service, verb: str) -> Mapping[str, Any]:
    if verb == "status":
        return service.state()
    if verb == "confirm":
        return {"changed": service.confirm(), **service.state()}
    raise RequestError("rule", f"the witness knows status and confirm, not {verb}")


def _on_signals(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":
            signal.signal(number, lambda _number, _frame: stop())
        else:
            loop.add_signal_handler(number, stop)


def _settle(stopped: asyncio.Future[None]) -> None:
    if not stopped.done():
        stopped.set_result(None)


def _notify(text: str) -> None:
    """systemd hears of it, when systemd started us. Source: sd_notify(3)."""
    place = os.environ.get("NOTIFY_SOCKET")
    if not place or sys.platform == "win32":
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(f"\0{place[1:]}" if place.startswith("@") else place)
        sock.sendall(text.encode("ascii"))


def _log_file(folder: Path) -> logging.Handler:
    """A Windows service has no console, and the event log is for people."""
    folder.mkdir(parents=True, exist_ok=True)
    return logging.handlers.RotatingFileHandler(
        folder / "witness.log", maxBytes=LOG_BYTES_MAX, backupCount=3, encoding="utf-8", delay=True
    )


def _log_to(handler: logging.Handler) -> None:
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    top = logging.getLogger(__name__.partition(".")[0])
    top.setLevel(logging.INFO)
    top.addHandler(handler)
