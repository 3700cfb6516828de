# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the lab's IIS for one node until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from ..surface.configuration import ConfigurationError
from ..surface.control import listen
from .control import LINE_MAX, Control
from .service import WebService

FINISH_S = 2.0
"""How long requests in flight may take when the service stops."""


async def run(node: Path, ready_fd: int | None) -> None:
    """The node's sites were served until a stop signal came."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    service = WebService(node)
    try:
        await service.refresh()
    except ConfigurationError as error:
        # Windows starts W3SVC all the same; the sites come when the file is right.
        sys.stderr.write(f"applicationHost.config: {error}\n")
    path = node / "standin" / "iis.sock"
    server = await asyncio.start_unix_server(Control(service).serve, sock=listen(path), limit=LINE_MAX)
    if ready_fd is not None:
        os.write(ready_fd, b"ready\n")
        os.close(ready_fd)
    await stop.wait()
    server.close()
    path.unlink(missing_ok=True)
    await service.close(FINISH_S)


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m holdfast_lab.iis", description=__doc__)
    parser.add_argument("--node", type=Path, required=True, help="the node's folder")
    parser.add_argument("--ready-fd", type=int, help="gets 'ready' once the sites with autostart run")
    given = parser.parse_args()
    asyncio.run(run(given.node.absolute(), given.ready_fd))


if __name__ == "__main__":
    main()
