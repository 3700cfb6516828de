# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""How a command on a node finds the monitor: a file that only administrators can read, with a port and a token.

The token is new with every start. What is said then: one line ``{"token": ..., "request": {...}}``, and back any
number of lines ``{"progress": {...}}`` and one last line, the answer. Lines are ASCII JSON.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..core.wire import codec
from ..errors import RequestError

ADDRESS = "127.0.0.1"
LINE_BYTES_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the monitor listens on the loopback, and the proof that the caller may read its files."""

    port: int
    token: str


def endpoint_bytes(endpoint: Endpoint) -> bytes:
    """The content of the endpoint file."""
    return line(codec.encode(endpoint, Endpoint))


def endpoint_of(content: bytes) -> Endpoint:
    """The endpoint in the file's content.

    Raises:
        RequestError: there is none in it.
    """
    try:
        return codec.decode(Endpoint, json.loads(content))
    except (ValueError, RecursionError, codec.CodecError) as error:
        raise RequestError("unreachable", f"the endpoint file makes no sense ({error})") from None


def line(data: Any) -> bytes:
    """One line on the wire. What JSON does not know is written as its text."""
    return json.dumps(data, separators=(",", ":"), default=str).encode("ascii") + b"\n"
