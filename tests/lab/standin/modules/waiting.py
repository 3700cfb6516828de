# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_wait_for: until a port listens or not, a file is there or not, or a text is in it."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from typing import Any

from .base import Invocation, Module, ModuleError, options

Reached = Callable[[], bool]


def win_wait_for(call: Invocation) -> dict[str, Any]:
    """The condition was met within the timeout."""
    params = call.params
    begun = time.monotonic()
    call.streams.ended.wait(params["delay"] or 0)
    if params["path"] is None and params["port"] is None:
        call.streams.ended.wait(params["timeout"])
        return {"elapsed": time.monotonic() - begun, "wait_attempts": 0}
    reached, what = _condition(call)
    attempts, deadline = 0, time.monotonic() + params["timeout"]
    while time.monotonic() < deadline and not call.streams.ended.is_set():
        attempts += 1
        if reached():
            return {"elapsed": time.monotonic() - begun, "wait_attempts": attempts}
        call.streams.ended.wait(params["sleep"])
    elapsed = time.monotonic() - begun
    raise ModuleError(f"timeout while waiting for {what}", elapsed=elapsed, wait_attempts=attempts)


def _condition(call: Invocation) -> tuple[Reached, str]:
    params = call.params
    present = params["state"] in ("started", "present")
    if params["state"] == "drained":
        raise ModuleError("the stand-in does not implement state=drained of win_wait_for")
    if params["path"] is not None and params["port"] is not None:
        raise ModuleError("port and path parameter can not both be passed to win_wait_for")
    if params["port"] is not None:
        host, port = params["host"], params["port"]
        what = f"{host}:{port} to {'start' if present else 'stop'} listening"
        return lambda: _listens(host, port, params["connect_timeout"]) is present, what
    path, regex = params["path"], params["regex"]
    what = f"file {path} to be {'present' if present else 'absent'}"
    if regex is None:
        return lambda: call.local(path).exists() is present, what
    return lambda: _contains(call, path, regex) is present, f"string regex {regex} in file {path}"


def _listens(host: str, port: int, timeout_s: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def _contains(call: Invocation, path: str, regex: str) -> bool:
    file = call.local(path)
    return file.is_file() and re.search(regex, file.read_text(errors="replace"), re.IGNORECASE) is not None


MODULES = {
    "ansible.windows.win_wait_for": Module(
        run=win_wait_for,
        options=options("connect_timeout delay host path port regex sleep state timeout"),
    ),
}
