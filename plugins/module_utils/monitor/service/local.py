# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Listens on the loopback for requests from this node.

Rule: nobody is listened to who cannot show the token of the endpoint file. A request that was begun goes on when
its asker goes away: a playbook that is killed leaves no half-done work, and its next run finds the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from .. import paths
from ..surface import Surface
from ..transport.sockets import bound_socket
from .answers import Answer, failure
from .endpoint import ADDRESS, LINE_BYTES_MAX, Endpoint, endpoint_bytes, line

log = logging.getLogger(__name__)
ASKERS_MAX = 64
REQUEST_S = 10.0
"""How long a caller may take to say what it wants, and to take its answer."""
Handler = Callable[[Any, Callable[[Mapping[str, Any]], None]], Awaitable[Answer]]


class LocalEndpoint:
    """``refused`` counts callers without the right token."""

    def __init__(self, *, surface: Surface, handler: Handler) -> None:
        self.refused = 0
        self._surface = surface
        self._handler = handler
        self._token = secrets.token_urlsafe(32)
        self._path = surface.local_path(paths.ENDPOINT)
        self._server: asyncio.Server | None = None
        self._askers = 0
        self._work: set[asyncio.Task[Answer]] = set()

    async def open(self) -> int:
        """Requests are taken, and the endpoint file tells where; returns the port."""
        sock = bound_socket(ADDRESS, 0)
        self._server = await asyncio.start_server(self._serve, sock=sock, limit=LINE_BYTES_MAX)
        port = int(sock.getsockname()[1])
        self._publish(Endpoint(port=port, token=self._token))
        return port

    async def close(self) -> None:
        """Nothing is taken any more; requests under way have a moment to end."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        if self._server is not None:
            self._server.close()
        if self._work:
            await asyncio.wait(self._work, timeout=1.0)

    def _publish(self, endpoint: Endpoint) -> None:
        """The file is for administrators only before the token is in it."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.write_bytes(b"")
        self._surface.restrict_to_administrators(_beside(paths.ENDPOINT, fresh))
        fresh.write_bytes(endpoint_bytes(endpoint))
        os.replace(fresh, self._path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._askers += 1
        try:
            if self._askers > ASKERS_MAX:
                await _say(writer, failure("refused", f"{ASKERS_MAX} requests are open already; ask again later"))
            else:
                await self._hear(reader, writer)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            log.info("a local caller went away: %s", str(error) or type(error).__name__)
        finally:
            self._askers -= 1
            writer.close()

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with asyncio.timeout(REQUEST_S):
            data = _parsed(await reader.readline())
        token = data.get("token")
        if not isinstance(token, str) or not hmac.compare_digest(token.encode(), self._token.encode()):
            self.refused += 1
            log.warning("a local caller without the token was refused (number %d)", self.refused)
            await _say(writer, failure("refused", "the token is not that of the endpoint file"))
            return

        def progress(news: Mapping[str, Any]) -> None:
            if not writer.is_closing():
                writer.write(line({"progress": news}))

        work = asyncio.ensure_future(self._handler(data.get("request"), progress))
        self._work.add(work)
        work.add_done_callback(self._work.discard)
        await _say(writer, await asyncio.shield(work))


async def _say(writer: asyncio.StreamWriter, answer: Answer) -> None:
    writer.write(line(answer))
    async with asyncio.timeout(REQUEST_S):
        await writer.drain()


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = None
    return data if isinstance(data, dict) else {}


def _beside(windows_path: str, local: Path) -> str:
    """The Windows path of a file that lies beside another."""
    return windows_path.rpartition("\\")[0] + "\\" + local.name
