# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load on a running lab for the time of a block, and what the client saw."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..world.remote import Lab, LabError
from .samples import Sample, Summary, from_lines, summarise

FIRST_ANSWER_TIMEOUT_S = 10.0


@dataclass(slots=True, kw_only=True)
class Load:
    """The requests of one block; the samples are there when it has ended, or after `read`."""

    out: Path
    every_ms: float
    samples: list[Sample] = field(default_factory=list)
    _offset: int = 0

    def read(self) -> list[Sample]:
        """The requests that have ended up to now."""
        try:
            with self.out.open("rb") as lines:
                lines.seek(self._offset)
                data = lines.read()
        except FileNotFoundError:
            return self.samples
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        self.samples += from_lines(whole.decode().splitlines(keepends=True))
        return self.samples

    @property
    def summary(self) -> Summary:
        """What the client saw in all."""
        return summarise(self.samples, every_s=self.every_ms / 1000)

    def between(self, start_s: float, end_s: float) -> Summary:
        """What the client saw of the requests that started in this time (monotonic seconds)."""
        inside = [sample for sample in self.samples if start_s <= sample.start_s <= end_s]
        return summarise(inside, every_s=self.every_ms / 1000)


@contextmanager
def load(
    lab: Lab,
    url: str,
    *,
    every_ms: float = 10.0,
    timeout_ms: float = 2000.0,
    connect: str | None = None,
    ca: Path | None = None,
) -> Iterator[Load]:
    """The client asks for the URL every so often for the time of the block; it asks already when the block begins.

    Raises:
        LabError: the client did not start.
    """
    name = f"load-{uuid.uuid4().hex[:8]}"
    out = lab.places.logs / f"{name}.jsonl"
    python = "python"  # first on the PATH of the lab's machines
    command = [python, "-m", "holdfast_lab.client.ask", "--url", url, "--out", str(out)]
    command += ["--every-ms", str(every_ms), "--timeout-ms", str(timeout_ms)]
    command += ["--connect", connect] if connect else []
    command += ["--ca", str(ca)] if ca else []
    lab.start(name, "client", command)
    asked = Load(out=out, every_ms=every_ms)
    try:
        wait_for_first(asked, timeout_ms)
        yield asked
    finally:
        lab.stop(name)
        asked.read()


def wait_for_first(asked: Load, timeout_ms: float) -> None:
    """A first request has ended, well or badly: from now on the client asks on schedule."""
    deadline_s = time.monotonic() + FIRST_ANSWER_TIMEOUT_S + timeout_ms / 1000
    while not asked.read():
        if time.monotonic() > deadline_s:
            raise LabError(f"the load client did not start; see {asked.out.with_suffix('.log')}")
        time.sleep(0.02)
