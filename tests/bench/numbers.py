# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The benchmark's table, and when its numbers may be believed. Pure.

The rule: a move during which the client itself stalled says nothing, for the outage may lie inside the stall or be
lengthened by it. Such moves are counted and shown, never dropped in silence: a stall can be caused by the very move
that is measured, so too many of them, or a floor that drifts, mean that there is no verdict.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from holdfast_lab.client.load import Load
from holdfast_lab.client.samples import Summary

GOAL_RATIO = 3.0
SILENCE_MS_MAX = 4.0
"""The client's own stall above which a move is spoiled; below it the error is small beside an outage that matters."""

FAIR_MOVES_MIN = 10
SPOILED_SHARE_MAX = 0.25
FLOOR_DRIFT_MAX = 1.5
"""Ratio of the floor's medians before and after, above which the machine was too unsteady to compare on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Outages in milliseconds that a client saw, one per move that could be measured, and how many could not."""

    name: str
    outages_ms: tuple[float, ...]
    spoiled: int = 0

    @property
    def median_ms(self) -> float:
        """The middle one; not a number without any."""
        return statistics.median(self.outages_ms) if self.outages_ms else float("nan")


MARGIN_S = 0.025
"""Looked at before and after a hand-over for a stall of the client; the same for the floor and for Holdfast."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What the client saw around a move, and during the hand-over (where its own silence matters)."""

    around: Summary
    during: Summary


def look(asked: Load, handover: tuple[float, float], *, reach_s: float) -> Move:
    """A move judged by when its address left and came, as an oracle saw it: neither the script nor the monitor says.

    Its outage is looked for up to reach_s on each side; the client must have been awake from before the address left
    or the outage began until after the address came and the outage ended.
    """
    left_s, came_s = handover
    around = asked.between(left_s - reach_s, came_s + reach_s)
    begin_s = left_s if around.outage_start_s is None else min(left_s, around.outage_start_s)
    end_s = max(came_s, begin_s + around.longest_outage_ms / 1000)
    return Move(around=around, during=asked.between(begin_s - MARGIN_S, end_s + MARGIN_S))


def row(name: str, moves: Sequence[Move]) -> Row:
    """The row of these moves, those without a fair look at them only counted."""
    fair = [move for move in moves if move.during.longest_silence_ms <= SILENCE_MS_MAX]
    outages_ms = tuple(move.around.longest_outage_ms for move in fair)
    return Row(name=name, outages_ms=outages_ms, spoiled=len(moves) - len(fair))


def together(name: str, before: Row, after: Row) -> Row:
    """Both parts of the floor as one row."""
    outages_ms = (*before.outages_ms, *after.outages_ms)
    return Row(name=name, outages_ms=outages_ms, spoiled=before.spoiled + after.spoiled)


def table(floor: Row, rows: Sequence[Row]) -> list[str]:
    """Minimum, median and maximum of each row, the moves that could not be measured, and the ratio to the floor."""
    lines = [f"{'':<28} {'moves':>5} {'spoiled':>7} {'min':>8} {'median':>8} {'max':>8}   {'x floor':>7}"]
    for one in (floor, *rows):
        counts = f"{one.name:<28} {len(one.outages_ms):>5} {one.spoiled:>7}"
        if not one.outages_ms:
            lines.append(f"{counts} {'-':>8} {'-':>8} {'-':>8}   {'-':>7}")
            continue
        numbers = f"{min(one.outages_ms):>8.1f} {one.median_ms:>8.1f} {max(one.outages_ms):>8.1f}"
        lines.append(f"{counts} {numbers}   {ratio_text(one, floor):>7}")
    return lines


def ratio_text(one: Row, floor: Row) -> str:
    """The ratio of the medians, a dash when there is none."""
    return f"{one.median_ms / floor.median_ms:.2f}" if floor.median_ms > 0 else "-"


def phase_table(moves: Sequence[Mapping[str, object]]) -> list[str]:
    """The median time of each phase over these moves (elements of the monitor's answer), in order of appearance."""
    times: dict[tuple[str, str], list[float]] = {}
    for move in moves:
        phases = move.get("phases")
        for phase in phases if isinstance(phases, list) else []:
            key = (str(phase["name"]), str(phase.get("resource") or ""))
            times.setdefault(key, []).append(float(phase["seconds"]) * 1000)
    return [f"  {' '.join(key).strip():<40} {statistics.median(seen):>8.1f} ms" for key, seen in times.items()]


def doubts(before: Row, after: Row, rows: Sequence[Row]) -> list[str]:
    """Why these numbers cannot be compared; empty when they can."""
    found = []
    for one in (together("floor", before, after), *rows):
        whole = len(one.outages_ms) + one.spoiled
        if len(one.outages_ms) < FAIR_MOVES_MIN:
            found.append(f"{one.name}: {len(one.outages_ms)} moves could be measured, {FAIR_MOVES_MIN} are needed")
        elif one.spoiled > SPOILED_SHARE_MAX * whole:
            found.append(f"{one.name}: the client itself stalled in {one.spoiled} of {whole} moves")
    if before.outages_ms and after.outages_ms:
        low, high = sorted((before.median_ms, after.median_ms))
        if low <= 0 or high / low > FLOOR_DRIFT_MAX:
            found.append(f"the floor drifted: median {before.median_ms:.1f} ms before, {after.median_ms:.1f} ms after")
    return found


def verdict(floor: Row, local: Row, reasons: Sequence[str]) -> list[str]:
    """Whether the goal for content on each node's own disk was reached, or why that cannot be said."""
    goal = f"Goal: a site on each node's own disk within {GOAL_RATIO:g}x the floor"
    if reasons:
        return [f"{goal}: NO VERDICT, run it on a quiet machine.", *(f"  {reason}" for reason in reasons)]
    said = "reached" if local.median_ms <= GOAL_RATIO * floor.median_ms else "MISSED"
    return [f"{goal}: {said} ({ratio_text(local, floor)}x)."]
