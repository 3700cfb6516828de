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
    return lines + _refused(status, paint)


def _refused(status: Mapping[str, Any], paint: Paint) -> list[str]:
    """Who was refused: messages of a peer that are stale or not its own, connections of strangers."""
    rows = [(node["name"], node.get("refused_messages", 0)) for node in status["nodes"]]
    parts = [f"{count} messages of {name}" for name, count in rows if count]
    kinds = status.get("refused_on_comm_paths") or {}
    parts += [f"{count} connections or messages for their {kind}" for kind, count in kinds.items() if count]
    return ["", paint(f"refused: {', '.join(parts)}", "warn")] if parts else []


def _heading(status: Mapping[str, Any], paint: Paint) -> list[str]:
    if status["cluster"] is None:
        return [paint("This node belongs to no cluster.", "bold")]
    parts = [
        f"seen from {status['node']}",
        f"profile {status['profile']}",
        f"configuration {status['config_hash']}",
    ]
    if status.get("loop_stall_ms_max") is not None:
        parts.append(f"longest stall {status['loop_stall_ms_max']:g} ms")
    if status.get("guard"):
        parts.append(f"guard {status['guard']}")
    return [
        f"{paint('CLUSTER ' + status['cluster'], 'bold')}  {paint(', '.join(parts), 'dim')}",
        *_arbiter(status["voting"], paint),
    ]


def _arbiter(voting: Mapping[str, Any], paint: Paint) -> list[str]:
    """Which arbiter there is, and whether it votes for this node; what is wrong with it is among the warnings."""
    title = paint(f"ARBITER {voting['arbiter']}", "bold")
    if not voting["counts"]:
        return [f"{title}  {paint('does not count yet', 'warn')}"]
    if voting["arbiter"] == "manual":
        return [f"{title}  {paint('groups move by command only', 'dim')}"]
    if not voting["answers"]:
        return [f"{title}  {paint('does not answer', 'bad')}"]
    ago = f", {seconds(voting['answered_s_ago'])} ago" if voting["answered_s_ago"] is not None else ""
    return [f"{title}  {paint('answers', 'good')}{paint(ago, 'dim')}"]


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
    why.append(f"epoch {group['epoch']}")
    if own := settings_text(group.get("recovery")):
        why.append(own)
    permit = group.get("permit")
    if permit and permit["seconds_left"] is not None:
        why.append(f"may serve for another {permit['seconds_left']:.1f} s")
    lines.append(paint(f"  {'; '.join(why)}", "dim"))
    lines += [paint(f"  {line}", "warn") for line in recovery_lines(group.get("recovery"))]
    return lines + table(_members(group), paint)


def settings_text(recovery: Mapping[str, Any] | None) -> str:
    """What the group has of its own of the settings of recovery; empty when it has nothing."""
    own = (recovery or {}).get("settings") or {}
    texts = [f"{key} {str(value).lower() if isinstance(value, bool) else value}" for key, value in own.items()]
    return f"its own settings: {', '.join(texts)}" if texts else ""


def recovery_lines(recovery: Mapping[str, Any] | None) -> list[str]:
    """What is left of the budgets once something was used, and which nodes are kept from the group, for how long."""
    if recovery is None:
        return []
    lines = []
    for what, verb in (("restarts", "restarted"), ("failovers", "moved")):
        budget = recovery[what]
        if budget["used"]:
            spent = budget["used"] >= budget["allowed"]
            more = f"; not again by itself{_within(budget['free_in_s'])}" if spent else ""
            lines.append(f"{verb} by itself {budget['used']} of {budget['allowed']} times lately{more}")
    for kept in recovery["quarantine"]:
        times = "once" if kept["failures"] == 1 else f"{kept['failures']} times"
        lines.append(f"{kept['node']} failed it {times} and is left alone{_within(kept['seconds_left'])}")
    if recovery.get("again_in_s") is not None:
        lines.append(f"looked at again in {seconds(recovery['again_in_s'])}")
    return lines


def _within(left_s: float | None) -> str:
    return "" if left_s is None else f" for {seconds(left_s)}"


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
    return table(rows, paint, head=("node", "state", "version", "comm path", "state", "round trip", "jitter", "loss"))


def _node(node: Mapping[str, Any]) -> list[list[Cell]]:
    first = [
        Cell(node["name"], "bold"),
        Cell(_state(node), STATE_COLOURS.get(node["state"], "plain")),
        Cell(node["version"] or "?", "dim"),
    ]
    if not node["paths"]:
        return [first]
    blank = [Cell(""), Cell(""), Cell("")]
    return [[*(first if i == 0 else blank), *_path(path)] for i, path in enumerate(node["paths"])]


def _state(node: Mapping[str, Any]) -> str:
    """Its state; for how long a silent one has been silent, and for how long its lease still runs."""
    if node["self"]:
        return "this node"
    if node["state"] == "alive" or node.get("silence_s") is None:
        return str(node["state"])
    lease = f", lease {seconds(node['lease_left_s'])}" if node.get("lease_left_s") else ""
    return f"{node['state']}, silent {seconds(node['silence_s'])}{lease}"


def _path(path: Mapping[str, Any]) -> list[Cell]:
    up = path["state"] == "up"
    trip = path.get("rtt_ms")
    lossy = bool(path.get("loss_percent"))
    cells = [
        Cell(path["name"]),
        Cell(path["state"], "good" if up else "bad"),
        Cell(f"{trip:.1f} ms" if up and trip is not None else "-", "plain" if up else "dim"),
        Cell(f"{path.get('jitter_ms', 0.0):.1f} ms" if up and trip is not None else "-", "plain" if up else "dim"),
        Cell(f"{path['loss_percent']:g} %" if up else "-", "warn" if up and lossy else "dim"),
    ]
    return cells if up or not path.get("reason") else [*cells, Cell(path["reason"], "dim")]


def _words(state: str) -> str:
    return state.replace("_", " ")
