# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From records to intervals, and from intervals to the number that must be zero. Pure.

The rule: a pause of a machine is taken out of what it held, for a paused machine answers nobody; everything else
counts in full, to the disadvantage of what is being tested.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Literal

from .records import Record

Held = Literal["address", "disk"]
INSTANT_S = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """The holder had the subject from start_s to end_s (monotonic seconds)."""

    subject: str
    holder: str
    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """How long."""
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two holders had the same subject at the same time."""

    subject: str
    holders: tuple[str, str]
    start_s: float
    end_s: float

    @property
    def seconds(self) -> float:
        """How long."""
        return self.end_s - self.start_s


def held(records: Sequence[Record], kind: Held, *, end_s: float) -> list[Interval]:
    """Who held each address or disk when, with the pauses of machines taken out, ordered by start.

    What is still held at the end of the records ends at end_s.
    """
    whole = _presence(((r.subject, r.holder, r) for r in records if r.kind == kind), end_s=end_s)
    pauses = _pauses(records, end_s=end_s)
    parts = [part for interval in whole for part in subtract(interval, pauses.get(interval.holder, []))]
    return sorted(parts, key=lambda part: (part.start_s, part.subject, part.holder))


def answered(records: Sequence[Record], *, gap_s: float) -> list[Interval]:
    """Who answered ARP for each address when: answers no further apart than gap_s are one interval."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for record in records:
        if record.kind == "arp" and record.source == "answer":
            times[record.subject, record.holder].append(record.t_s)
    intervals = []
    for (subject, holder), seen in times.items():
        start_s = last_s = seen[0]
        for t_s in seen[1:]:
            if t_s - last_s > gap_s:
                intervals.append(Interval(subject=subject, holder=holder, start_s=start_s, end_s=last_s))
                start_s = t_s
            last_s = t_s
        intervals.append(Interval(subject=subject, holder=holder, start_s=start_s, end_s=last_s))
    return sorted(intervals, key=lambda interval: (interval.start_s, interval.subject))


def double_answers(records: Iterable[Record]) -> list[tuple[str, int, tuple[str, ...]]]:
    """Questions that more than one machine answered: address, number of the question, who."""
    who: dict[tuple[str, int], set[str]] = defaultdict(set)
    for record in records:
        if record.kind == "arp" and record.source == "answer":
            who[record.subject, record.ask].add(record.holder)
    return [(subject, ask, tuple(sorted(holders))) for (subject, ask), holders in who.items() if len(holders) > 1]


def overlaps(intervals: Sequence[Interval]) -> list[Overlap]:
    """Every time that two holders had one subject; touching ends are no overlap."""
    found = []
    for one, other in combinations(intervals, 2):
        start_s, end_s = max(one.start_s, other.start_s), min(one.end_s, other.end_s)
        if one.subject == other.subject and one.holder != other.holder and start_s < end_s:
            holders = (one.holder, other.holder)
            found.append(Overlap(subject=one.subject, holders=holders, start_s=start_s, end_s=end_s))
    return sorted(found, key=lambda overlap: overlap.start_s)


def double_service_s(intervals: Sequence[Interval]) -> float:
    """Seconds during which some subject was held twice; the promise is zero."""
    return sum(overlap.seconds for overlap in overlaps(intervals))


def together_s(found: Iterable[Overlap]) -> float:
    """Seconds in which there was any of these overlaps, however many at once."""
    total_s, until_s = 0.0, float("-inf")
    for overlap in sorted(found, key=lambda overlap: overlap.start_s):
        total_s += max(0.0, overlap.end_s - max(overlap.start_s, until_s))
        until_s = max(until_s, overlap.end_s)
    return total_s


def thaws(records: Iterable[Record]) -> list[tuple[str, float]]:
    """Which machine went on after a pause, and when."""
    return [(r.holder, r.t_s) for r in records if r.kind == "machine" and r.present]


def after_thaw(overlap: Overlap, thawed: Iterable[tuple[str, float]]) -> bool:
    """Whether it began in the instant in which one of the two went on after a pause."""
    return any(who in overlap.holders and abs(overlap.start_s - t_s) < INSTANT_S for who, t_s in thawed)


def holders_at(intervals: Iterable[Interval], *, subject: str, t_s: float) -> set[str]:
    """Who held the subject at this moment."""
    return {i.holder for i in intervals if i.subject == subject and i.start_s <= t_s <= i.end_s}


def handovers(intervals: Sequence[Interval], *, subject: str) -> list[tuple[float, float]]:
    """When the subject left one holder and when the next one had it, for each change of holder in order."""
    ordered = sorted((i for i in intervals if i.subject == subject), key=lambda i: i.start_s)
    return [(one.end_s, other.start_s) for one, other in pairwise(ordered) if one.holder != other.holder]


def subtract(interval: Interval, pauses: Sequence[tuple[float, float]]) -> list[Interval]:
    """What is left of the interval without the pauses, which are ordered and do not overlap."""
    parts, start_s = [], interval.start_s
    for pause_start_s, pause_end_s in pauses:
        if pause_end_s <= start_s or pause_start_s >= interval.end_s:
            continue
        if pause_start_s > start_s:
            parts.append((start_s, pause_start_s))
        start_s = pause_end_s
    if start_s < interval.end_s:
        parts.append((start_s, interval.end_s))
    return [Interval(subject=interval.subject, holder=interval.holder, start_s=a, end_s=b) for a, b in parts]


def _presence(seen: Iterable[tuple[str, str, Record]], *, end_s: float) -> list[Interval]:
    since: dict[tuple[str, str], float] = {}
    intervals = []
    for subject, holder, record in seen:
        if record.present:
            since.setdefault((subject, holder), record.t_s)
        elif (start_s := since.pop((subject, holder), None)) is not None:
            intervals.append(Interval(subject=subject, holder=holder, start_s=start_s, end_s=record.t_s))
    for (subject, holder), start_s in since.items():
        intervals.append(Interval(subject=subject, holder=holder, start_s=start_s, end_s=end_s))
    return intervals


def _pauses(records: Iterable[Record], *, end_s: float) -> dict[str, list[tuple[float, float]]]:
    pauses: dict[str, list[tuple[float, float]]] = defaultdict(list)
    since: dict[str, float] = {}
    for record in records:
        if record.kind != "machine":
            continue
        if not record.present:
            since.setdefault(record.holder, record.t_s)
        elif (start_s := since.pop(record.holder, None)) is not None:
            pauses[record.holder].append((start_s, record.t_s))
    for holder, start_s in since.items():
        pauses[holder].append((start_s, end_s))
    return pauses
