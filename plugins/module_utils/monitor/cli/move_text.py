# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Moves, stops, plans, refusals and history as text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .table import Cell, Paint, seconds, table


def move_lines(moves: Sequence[Mapping[str, Any]], paint: Paint) -> list[str]:
    """What became of each group, with the phases of its move."""
    lines = []
    for move in moves:
        where = f"on {move['to']}" if move["to"] else "nowhere"
        if move["outcome"] == "unchanged":
            lines.append(f"{move['group']} is {where} already; nothing was done")
            continue
        came = f", came from {move['from']}" if move["from"] and move["from"] != move["to"] else ""
        outage = f"; clients waited {seconds(move['outage_s'])}" if move.get("outage_s") else ""
        lines.append(paint(f"{move['group']} is in service {where}{came}{outage}", "good"))
        lines += _phases(move.get("phases") or (), paint)
    return lines or ["nothing was to be done"]


def stop_lines(stops: Sequence[Mapping[str, Any]], paint: Paint) -> list[str]:
    """What was taken out of service."""
    lines = []
    for stop in stops:
        tags = ", ".join(stop["tags"])
        if stop["outcome"] == "unchanged":
            lines.append(f"{tags} is out of service already; nothing was done")
        else:
            lines.append(paint(f"{tags} is out of service, and stays so until it is brought in again", "good"))
            lines += _phases(stop.get("phases") or (), paint)
    return lines or ["nothing was to be done"]


def plan_lines(plan: Mapping[str, Any], paint: Paint) -> list[str]:
    """What a move would do, or what stands against it."""
    if plan["from"] == plan["to"] and plan["allowed"] and not plan["phases"]:
        return [f"{plan['group']} is on {plan['to']} already; nothing would be done"]
    origin = plan["from"] or "nowhere"
    verdict = paint("possible", "good") if plan["allowed"] else paint("NOT POSSIBLE", "bad")
    lines = [f"Moving {plan['group']} ({', '.join(plan['tags'])}) from {origin} to {plan['to']}: {verdict}"]
    if plan["dragged"]:
        lines.append(f"It takes along: {', '.join(plan['dragged'])}")
    rows = [
        [Cell(phase["name"]), Cell(phase["resource"]), Cell(phase["node"], "dim"), Cell(_expected(phase), "dim")]
        for phase in plan["phases"]
    ]
    if rows:
        lines += ["", *table(rows, paint, head=("phase", "resource", "node", "took last time"))]
    return lines + problem_lines(plan["problems"], paint)


def refusal_lines(error: Mapping[str, Any], paint: Paint) -> list[str]:
    """Why something was not done, and the cure of each problem."""
    return [paint(error["message"], "bad"), *problem_lines(error.get("problems") or (), paint)]


def problem_lines(problems: Sequence[Mapping[str, Any]], paint: Paint) -> list[str]:
    """One problem per paragraph: where, what, the cure, the rule and its source."""
    lines = []
    for problem in problems:
        lines.append(f"  {problem['path']}: {problem['message']}")
        lines.append(f"    {paint('->', 'bold')} {problem['cure']}")
        lines.append(paint(f"    {problem['rule']}, {problem.get('chapter', '')}", "dim"))
    return lines


def history_lines(records: Sequence[Mapping[str, Any]], paint: Paint, *, indent: int = 0) -> list[str]:
    """One record per line, oldest first; below a move its phases with their times."""
    rows = [
        [
            Cell(str(record.get("time", ""))[:19].replace("T", " "), "dim"),
            Cell(str(record.get("group") or "-")),
            Cell(str(record.get("kind", "")), "warn" if record.get("kind") in ("refused", "noticed") else "plain"),
            Cell(str(record.get("text", ""))),
        ]
        for record in records
    ]
    if not rows:
        return ["no history yet"]
    head, *lines = table(rows, paint, indent=indent, head=("time (UTC)", "group", "kind", "what"))
    shown = [head]
    for record, line in zip(records, lines, strict=True):
        fields = record.get("fields")
        phases = fields.get("phases") if isinstance(fields, Mapping) else None
        shown += [line, *(_phases(phases, paint, indent=indent + 22) if isinstance(phases, list) else ())]
    return shown


def _phases(phases: Sequence[Mapping[str, Any]], paint: Paint, *, indent: int = 2) -> list[str]:
    rows = [
        [
            Cell(phase["name"]),
            Cell(phase["resource"]),
            Cell(phase["node"], "dim"),
            Cell(f"{phase['start_s'] * 1000:.1f}", "dim"),
            Cell(f"{phase['seconds'] * 1000:.1f}"),
        ]
        for phase in phases
    ]
    head = ("phase", "resource", "node", "from (ms)", "took (ms)")
    return table(rows, paint, indent=indent, head=head) if rows else []


def _expected(phase: Mapping[str, Any]) -> str:
    expected = phase.get("expected_s")
    return "not known yet" if expected is None else seconds(expected)
