# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The load client proper: a new connection and request every so often, on schedule, whatever became of the others.

    python -m holdfast_lab.client.ask --url http://10.77.0.113/ --every-ms 10 --timeout-ms 2000 --out FILE

Runs in the client's network namespace until it gets SIGTERM. Open loop: a closed one would stop asking just while
nobody answers, and so hide the outage (coordinated omission).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import urlsplit

from .samples import Sample, to_line

ANSWER_BYTES_MAX = 1_000_000
PRIORITY = -10
PENDING_MAX = 2_000
"""Requests on their way at most; one more is a failure of its own kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Where to ask, and for how long to wait (seconds)."""

    address: str
    port: int
    host: str
    path: str
    tls: ssl.SSLContext | None
    timeout_s: float


class Answers:
    """Writes down what became of each request, in the order in which they ended."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.pending: set[asyncio.Task[None]] = set()

    def note(self, sample: Sample) -> None:
        """The sample is in the file."""
        self._out.write(to_line(sample))


async def keep_asking(question: Question, *, every_s: float, answers: Answers, over: asyncio.Event) -> None:
    """Requests were issued on schedule until it was over, and all have ended."""
    start_s = time.monotonic()
    number = 0
    while not over.is_set():
        due_s = start_s + number * every_s
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        if len(answers.pending) < PENDING_MAX:
            task = asyncio.create_task(ask(question, number, answers))
            answers.pending.add(task)
            task.add_done_callback(answers.pending.discard)
        else:
            now_s = time.monotonic()
            full = f"more than {PENDING_MAX} on their way"
            answers.note(Sample(number=number, start_s=now_s, end_s=now_s, status=None, node=None, error=full))
        number += 1
    await asyncio.gather(*answers.pending)


async def ask(question: Question, number: int, answers: Answers) -> None:
    """One request has ended, one way or another, and is written down."""
    start_s = time.monotonic()
    status: int | None = None
    who: Mapping[str, str] = {}
    error: str | None = None
    try:
        async with asyncio.timeout(question.timeout_s):
            status, who = await fetch(question)
    except TimeoutError:
        error = "timeout"
    except (OSError, EOFError, ValueError) as problem:
        error = type(problem).__name__
    answers.note(
        Sample(
            number=number,
            start_s=start_s,
            end_s=time.monotonic(),
            status=status,
            node=who.get("x-lab-node"),
            site=who.get("x-lab-site"),
            error=error,
        )
    )


async def fetch(question: Question) -> tuple[int, Mapping[str, str]]:
    """Status and headers of a complete answer; they name the node and the site that gave it.

    Raises:
        OSError, EOFError, ValueError: no connection, or an answer that is cut off or no HTTP.
    """
    server_name = question.host if question.tls else None
    reader, writer = await asyncio.open_connection(
        question.address, question.port, ssl=question.tls, server_hostname=server_name, limit=ANSWER_BYTES_MAX
    )
    try:
        writer.write(f"GET {question.path} HTTP/1.1\r\nHost: {question.host}\r\nConnection: close\r\n\r\n".encode())
        return await read_answer(reader)
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> tuple[int, Mapping[str, str]]:
    """Status and headers, their names in lower case, of an answer whose body came in full."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
    else:
        await reader.read(ANSWER_BYTES_MAX)
    return int(first.split()[1]), headers


def question_of(options: argparse.Namespace) -> Question:
    """What the command line asks for; for https the host of the URL is the name to be proved."""
    url = urlsplit(options.url)
    tls = ssl.create_default_context(cafile=options.ca) if url.scheme == "https" else None
    host = url.hostname or ""
    return Question(
        address=options.connect or host,
        port=url.port or (443 if tls else 80),
        host=host,
        path=url.path or "/",
        tls=tls,
        timeout_s=options.timeout_ms / 1000,
    )


async def run(options: argparse.Namespace, out: TextIO) -> None:
    """Runs until SIGTERM, then until the last request has ended."""
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    await keep_asking(question_of(options), every_s=options.every_ms / 1000, answers=Answers(out), over=over)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="ask a web site on schedule until SIGTERM")
    parser.add_argument("--url", required=True)
    parser.add_argument("--connect", help="address to connect to instead of the URL's host")
    parser.add_argument("--ca", help="file with the authority to trust, for https")
    parser.add_argument("--every-ms", type=float, default=10.0)
    parser.add_argument("--timeout-ms", type=float, default=2000.0)
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    with contextlib.suppress(PermissionError):  # the ruler must not be starved; not in a user namespace
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    with Path(options.out).open("w", encoding="utf-8", buffering=1) as out:
        asyncio.run(run(options, out))
    return 0


if __name__ == "__main__":
    sys.exit(main())
