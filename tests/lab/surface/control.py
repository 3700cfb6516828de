# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unix sockets in a node's folder, one JSON object per line, whatever the length of the folder's path.

A socket's path may have 107 bytes (unix(7)), a checkout's folder has no such limit: both sides reach the socket
through /proc/self/fd of its folder.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAX_LINE = 4 * 1024 * 1024


def call(path: Path, request: Mapping[str, Any], *, timeout_s: float) -> dict[str, Any]:
    """The answer to one request. Raises OSError (nobody listens, timeout) or ValueError (no answer object)."""
    with connect(path, timeout_s=timeout_s) as connection:
        connection.sendall(json.dumps(request).encode() + b"\n")
        line = bytearray()
        while not line.endswith(b"\n"):
            part = connection.recv(65536)
            if not part or len(line) > MAX_LINE:
                raise ValueError(f"{path.name} answered {len(line)} bytes without an end")
            line += part
    answer = json.loads(line)
    if not isinstance(answer, dict):
        message = f"{path.name} answered something that is no object: {line[:200]!r}"
        raise ValueError(message)  # noqa: TRY004 - a wrong answer, not a wrong argument
    return answer


def connect(path: Path, *, timeout_s: float) -> socket.socket:
    """A connection to the socket at the path. Raises OSError."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        with _short(path) as address:
            connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def listen(path: Path) -> socket.socket:
    """A listening socket at the path; what an earlier process left there is gone."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short(path) as address:
            listener.bind(address)
        path.chmod(0o600)
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def _short(path: Path) -> Iterator[str]:
    if len(os.fsencode(path)) < 100:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
