# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""``$input | & 'program' 'argument'; exit $LASTEXITCODE``: a native program run by Windows PowerShell 5.1.

What PowerShell does to the data is done here too, so that a caller that relies on less finds out in the lab:
input goes to the program line by line, each ended by CR LF, with every character that is not ASCII replaced by
``?`` and a byte order mark in front; arguments that 5.1 would mangle (empty, or with a double quote) are refused.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from ..job import CommandError, Streams
from ..node import Node
from ..programs import ProgramMissingError, ProgramUnknownError, kill_group
from . import clixml

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
READ_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call. ``keeps_code``: the program's exit code becomes that of powershell.exe."""

    program: str
    arguments: tuple[str, ...]
    takes_input: bool
    keeps_code: bool


def run_call(call: Call, streams: Streams, node: Node) -> int:
    """The program has run with the job's input; its output and exit code are the job's."""
    for argument in call.arguments:
        if not argument or '"' in argument:
            raise CommandError(
                f"Windows PowerShell 5.1 does not pass the argument {argument!r} on unharmed; send it on stdin"
            )
    data = piped_text(streams.read_all()) if call.takes_input else b""
    try:
        process = node.launcher.start(call.program, call.arguments, streams=True)
    except ProgramMissingError:
        streams.err(clixml.error(clixml.command_not_found(call.program)))
        return 0 if call.keeps_code else 1  # $LASTEXITCODE is $null, and "exit $null" is 0
    except ProgramUnknownError as error:
        raise CommandError(str(error)) from error
    code = pump(process, data, streams)
    return code if call.keeps_code else int(code != 0)


def piped_text(data: bytes) -> bytes:
    """What a native program reads from ``$input |`` when powershell.exe was given these bytes."""
    if not data:
        return b""
    text = data.decode("utf-8", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    lines = text.removesuffix("\n").split("\n")
    return BYTE_ORDER_MARK + b"".join(line.encode("ascii", errors="replace") + b"\r\n" for line in lines)


def pump(process: subprocess.Popen[bytes], data: bytes, streams: Streams) -> int:
    """The process has been given the data and is over; its output is the job's. Ending the job kills it."""
    streams.when_ended(lambda: kill_group(process))
    readers = [
        _reader(process.stdout, streams.out),
        _reader(process.stderr, streams.err),
    ]
    if process.stdin is not None:
        with contextlib.suppress(BrokenPipeError), process.stdin:
            process.stdin.write(data)
    code = process.wait()
    for reader in readers:
        reader.join()
    return code if code >= 0 else 1


def _reader(pipe: IO[bytes] | None, take: Callable[[bytes], None]) -> threading.Thread:
    def read() -> None:
        if pipe is None:
            return
        with pipe:
            while data := os.read(pipe.fileno(), READ_BYTES):
                take(data)

    thread = threading.Thread(target=read, name="output", daemon=True)
    thread.start()
    return thread
