# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""``async:`` on a task: the module runs on after the command has answered, and its result is in a file."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..job import CommandError, Job, Streams
from ..node import Node, write_atomically

OUTPUT_BYTES_MAX = 16 * 1024 * 1024


def run_async(
    params: Mapping[str, Any],
    *,
    timeout_s: int,
    run: Callable[[Streams], int],
    streams: Streams,
    node: Node,
) -> int:
    """The module was started and the answer names its result file."""
    folder = node.drives.expand(params["AsyncDir"])
    jid = f"{params['AsyncJid']}.{os.getpid()}"
    windows = f"{folder}\\{jid}"
    file = node.drives.creatable(windows)
    file.parent.mkdir(parents=True, exist_ok=True)
    started: dict[str, Any] = {
        "started": True,
        "finished": False,
        "results_file": windows,
        "ansible_job_id": jid,
        "_ansible_suppress_tmpdir_delete": True,
        "ansible_async_watchdog_pid": os.getpid(),
    }
    write_atomically(file, json.dumps(started).encode())
    job = Job(run)
    threading.Thread(target=_watch, args=(job, file, started, timeout_s), name="async watchdog", daemon=True).start()
    streams.out(json.dumps(started).encode() + b"\r\n")
    return 0


def _watch(job: Job, file: Path, started: Mapping[str, Any], timeout_s: int) -> None:
    result = {**started, "finished": True}
    try:
        result |= _result_of(job, timeout_s)
    except CommandError as failure:
        job.end()
        result |= {"failed": True, "msg": f"failure during async watchdog: {failure}"}
    write_atomically(file, json.dumps(result).encode())


def _result_of(job: Job, timeout_s: int) -> dict[str, Any]:
    chunk = job.read(limit=OUTPUT_BYTES_MAX, wait_s=timeout_s)
    if chunk is None:
        raise CommandError("timed out waiting for module completion")
    text = chunk.out.decode()
    start, end = text.find("{"), text.rfind("}")
    if start == -1:
        raise CommandError(f"No start of json char found in module result: {chunk.err.decode(errors='replace')}")
    return dict(json.loads(text[start : end + 1]))
