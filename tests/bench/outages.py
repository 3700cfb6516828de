# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the failover benchmark and its goals. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from holdfast_lab.trials.episode import Episode

WHAT = {"shop": "with a shared disk", "docs": "content on own disk"}
GOALS: Mapping[tuple[str, str], float] = {
    ("power cut", "normal"): 4.0,
    ("power cut", "fast"): 2.4,
    ("site crashed", "normal"): 0.5,
    ("site crashed", "fast"): 0.5,
    ("monitor killed", "normal"): 0.0,
    ("monitor killed", "fast"): 0.0,
}
"""Fault and profile -> seconds without service at the most, in every run and for every site."""

ELSEWHERE = (
    "Others, measured the same way on 2 cores: keepalived 3.2 s after a power cut, pacemaker 6.9 s; with a web server",
    "killed 1.4 s and 7.6 s; double service in a partition or a freeze 8 s and 11.6 s.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All runs of one fault."""

    name: str
    episodes: tuple[Episode, ...]

    def without_s(self, tag: str) -> list[float]:
        """Seconds without service of this site, per run, until it was back."""
        return [episode.fault.without_s[tag] for episode in self.episodes]

    @property
    def not_back(self) -> int:
        """Runs in which service did not come back by itself in time."""
        return sum(not episode.back for episode in self.episodes)


def table(profile: str, rows: Sequence[Row]) -> list[str]:
    """One line per fault and site: seconds without service as clients saw it, and of double service."""
    head = f"{f'profile {profile}':<18} {'site':<21} {'runs':>4} {'min':>7} {'median':>7} {'max':>7}"
    lines = [f"{head}   {'healing':>7} {'double':>7} {'thaw':>7}  not back"]
    for row in rows:
        for number, (tag, what) in enumerate(WHAT.items()):
            seen = row.without_s(tag)
            healing_s = max((episode.healing.without_s[tag] for episode in row.episodes), default=0.0)
            figures = f"{min(seen):>7.2f} {statistics.median(seen):>7.2f} {max(seen):>7.2f}   {healing_s:>7.2f}"
            double = f"{sum(e.double_s for e in row.episodes):>7.3f} {max(e.thaw_s for e in row.episodes):>7.3f}"
            rest = f" {double}  {row.not_back or '-':>8}" if number == 0 else ""
            lines.append(f"{row.name if number == 0 else '':<18} {what:<21} {len(seen):>4} {figures}{rest}")
    stall_s = max((e.fault.stall_s for row in rows for e in row.episodes), default=0.0)
    return [
        *lines,
        "Seconds. healing: without service while the fault was undone, longest; double: an address or the disk on two",
        "nodes, all runs together; thaw: the same in the instant after a paused node went on, longest.",
        f"The client's own longest stall: {stall_s * 1000:.0f} ms; it counts as outage where it lies in one.",
    ]


def goals(profile: str, rows: Sequence[Row]) -> list[str]:
    """Which goals were reached, and by how much not."""
    lines = []
    for row in rows:
        if (goal_s := GOALS.get((row.name, profile))) is not None:
            worst_s = max(max(row.without_s(tag)) for tag in WHAT)
            said = "reached" if worst_s <= goal_s + 0.0005 and not row.not_back else "MISSED"
            lines.append(f"Goal: {row.name}, {profile}: at most {goal_s:g} s: {said} (longest {worst_s:.2f} s)")
    double_s = sum(episode.double_s for row in rows for episode in row.episodes)
    disk_s = sum(episode.thaw_disk_s for row in rows for episode in row.episodes)
    lines.append(f"Goal: no double service: {'reached' if not double_s else f'MISSED ({double_s:.3f} s)'}")
    lines.append(f"After a thaw the disk was on two nodes for {disk_s:.3f} s (the reservation is to make it 0).")
    return [*lines, *ELSEWHERE]


def as_data(row: Row) -> dict[str, Any]:
    """Everything of the row, fit for JSON."""
    return asdict(row)
