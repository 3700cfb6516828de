# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""How an administrator on the witness's machine talks to it: one line on the loopback, with the token of a file.

The file lies in the witness's own folder, which only it and administrators can read.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import RequestError
from ..service.endpoint import ADDRESS, Endpoint, endpoint_bytes, endpoint_of, line
from ..transport.sockets import bound_socket

PATIENCE_S = 5.0
REQUEST_BYTES_MAX = 4096
Handler = Callable[[str], Mapping[str, Any]]


class Control:
    """``handler`` answers a verb; it may raise RequestError."""

    def __init__(self, *, state: Path, handler: Handler) -> None:
        self._path = _endpoint(state)
        self._handler = handler
        self._token = secrets.token_urlsafe(32)
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Requests are taken, and the endpoint file tells where."""
        sock = bound_socket(ADDRESS, 0)
        self._server = await asyncio.start_server(self._serve, sock=sock, limit=REQUEST_BYTES_MAX)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(endpoint_bytes(Endpoint(port=int(sock.getsockname()[1]), token=self._token)))
        os.replace(fresh, self._path)

    def close(self) -> None:
        """Nothing is taken any more."""
        with contextlib.suppress(OSError):
            self._path.unlink()
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE_S):
                writer.write(line(self._answer(await reader.readline())))
                await writer.drain()
        except (OSError, TimeoutError, ValueError):
            return
        finally:
            writer.close()

    def _answer(self, text: bytes) -> Mapping[str, Any]:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            data = None
        token, verb = (data.get("token"), data.get("verb")) if isinstance(data, dict) else (None, None)
        if not isinstance(token, str) or not hmac.compare_digest(token.encode(), self._token.encode()):
            return {"ok": False, "error": "the token is not that of the endpoint file"}
        try:
            return {"ok": True, "data": self._handler(str(verb))}
        except RequestError as error:
            return {"ok": False, "error": error.message}


def ask(state: Path, verb: str) -> Mapping[str, Any]:
    """The running witness's answer. Blocking.

    Raises:
        RequestError: it does not run, this account may not ask it, or it refuses.
    """
    try:
        endpoint = endpoint_of(_endpoint(state).read_bytes())
        with socket.create_connection((ADDRESS, endpoint.port), timeout=PATIENCE_S) as connection:
            connection.sendall(line({"token": endpoint.token, "verb": verb}))
            with connection.makefile("rb") as stream:
                answer = json.loads(stream.readline())
    except PermissionError:
        raise RequestError("refused", f"only an administrator may ask the witness: {_endpoint(state)}") from None
    except (OSError, ValueError) as error:
        raise RequestError("unreachable", f"the witness does not run here: {error}") from None
    if not answer["ok"]:
        raise RequestError("refused", str(answer["error"]))
    data: Mapping[str, Any] = answer["data"]
    return data


def _endpoint(state: Path) -> Path:
    return state / "run" / "endpoint.json"
