# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an oracle writes down: one record per thing seen, as values and as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

Kind = Literal["address", "disk", "arp", "machine", "trouble"]
"""address: configured on a machine; disk: a machine's way to its files; arp: an answer for an address;
machine: frozen (present = False) or going on; trouble: the oracle may have missed something."""

Source = Literal["event", "sample", "answer", "announcement", "world"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """At t_s (monotonic seconds of the host) the holder was seen to have the subject, or no longer to have it."""

    t_s: float
    kind: Kind
    subject: str
    holder: str
    present: bool
    source: Source
    ask: int = 0
    """Number of the question that an ARP answer followed; 0 for everything else."""


def to_line(record: Record) -> str:
    """The record as one line of JSON, with its end of line."""
    return json.dumps(asdict(record), separators=(",", ":")) + "\n"


def from_lines(lines: Iterable[str]) -> list[Record]:
    """The records of a file, in the order in which they were seen."""
    return [Record(**json.loads(line)) for line in lines if line.strip()]
