# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Asks the monitor of this node something, over the loopback. Blocking, and quick to import."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .. import paths
from ..errors import RequestError, SurfaceError
from ..surface import Surface
from .endpoint import ADDRESS, LINE_BYTES_MAX, endpoint_of, line

CONNECT_S = 5.0
ANSWER_S = 120.0
"""How long an answer may take to a request that names no time of its own; IIS can take its time."""
GRACE_S = 20.0
"""An acting request names its time; the monitor's own word that it is over is waited for this much longer."""
STARTING_S = 10.0
"""How long a service that is running, or starting, may take until it can be asked."""
AGAIN_S = 0.05
_START = f"Start it with: Start-Service {paths.SERVICE}"


def ask(surface: Surface, request: Any, progress: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
    """The monitor's answer to the request, whatever both say: the monitor judges it.

    A monitor that is just being started is waited for.

    Raises:
        RequestError: there is no monitor to ask, or it does not answer.
    """
    connection, token = _connected(surface)
    deadline_s = time.monotonic() + _patience_s(request)
    with connection:
        try:
            connection.sendall(line({"token": token, "request": request}))
            return _answer(connection, deadline_s, progress)
        except TimeoutError:
            text = "the monitor of this node took the request and did not answer in time; what it began may go on"
            raise RequestError("timeout", text) from None
        except OSError as error:
            raise RequestError("unreachable", f"the monitor of this node went away: {error}. {_START}") from None


def _connected(surface: Surface) -> tuple[socket.socket, str]:
    """A connection to the monitor, and the token it wants to see."""
    deadline_s = time.monotonic() + STARTING_S
    while True:
        try:
            endpoint = endpoint_of(_endpoint_content(surface.local_path(paths.ENDPOINT)))
            return _dialled(endpoint.port), endpoint.token
        except RequestError as error:
            starting = error.kind == "unreachable" and _is_starting(surface)
            if not starting or time.monotonic() >= deadline_s:
                raise
        time.sleep(AGAIN_S)


def _is_starting(surface: Surface) -> bool:
    try:
        return surface.service_state(paths.SERVICE) in ("running", "start_pending")
    except SurfaceError:
        return False


def _dialled(port: int) -> socket.socket:
    try:
        return socket.create_connection((ADDRESS, port), timeout=CONNECT_S)
    except OSError as error:
        text = f"the monitor of this node does not run (port {port}: {error}). {_START}"
        raise RequestError("unreachable", text) from None


def _endpoint_content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except PermissionError:
        text = f"only administrators may ask the monitor: {path} cannot be read by this account"
        raise RequestError("refused", text) from None
    except OSError:
        raise RequestError(
            "unreachable", f"the monitor of this node does not run: there is no {paths.ENDPOINT}. {_START}"
        ) from None


def _patience_s(request: Any) -> float:
    args = request.get("args") if isinstance(request, Mapping) else None
    named = args.get("timeout_s") if isinstance(args, Mapping) else None
    if isinstance(named, (int, float)) and not isinstance(named, bool):
        return float(named) + GRACE_S
    return ANSWER_S


def _answer(
    connection: socket.socket, deadline_s: float, progress: Callable[[Mapping[str, Any]], None]
) -> dict[str, Any]:
    buffer = bytearray()
    while True:
        connection.settimeout(max(0.001, deadline_s - time.monotonic()))
        received = connection.recv(65536)
        if not received:
            raise ConnectionError("it closed the connection without an answer")
        buffer += received
        if len(buffer) > LINE_BYTES_MAX:
            raise ConnectionError("its answer is too long")
        while (end := buffer.find(b"\n")) >= 0:
            data = _parsed(bytes(buffer[:end]))
            del buffer[: end + 1]
            if "progress" not in data:
                return data
            progress(data["progress"])


def _parsed(text: bytes) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise ConnectionError("its answer is not JSON")
    return data
