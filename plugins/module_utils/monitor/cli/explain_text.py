# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Why a group is where it is and what would happen if a node died, as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .move_text import history_lines
from .status_text import STATE_COLOURS, settings_text
from .table import Cell, Paint, seconds, table


def explain_lines(data: Mapping[str, Any], paint: Paint) -> list[str]:
    """The whole explanation, the answer to the question first."""
    return [
        _heading(data, paint),
        "",
        paint(f"WHY IT IS {'THERE' if data['holder'] else 'NOWHERE'}", "bold"),
        *table([[Cell(link["text"]), Cell(link["rule"], "dim")] for link in data["why"]], paint),
        "",
        paint("IF THIS DIED NOW", "bold"),
        *_prospects(data["if"], paint),
        *_settings(data, paint),
        *_candidates(data["candidates"], paint),
        *_records(data.get("records") or (), paint),
    ]


def _heading(data: Mapping[str, Any], paint: Paint) -> str:
    place = f" on {data['holder']}" if data["holder"] else ""
    since = f" for {seconds(data['since_s'])}" if data.get("since_s") is not None else ""
    state = paint(data["state"].replace("_", " "), STATE_COLOURS.get(data["state"], "plain"))
    seen = paint(f"  epoch {data['epoch']}, seen from {data['seen_from']}", "dim")
    return f"{paint('GROUP ' + data['group'], 'bold')}  {state}{place}{since}{seen}"


def _settings(data: Mapping[str, Any], paint: Paint) -> list[str]:
    own = settings_text(data)
    return ["", paint(f"It has {own}", "dim")] if own else []


def _prospects(prospects: Sequence[Mapping[str, Any]], paint: Paint) -> list[str]:
    rows = [
        [
            Cell(prospect["dies"], "bold"),
            Cell(prospect["text"], "bad" if prospect["down"] else "plain"),
            Cell(prospect["rule"], "dim"),
        ]
        for prospect in prospects
    ]
    return table(rows, paint)


def _candidates(candidates: Sequence[Mapping[str, Any]], paint: Paint) -> list[str]:
    rows = [
        [
            Cell(candidate["node"], "bold"),
            Cell(f"priority {candidate['priority']}", "dim"),
            Cell(candidate["why_not"] or "ready for it", "warn" if candidate["why_not"] else "good"),
            Cell(f"for {seconds(candidate['seconds_left'])}" if candidate["seconds_left"] else "", "dim"),
        ]
        for candidate in candidates
    ]
    return ["", paint("WHO COULD HAVE IT NEXT", "bold"), *table(rows, paint)] if rows else []


def _records(records: Sequence[Mapping[str, Any]], paint: Paint) -> list[str]:
    if not records:
        return []
    return ["", paint("WHAT HAPPENED TO IT LAST, ON THIS NODE", "bold"), *history_lines(records, paint, indent=2)]
