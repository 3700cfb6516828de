# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTP/1.1 on one connection (RFC 9112): one request after the other, kept alive unless somebody wants the end.

What a request means is up to the Answerer; here are only bytes, limits and the connection's life.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

HEAD_MAX = 16 * 1024
BODY_MAX = 1024 * 1024
IDLE_S = 120.0
"""As connectionTimeout of IIS's limits."""
CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request whose body has been read and dropped. Header names are lower case; ``host`` is without a port."""

    method: str
    path: str
    query: str
    host: str
    headers: Mapping[str, str]
    keep_alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer; the body is a text or the contents of a file."""

    status: HTTPStatus
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | Path = b""


class Answerer(Protocol):
    """Whoever owns the listening socket."""

    def opened(self, connection: Connection) -> bool:
        """The connection is known from now on; False when it must be closed at once."""

    def closed(self, connection: Connection) -> None:
        """The connection is gone."""

    async def answer(self, request: Request, connection: Connection) -> None:
        """The answer was given to ``connection.send``."""


class BadRequestError(Exception):
    """The bytes are no request that is served here."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Connection(asyncio.Protocol):
    """One client's connection."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self._writable = asyncio.Event()
        self._writable.set()
        self._idle: asyncio.TimerHandle | None = None

    def finish(self) -> None:
        """The connection ends: now when it is idle, after the present answer otherwise."""
        self._closing = True
        if self._task is None:
            self._close()

    def cut(self) -> None:
        """The connection is gone, whatever was going on."""
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def send(self, request: Request, response: Response) -> None:
        """The whole answer has been handed to the system. Raises ConnectionError when the client is gone."""
        body = response.body
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        keep = request.keep_alive and not self._closing
        head = _head(response, size=size, keep_alive=keep)
        self._closing = not keep
        if request.method == "HEAD":
            await self._write(head)
        elif isinstance(body, bytes):
            await self._write(head + body)
        else:
            await self._send_file(head, body, size)

    # -- asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(f"{transport!r} is no stream")
        self._transport = transport
        if not self._answerer.opened(self):
            transport.abort()
            return
        self._wait_for_request()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._next()
        elif len(self._buffer) > HEAD_MAX + BODY_MAX and self._transport is not None:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._closing = True
        self._stop_waiting()
        if self._task is not None:
            self._task.cancel()
        self._answerer.closed(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # -- how it is done

    def _next(self) -> None:
        try:
            request = _take_request(self._buffer)
        except BadRequestError as error:
            self._refuse(error.status)
            return
        if request is None:
            return
        self._stop_waiting()
        self._task = asyncio.get_running_loop().create_task(self._serve(request))

    async def _serve(self, request: Request) -> None:
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await self._answerer.answer(request, self)
        self._task = None
        if self._closing or self._transport is None:
            self._close()
            return
        self._transport.resume_reading()
        self._wait_for_request()
        self._next()

    def _refuse(self, status: HTTPStatus) -> None:
        if self._transport is not None:
            body = f"{status.value} {status.phrase}\n".encode()
            response = Response(status=status, body=body)
            self._transport.write(_head(response, size=len(body), keep_alive=False) + body)
        self._closing = True
        self._close()

    async def _send_file(self, head: bytes, file: Path, size: int) -> None:
        """The file is closed before the client has the last of it: whoever has got a page may dismount its volume."""
        with file.open("rb") as source:
            first = source.read(min(CHUNK, size))
            data, left = head + first, size - len(first)
            while left > 0:
                await self._write(data)
                data = source.read(min(CHUNK, left))
                if not data:  # it became shorter: the promised length cannot be kept
                    self._closing = True
                    return
                left -= len(data)
        await self._write(data)

    async def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionAbortedError("the client is gone")
        self._transport.write(data)
        await self._writable.wait()

    def _close(self) -> None:
        self._stop_waiting()
        if self._transport is not None:
            self._transport.close()

    def _wait_for_request(self) -> None:
        self._stop_waiting()
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self.finish)

    def _stop_waiting(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None


def _take_request(buffer: bytearray) -> Request | None:
    """The first request, taken out of the buffer, or None while it is incomplete. Raises BadRequestError."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        if len(buffer) > HEAD_MAX:
            raise BadRequestError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        return None
    first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    headers = _headers(lines)
    body_size = _body_size(headers)
    if len(buffer) < end + 4 + body_size:
        return None
    del buffer[: end + 4 + body_size]
    return _request(first, headers)


def _request(first: str, headers: dict[str, str]) -> Request:
    method, target, version = (*first.split(" "), "", "")[:3]
    if version not in ("HTTP/1.1", "HTTP/1.0") or not target.startswith("/"):
        raise BadRequestError(HTTPStatus.BAD_REQUEST)
    if version == "HTTP/1.1" and "host" not in headers:
        raise BadRequestError(HTTPStatus.BAD_REQUEST)
    path, _, query = target.partition("?")
    wish = headers.get("connection", "").lower()
    return Request(
        method=method,
        path=path,
        query=query,
        host=_without_port(headers.get("host", "")),
        headers=headers,
        keep_alive=wish != "close" if version == "HTTP/1.1" else wish == "keep-alive",
    )


def _headers(lines: list[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or name != name.strip():
            raise BadRequestError(HTTPStatus.BAD_REQUEST)
        found[name.lower()] = value.strip()
    return found


def _body_size(headers: Mapping[str, str]) -> int:
    if "transfer-encoding" in headers:
        raise BadRequestError(HTTPStatus.LENGTH_REQUIRED)
    text = headers.get("content-length", "0")
    if not text.isdigit():
        raise BadRequestError(HTTPStatus.BAD_REQUEST)
    if int(text) > BODY_MAX:
        raise BadRequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return int(text)


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdigit() else host).lower()


def _head(response: Response, *, size: int, keep_alive: bool) -> bytes:
    lines = [
        f"HTTP/1.1 {response.status.value} {response.status.phrase}",
        f"Content-Length: {size}",
        "Server: Microsoft-IIS/10.0",
        f"Date: {formatdate(usegmt=True)}",
        f"Connection: {'keep-alive' if keep_alive else 'close'}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
