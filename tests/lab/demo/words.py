# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration's results as lines for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..client.samples import Summary
from ..oracle.intervals import Interval
from .playbook import Part

BAR_WIDTH = 40


def part_line(part: Part) -> str:
    """One role of a playbook: how many tasks, how many changes, how long."""
    changes = f"{part.changed} changed" if part.changed else "nothing changed"
    return f"   {part.name:<16} {part.tasks:>3} tasks   {changes:<16} {part.seconds:>5.1f} s"


PLAIN_WORDS = {
    "timeout": "no answer in time",
    "IncompleteReadError": "cut off in the middle",
    "ConnectionRefusedError": "refused",
    "ConnectionResetError": "reset",
}


def client_lines(summary: Summary) -> list[str]:
    """What the client saw in all."""
    reasons = ", ".join(f"{count} x {PLAIN_WORDS.get(why, why)}" for why, count in sorted(summary.errors.items()))
    return [
        f"   requests        {summary.requests}",
        f"   failures        {summary.failures}" + (f"   ({reasons})" if reasons else ""),
        f"   longest outage  {summary.longest_outage_ms:.0f} ms",
        f"   longest stall of the client itself  {summary.longest_silence_ms:.0f} ms (shorter outages may be unseen)",
    ]


def spell_lines(summary: Summary, *, start_s: float) -> list[str]:
    """Which node answered when, in seconds since start_s."""
    lines = []
    for spell in summary.spells:
        begin, end = spell.start_s - start_s, spell.end_s - start_s
        lines.append(f"   {begin:6.2f} s to {end:6.2f} s   {spell.node}   {spell.requests} answers")
    return lines


def move_lines(move: Mapping[str, Any]) -> list[str]:
    """The phases of one move, each with a bar where it lies in the whole."""
    phases: Sequence[Mapping[str, Any]] = move.get("phases") or []
    outage_s = move.get("outage_s")
    head = f"   {move['group']}: {move.get('from') or 'nowhere'} -> {move['to']}, epoch {move.get('epoch', '?')}"
    lines = [head + (f", the monitor's own count of the outage: {outage_s * 1000:.0f} ms" if outage_s else "")]
    whole_s = max((phase["start_s"] + phase["seconds"] for phase in phases), default=0.0)
    for phase in phases:
        what = f"{phase['name']} {phase.get('resource') or ''}".strip()
        place = bar(phase["start_s"], phase["seconds"], whole_s)
        lines.append(f"   {phase.get('node') or '':<4} {what:<24} {phase['seconds'] * 1000:7.1f} ms  {place}")
    return lines


def bar(start_s: float, seconds: float, whole_s: float) -> str:
    """Where a phase lies in the whole, as a bar of at least one character; empty when there is no whole."""
    if whole_s <= 0:
        return ""
    begin = min(BAR_WIDTH - 1, round(start_s / whole_s * BAR_WIDTH))
    length = max(1, min(BAR_WIDTH - begin, round(seconds / whole_s * BAR_WIDTH)))
    return "." * begin + "=" * length + "." * (BAR_WIDTH - begin - length)


def oracle_lines(what: str, held: Sequence[Interval], *, start_s: float) -> list[str]:
    """Who had something when, as seen from outside the nodes, in seconds since start_s."""
    lines = [f"   {what}"]
    for interval in held:
        begin, end = max(0.0, interval.start_s - start_s), interval.end_s - start_s
        lines.append(f"   {begin:6.2f} s to {end:6.2f} s   {interval.holder}")
    return lines


def verdict_lines(faults: Sequence[str]) -> list[str]:
    """Whether anything was ever in two places."""
    return ["   VIOLATED:", *(f"   {fault}" for fault in faults)] if faults else ["   Never on two nodes at once."]
