# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark's table. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

GOAL_RATIO = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Outages in milliseconds that a client saw, one per move."""

    name: str
    outages_ms: tuple[float, ...]

    @property
    def median_ms(self) -> float:
        """The middle one."""
        return statistics.median(self.outages_ms)


def table(floor: Row, rows: Sequence[Row]) -> list[str]:
    """Minimum, median and maximum of each row, and the ratio of its median to the floor's."""
    lines = [f"{'':<34} {'moves':>5} {'min':>8} {'median':>8} {'max':>8}   {'x floor':>7}"]
    for row in (floor, *rows):
        ratio = row.median_ms / floor.median_ms if floor.median_ms > 0 else float("inf")
        lines.append(
            f"{row.name:<34} {len(row.outages_ms):>5} {min(row.outages_ms):>8.1f} {row.median_ms:>8.1f} "
            f"{max(row.outages_ms):>8.1f}   {ratio:>7.2f}"
        )
    return lines


def phase_table(moves: Sequence[Mapping[str, object]]) -> list[str]:
    """The median time of each phase over these moves (elements of the monitor's answer), in order of appearance."""
    times: dict[tuple[str, str], list[float]] = {}
    for move in moves:
        phases = move.get("phases")
        for phase in phases if isinstance(phases, list) else []:
            key = (str(phase["name"]), str(phase.get("resource") or ""))
            times.setdefault(key, []).append(float(phase["seconds"]) * 1000)
    return [f"  {' '.join(key).strip():<40} {statistics.median(seen):>8.1f} ms" for key, seen in times.items()]


def verdict(floor: Row, local: Row) -> str:
    """Whether the goal for content on each node's own disk was reached, with the numbers."""
    ratio = local.median_ms / floor.median_ms if floor.median_ms > 0 else float("inf")
    said = "reached" if ratio <= GOAL_RATIO else "MISSED"
    return f"Goal: a site on each node's own disk within {GOAL_RATIO:g}x the floor: {said} ({ratio:.2f}x)."
