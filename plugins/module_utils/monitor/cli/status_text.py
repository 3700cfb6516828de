# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The status of the cluster as somebody reads it who was woken up: what is wrong first, then groups, then nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .table import Cell, Colour, Paint, seconds, table

STATE_COLOURS: Mapping[str, Colour] = {
    "in_service": "good",
    "up": "good",
    "alive": "good",
    "started": "good",
    "out_of_service": "warn",
    "starting": "warn",
    "stopping": "warn",
    "suspect": "warn",
    "partial": "warn",
    "failed": "bad",
    "dead": "bad",
    "unknown": "bad",
    "down": "dim",
}
INFLUENCING = ("in_service", "starting", "stopping", "failed")


def status_lines(status: Mapping[str, Any], paint: Paint) -> list[str]:
    """The whole status page."""
    lines = [*_heading(status, paint), *_warnings(status["warnings"], paint)]
    for group in status["groups"]:
        lines += ["", *_group(group, paint)]
    if status["nodes"]:
        lines += ["", paint("NODES", "bold"), *_nodes(status["nodes"], paint)]
    return lines


def _heading(status: Mapping[str, Any], paint: Paint) -> list[str]:
    if status["cluster"] is None:
        return [paint("This node belongs to no cluster.", "bold")]
    parts = [
        f"seen from {status['node']}",
        f"arbiter {status['arbiter']}",
        f"profile {status['profile']}",
        f"configuration {status['config_hash']}",
    ]
    if status.get("loop_stall_ms_max") is not None:
        parts.append(f"longest stall {status['loop_stall_ms_max']:g} ms")
    return [f"{paint('CLUSTER ' + status['cluster'], 'bold')}  {paint(', '.join(parts), 'dim')}"]


def _warnings(warnings: Sequence[str], paint: Paint) -> list[str]:
    if not warnings:
        return [paint("Nothing is wrong.", "good")]
    return [paint(f"! {warning}", "bad") for warning in dict.fromkeys(warnings)]


def _group(group: Mapping[str, Any], paint: Paint) -> list[str]:
    holder = group["holder"]
    place = f" on {holder}" if holder else ""
    since = f" for {seconds(group['since_s'])}" if group.get("since_s") is not None else ""
    state = paint(_words(group["state"]), STATE_COLOURS.get(group["state"], "plain"))
    lines = [f"{paint('GROUP ' + group['name'], 'bold')}  {state}{place}{since}"]
    why = [group["reason"] or "no reason given"]
    if holder and group.get("preferred") and holder != group["preferred"]:
        why.append(f"preferred is {group['preferred']}")
    if group.get("busy"):
        why.append(f"under way: {group['busy']}")
    lines.append(paint(f"  {'; '.join(why)}; epoch {group['epoch']}", "dim"))
    return lines + table(_members(group), paint)


def _members(group: Mapping[str, Any]) -> list[list[Cell]]:
    heads = {hierarchy["tag"]: hierarchy for hierarchy in group["hierarchies"]}
    rows = []
    for resource in reversed(group["resources"]):
        head = heads.get(resource["tag"])
        state = head["state"] if head else resource["state"]
        notes = [resource["detail"]] if resource["detail"] != resource["tag"] else []
        if head:
            notes.append(f"needs {', '.join(head['depends_on'])}" if head["depends_on"] else "needs nothing")
            if head.get("by_operator"):
                notes.append("taken out of service by an operator")
        indent = "" if head else "  "
        rows.append(
            [
                Cell(f"{indent}{resource['tag']}", "bold" if head else "plain"),
                Cell(resource["kind"], "dim"),
                Cell(_words(state), STATE_COLOURS.get(state, "plain")),
                Cell("; ".join(notes), "dim"),
            ]
        )
    return rows


def _nodes(nodes: Sequence[Mapping[str, Any]], paint: Paint) -> list[str]:
    rows = [row for node in nodes for row in _node(node)]
    return table(rows, paint, head=("node", "state", "version", "comm path", "state", "round trip", "loss"))


def _node(node: Mapping[str, Any]) -> list[list[Cell]]:
    state = "this node" if node["self"] else node["state"]
    first = [
        Cell(node["name"], "bold"),
        Cell(state, STATE_COLOURS.get(node["state"], "plain")),
        Cell(node["version"] or "?", "dim"),
    ]
    if not node["paths"]:
        return [first]
    blank = [Cell(""), Cell(""), Cell("")]
    return [[*(first if i == 0 else blank), *_path(path)] for i, path in enumerate(node["paths"])]


def _path(path: Mapping[str, Any]) -> list[Cell]:
    up = path["state"] == "up"
    trip = path.get("rtt_ms")
    lossy = bool(path.get("loss_percent"))
    cells = [
        Cell(path["name"]),
        Cell(path["state"], "good" if up else "bad"),
        Cell(f"{trip:.1f} ms" if up and trip is not None else "-", "plain" if up else "dim"),
        Cell(f"{path['loss_percent']:g} %" if up else "-", "warn" if up and lossy else "dim"),
    ]
    return cells if up or not path.get("reason") else [*cells, Cell(path["reason"], "dim")]


def _words(state: str) -> str:
    return state.replace("_", " ")
