# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""``holdfast call``: one JSON request on standard input, one JSON answer as the last line of standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from ..errors import RequestError
from ..service.client import ask
from ..surface import open_surface


def call() -> int:
    """An answer was written, whatever it says: 0."""
    sys.stdout.write(json.dumps(_answer(sys.stdin.buffer.read())) + "\n")
    sys.stdout.flush()
    return 0


def _answer(given: bytes) -> Mapping[str, Any]:
    try:
        # Windows PowerShell may put a byte order mark before what it pipes.
        request = json.loads(given.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        return _failure("rule", f"standard input holds no request: {error}")
    if not isinstance(request, dict):
        return _failure("rule", "standard input holds no request: it is no JSON object")
    try:
        return ask(open_surface(), request, _ignore)
    except RequestError as error:
        return _failure(error.kind, error.message)


def _failure(kind: str, message: str) -> Mapping[str, Any]:
    return {"ok": False, "error": {"kind": kind, "message": message, "problems": []}}


def _ignore(news: Mapping[str, Any]) -> None:
    """Playbooks show the end only; the connection would not carry news before it anyway."""
    del news
