# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of the load client's requests, and what a person wants to know of them. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One request: when it was really begun and when it ended (monotonic seconds), and what came of it."""

    number: int
    start_s: float
    end_s: float
    status: int | None
    """HTTP status; None when no complete answer came."""

    node: str | None
    """Who answered, as the answer itself says."""

    error: str | None
    """Why there was no answer: the name of an error, or "timeout"."""

    site: str | None = None
    """The site that answered, as the answer itself says."""

    @property
    def ok(self) -> bool:
        """Whether a person would have seen the page."""
        return self.status is not None and self.status < 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """One node answered every answered request in a row, of those that started from start_s to end_s."""

    node: str
    start_s: float
    end_s: float
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the client saw."""

    requests: int
    failures: int
    errors: dict[str, int]
    longest_outage_ms: float
    """The longest time without a request that succeeded, beyond the pause between two requests."""

    outage_start_s: float | None
    """When it began (start of the last good request before it); None without any outage."""

    slowest_ms: float
    """The longest that a request that succeeded took."""

    longest_silence_ms: float
    """The longest time in which the client itself began no request, beyond the pause between two: its own stall.

    An outage shorter than this may have gone unseen, and one beside it looks longer than it was.
    """

    spells: tuple[Spell, ...]


def summarise(samples: Sequence[Sample], *, every_s: float) -> Summary:
    """The summary of requests issued every every_s seconds, in the order in which they were due.

    The outage is measured by start times: a request that was due in it and succeeded late still proves that
    nobody was turned away, and its lateness shows in slowest_ms.
    """
    ordered = sorted(samples, key=lambda sample: sample.start_s)
    good = [sample for sample in ordered if sample.ok]
    gap_s, since_s = longest_gap(ordered)
    outage_s = max(0.0, gap_s - every_s) if len(good) < len(ordered) else 0.0
    return Summary(
        requests=len(ordered),
        failures=len(ordered) - len(good),
        errors=dict(Counter(sample.error or f"HTTP {sample.status}" for sample in ordered if not sample.ok)),
        longest_outage_ms=outage_s * 1000,
        outage_start_s=since_s if outage_s > 0 else None,
        slowest_ms=max(((sample.end_s - sample.start_s) * 1000 for sample in good), default=0.0),
        longest_silence_ms=longest_silence_s(ordered, every_s=every_s) * 1000,
        spells=tuple(spells(good)),
    )


def longest_gap(ordered: Sequence[Sample]) -> tuple[float, float | None]:
    """The longest time between the starts of two good requests in a row, and when it began.

    The first and the last request bound it: when none succeeded, it is the whole time.
    """
    if not ordered:
        return 0.0, None
    marks = [ordered[0].start_s, *(sample.start_s for sample in ordered if sample.ok), ordered[-1].start_s]
    pairs = [(later - earlier, earlier) for earlier, later in pairwise(marks)]
    return max(pairs, key=lambda pair: pair[0])


def missing_s(samples: Iterable[Sample], *, every_s: float) -> float:
    """Seconds without service, all together: from the last good request before each failure to the next good one.

    The pause between two requests is taken off each; the first and the last request bound the whole.
    """
    ordered = sorted(samples, key=lambda sample: sample.start_s)
    missing, last_good_s, failed = 0.0, ordered[0].start_s if ordered else 0.0, False
    for sample in ordered:
        if not sample.ok:
            failed = True
            continue
        missing += max(0.0, sample.start_s - last_good_s - every_s) if failed else 0.0
        last_good_s, failed = sample.start_s, False
    return missing + (ordered[-1].start_s - last_good_s if failed else 0.0)


def longest_silence_s(ordered: Sequence[Sample], *, every_s: float) -> float:
    """The longest time between the starts of two requests in a row, whatever came of them, beyond every_s."""
    gaps = (later.start_s - earlier.start_s for earlier, later in pairwise(ordered))
    return max(0.0, max(gaps, default=0.0) - every_s)


def spells(good: Iterable[Sample]) -> list[Spell]:
    """Who answered when, in order of the requests' starts."""
    found: list[Spell] = []
    for sample in good:
        node = sample.node or "?"
        if found and found[-1].node == node:
            last = found[-1]
            found[-1] = Spell(node=node, start_s=last.start_s, end_s=sample.start_s, requests=last.requests + 1)
        else:
            found.append(Spell(node=node, start_s=sample.start_s, end_s=sample.start_s, requests=1))
    return found


def to_line(sample: Sample) -> str:
    """The sample as one line of JSON, with its end of line."""
    return json.dumps(asdict(sample), separators=(",", ":")) + "\n"


def from_lines(lines: Iterable[str]) -> list[Sample]:
    """The samples of a file; an unfinished last line is left out."""
    return [Sample(**json.loads(line)) for line in lines if line.endswith("\n")]
