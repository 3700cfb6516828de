# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands run on the lab's machines from outside: at once, or in the background until stopped."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from pathlib import Path

from . import namespaces

OUTPUT_BYTES_MAX = 4_000_000
STOP_GRACE_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command left; code is None when it ran into its time limit and was killed."""

    code: int | None
    out: str
    err: str


async def run(command: list[str], *, stdin: str, timeout_s: float) -> Outcome:
    """The command has ended, by itself or because its time was over."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, err = await asyncio.wait_for(process.communicate(stdin.encode()), timeout_s)
    except TimeoutError:
        await stop(process, number=signal.SIGKILL)
        return Outcome(code=None, out="", err=f"killed after {timeout_s} s")
    texts = [part[:OUTPUT_BYTES_MAX].decode(errors="replace") for part in (out, err)]
    return Outcome(code=process.returncode, out=texts[0], err=texts[1])


async def start(command: list[str], *, log: Path) -> asyncio.subprocess.Process:
    """The command runs in the background; what it writes is appended to the log."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output
        )


async def stop(process: asyncio.subprocess.Process, *, number: signal.Signals = signal.SIGTERM) -> int:
    """The command has ended; its exit code.

    `nsenter` stays behind as the parent of the command and must end by itself, or the code would be lost:
    so the signal goes to its children, and only what outlives the grace is killed.
    """
    if process.returncode is None:
        _signal(process.pid, signal.SIGCONT)  # nsenter stops itself with its command and would not notice its end
        for pid in namespaces.children_of(process.pid) or [process.pid]:
            _signal(pid, number)
        try:
            await asyncio.wait_for(process.wait(), STOP_GRACE_S)
        except TimeoutError:
            for pid in (*namespaces.children_of(process.pid), process.pid):
                _signal(pid, signal.SIGKILL)
    return await process.wait()


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
