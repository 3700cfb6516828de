# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching a running lab for the time of a block, and what was seen."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..world.remote import Lab
from ..world.topology import LAN, STRANGER, default_topology
from . import intervals
from .records import Record, from_lines

SAMPLE_MS = 5
ASK_MS = 20
GAP_QUESTIONS = 4
"""ARP answers further apart than this many questions are two intervals."""


@dataclass(slots=True, kw_only=True)
class Recording:
    """What the oracles saw between start_s and end_s (monotonic seconds); complete when the block has ended."""

    start_s: float
    out: Path
    end_s: float = 0.0
    records: list[Record] = field(default_factory=list)
    _offset: int = 0

    def read(self) -> None:
        """What was seen up to now is in the records, and end_s is now."""
        with self.out.open("rb") as lines:
            lines.seek(self._offset)
            data = lines.read()
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        self.end_s = time.monotonic()
        self.records += from_lines(whole.decode().splitlines())

    def addresses(self) -> list[intervals.Interval]:
        """Who had which address configured when."""
        return intervals.held(self.records, "address", end_s=self.end_s)

    def disks(self) -> list[intervals.Interval]:
        """Who had a way to which disk when."""
        return intervals.held(self.records, "disk", end_s=self.end_s)

    def answers(self) -> list[intervals.Interval]:
        """Who answered ARP for which address when."""
        return intervals.answered(self.records, gap_s=GAP_QUESTIONS * ASK_MS / 1000)

    def faults(self) -> list[str]:
        """Every violation of "never on two nodes at once", in words; empty when the promise was kept."""
        found = []
        for what, held in (("address", self.addresses()), ("disk", self.disks())):
            for overlap in intervals.overlaps(held):
                who = " and ".join(overlap.holders)
                at = f"{overlap.start_s - self.start_s:.4f} s after the start"
                found.append(f"{what} {overlap.subject} on {who} for {overlap.seconds * 1000:.2f} ms, {at}")
        for address, ask, who_answered in intervals.double_answers(self.records):
            found.append(f"ARP question {ask} for {address} was answered by {' and '.join(who_answered)}")
        found.extend(
            f"the oracle lost events at {record.t_s - self.start_s:.4f} s"
            for record in self.records
            if record.kind == "trouble"
        )
        return found


@contextmanager
def recording(lab: Lab, *, addresses: Sequence[str], disks: Sequence[str] = ()) -> Iterator[Recording]:
    """The oracles watch these addresses and disks (by id) for the time of the block."""
    name = f"oracle-{uuid.uuid4().hex[:8]}"
    out = lab.places.logs / f"{name}.jsonl"
    lab.ask("watch", name=name, orders=orders(lab, out, addresses, disks))
    result = Recording(start_s=time.monotonic(), out=out)
    try:
        yield result
    finally:
        end_s = time.monotonic()
        lab.ask("unwatch", name=name)
        result.read()
        result.end_s = end_s


def orders(lab: Lab, out: Path, addresses: Sequence[str], disks: Sequence[str]) -> dict[str, object]:
    """What the watching process needs to know."""
    topology = default_topology(**lab.status()["topology"])
    machines = (*topology.machines, STRANGER)
    client = next(machine for machine in machines if machine.role == "client")
    return {
        "out": str(out),
        "addresses": list(addresses),
        "disks": {disk: str(lab.places.disk(disk) / "paths") for disk in disks},
        "hosts": {str(machine.host): machine.name for machine in machines},
        "macs": {machine.mac(LAN): machine.name for machine in machines},
        "client": {
            "name": client.name,
            "interface": LAN.alias,
            "mac": client.mac(LAN),
            "address": LAN.address(client.host),
        },
        "sample_ms": SAMPLE_MS,
        "ask_ms": ASK_MS,
    }
