# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a node answered, as lines that a person reads in the output of a playbook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Sequence[str]


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """The cluster: its nodes, its groups, and what to look after."""
    if not status.get("cluster"):
        return ["no cluster is described on this node yet"]
    title = f"cluster {status['cluster']}, seen by {status.get('node')}: arbiter {status.get('arbiter')}"
    nodes = [_node_row(node) for node in status.get("nodes") or ()]
    groups = [_group_row(group) for group in status.get("groups") or ()]
    warnings = [f"! {warning}" for warning in status.get("warnings") or ()]
    return [
        f"{title}, profile {status.get('profile')}",
        "",
        *table(("node", "state", "version", "comm paths"), nodes),
        "",
        *(table(("group", "state", "on", "epoch", "resources", "reason"), groups) if groups else ["no groups yet"]),
        *(["", *warnings] if warnings else []),
    ]


def move_lines(moves: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each group did, with its phases and how long clients had no answer."""
    lines: list[str] = []
    for move in moves:
        lines += [*([""] if lines else []), _move_title(move)]
        phases = [
            (
                str(phase.get("name")),
                str(phase.get("node") or ""),
                str(phase.get("resource") or ""),
                _milliseconds(phase.get("start_s")),
                _milliseconds(phase.get("seconds")),
            )
            for phase in move.get("phases") or ()
        ]
        lines += table(("phase", "node", "resource", "at", "took"), phases) if phases else []
    return lines or ["nothing had to be done"]


def plan_lines(plan: Mapping[str, Any]) -> list[str]:
    """What a move would do, or why it would be refused."""
    verdict = "can be done" if plan.get("allowed") else "would be refused"
    lines = [f"{plan.get('group')}: from {plan.get('from') or 'nowhere'} to {plan.get('to')} {verdict}"]
    if plan.get("dragged"):
        lines.append("moves along: " + ", ".join(str(tag) for tag in plan["dragged"]))
    lines += [
        f"! {problem.get('message')} {problem.get('cure')} [{problem.get('rule')}]"
        for problem in plan.get("problems") or ()
    ]
    phases = [
        (
            str(phase.get("name")),
            str(phase.get("node") or ""),
            str(phase.get("resource") or ""),
            _milliseconds(phase.get("expected_s")),
        )
        for phase in plan.get("phases") or ()
    ]
    return [*lines, *(table(("phase", "node", "resource", "expected"), phases) if phases else [])]


def table(head: Row, rows: Sequence[Row]) -> list[str]:
    """The rows below their head, in columns."""
    every = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in every) for column in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every]


def _node_row(node: Mapping[str, Any]) -> Row:
    paths = ", ".join(_path(path) for path in node.get("paths") or ())
    own = "answers this question" if node.get("self") else ""
    return str(node.get("name")), str(node.get("state")), str(node.get("version") or ""), paths or own


def _path(path: Mapping[str, Any]) -> str:
    if path.get("state") != "up":
        return f"{path.get('name')} down"
    rtt = path.get("rtt_ms")
    loss = path.get("loss_percent")
    return f"{path.get('name')} up" + (f" {rtt} ms" if rtt is not None else "") + (f" {loss}% lost" if loss else "")


def _group_row(group: Mapping[str, Any]) -> Row:
    resources = ", ".join(f"{res.get('tag')} {res.get('state')}" for res in group.get("resources") or ())
    return (
        str(group.get("name")),
        str(group.get("state", "")).replace("_", " "),
        str(group.get("holder") or "-"),
        str(group.get("epoch")),
        resources,
        str(group.get("reason") or ""),
    )


def _move_title(move: Mapping[str, Any]) -> str:
    group, target, epoch = move.get("group"), move.get("to"), move.get("epoch")
    outcome = move.get("outcome")
    if outcome == "unchanged":
        return f"{group}: in service on {target} already, epoch {epoch}"
    if outcome == "predicted":
        return f"{group}: would be brought in service on {target or 'its preferred node'}"
    outage = move.get("outage_s")
    silent = f"; clients without an answer for {_milliseconds(outage)}" if outage is not None else ""
    way = (
        f"moved from {move.get('from')} to {target}"
        if move.get("from") and outcome == "moved"
        else f"{outcome} on {target}"
    )
    return f"{group}: {way}, epoch {epoch}{silent}"


def _milliseconds(seconds: Any) -> str:
    return "" if seconds is None else f"{float(seconds) * 1000:.0f} ms"
