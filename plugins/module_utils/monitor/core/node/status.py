# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The cluster as one node sees it, as plain data for status pages, playbooks and people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..cluster.membership import Membership
from ..cluster.peer import Peer
from ..moves.group import GroupMachine
from ..moves.heirs import outlook
from ..values.messages import GroupReport
from ..values.model import Config, Hierarchy, Ip, Volume
from .remedy import remedy
from .voting import permit, voting

if TYPE_CHECKING:
    from .machine import Machine

STATES = {
    "up": "in_service",
    "down": "out_of_service",
    "starting": "starting",
    "stopping": "stopping",
    "failed": "failed",
    "waiting": "out_of_service",
    "unknown": "unknown",
}


def status(machine: Machine, *, config: Config) -> dict[str, Any]:
    """Nodes with their comm paths, groups with where they run and why, and warnings for whoever is on call."""
    node, membership, now_s = machine.node, machine.membership, machine.now_s
    group_rows = [{**group_row(g, membership, now_s), "permit": permit(machine, g)} for g in machine.groups.values()]
    votes = voting(machine)
    node_rows = [_own(node, machine.version, machine.boot_id, config)]
    node_rows += [_peer(peer, membership, now_s) for peer in membership.peers.values()]
    return {
        "cluster": config.cluster.name,
        "node": node,
        "config_hash": config.digest,
        "config_version": machine.catching_up.version,
        "config_conflict": machine.catching_up.conflict,
        "arbiter": config.cluster.arbiter.kind,
        "voting": votes,
        "profile": config.cluster.profile,
        "nodes": sorted(node_rows, key=lambda row: row["name"]),
        "groups": group_rows,
        "warnings": [
            *_arbiter_warnings(votes, config),
            *_node_warnings(node_rows, config, machine.catching_up.rows()),
            *(f"{node} counts as switched off until it is heard, as a person said" for node in sorted(machine.vouched)),
            *_group_warnings(group_rows),
            *(text for g in machine.groups.values() if (text := remedy(machine, g))),
        ],
    }


def _own(node: str, version: str, boot_id: str, config: Config) -> dict[str, Any]:
    return {
        "name": node,
        "self": True,
        "state": "alive",
        "boot_id": boot_id,
        "config_hash": config.digest,
        "version": version,
        "paths": [],
    }


def _peer(peer: Peer, membership: Membership, now_s: float) -> dict[str, Any]:
    return {
        "name": peer.name,
        "self": False,
        "state": peer.state(now_s, membership.timers),
        "boot_id": peer.boot_id,
        "config_hash": peer.config_digest,
        "version": peer.version,
        "silence_s": None if peer.heard_s is None else round(now_s - peer.heard_s, 3),
        "lease_left_s": max(0.0, round(peer.full_until_s - now_s, 1)),
        "refused_messages": peer.refused.total(),
        "refused_by_kind": dict(peer.refused),
        "cloned": peer.has_clone(now_s),
        "paths": [
            {
                "name": path.name,
                "state": "up" if peer.path_up(path, now_s, membership.timers) else "down",
                "rtt_ms": None if path.rtt_s is None else round(path.rtt_s * 1000, 2),
                "jitter_ms": round(path.jitter_s * 1000, 2),
                "loss_percent": path.loss_percent(),
                "reason": path.reason,
            }
            for path in peer.paths.values()
        ],
    }


def group_row(g: GroupMachine, membership: Membership, now_s: float) -> dict[str, Any]:
    """The group as its holder reports it; as we know it where nobody holds it or the holder is silent."""
    holder = g.register.holder
    report = g.report(g.register)
    since_s: float | None = now_s - g.since_s
    if holder is not None and holder != g.world.node:
        theirs = membership.peers[holder].groups.get(g.name) if holder in membership.peers else None
        alive = membership.state(holder, now_s) in ("alive", "suspect")
        report = theirs if theirs is not None and alive else _silent(holder, g, membership, now_s)
        since_s = None
    elif holder is None and report.activity == "down" and report.reason != _of_nobody(g):
        report, since_s = replace(report, reason=_of_nobody(g)), None
    return {
        "name": g.name,
        "epoch": g.register.epoch,
        "holder": holder,
        "state": _state(report, holder),
        "reason": g.conflict or report.reason,
        "since_s": None if since_s is None else round(since_s, 1),
        "preferred": g.group.preferred,
        "recovery": outlook(g),
        "busy": g.task.name if g.task is not None and not g.task.background else "",
        "hierarchies": [_hierarchy(h, report, holder, g.register.out) for h in g.group.hierarchies],
        "resources": [_resource(r, report, g) for r in g.group.resources],
    }


def _of_nobody(g: GroupMachine) -> str:
    """Why nobody serves the group: what this node noted when it stopped may be about a holder of long ago."""
    by_operator = set(g.group.heads) <= g.register.out and g.group.heads
    return "taken out of service by command" if by_operator else "nobody serves it"


def _silent(holder: str, g: GroupMachine, membership: Membership, now_s: float) -> GroupReport:
    state = membership.state(holder, now_s)
    if g.register.stays:
        reason = f"{holder} was shut down and keeps it: it is in service again when {holder} is back"
        return GroupReport(register=g.register, activity="down", reason=reason, resources={})
    return GroupReport(
        register=g.register,
        activity="unknown",
        reason=f"{holder} holds it and is {state}: whether it serves cannot be told from here",
        resources={},
    )


def _state(report: GroupReport, holder: str | None) -> str:
    if report.register.epoch == 0 and holder is None and report.activity == "down":
        return "out_of_service"
    return STATES[report.activity]


def _hierarchy(h: Hierarchy, report: GroupReport, holder: str | None, out: frozenset[str]) -> dict[str, Any]:
    state = "out_of_service" if h.tag in out or holder is None else STATES[report.activity]
    if state == "in_service" and any(report.resources.get(tag) != "up" for tag in (h.tag, *h.depends_on)):
        state = "failed"
    return {
        "tag": h.tag,
        "kind": h.kind,
        "site": h.site,
        "state": state,
        "by_operator": h.tag in out,
        "preferred": min(h.priorities, key=lambda node: (h.priorities[node], node)),
        "priorities": dict(h.priorities),
        "depends_on": list(h.depends_on),
    }


def _resource(r: Ip | Volume | Hierarchy, report: GroupReport, g: GroupMachine) -> dict[str, Any]:
    detail = r.address if isinstance(r, Ip) else f"{r.drive} on {r.disk}" if isinstance(r, Volume) else r.site
    kind = "ip" if isinstance(r, Ip) else "volume" if isinstance(r, Volume) else r.kind
    return {
        "tag": r.tag,
        "kind": kind,
        "state": report.resources.get(r.tag, "unknown"),
        "here": g.states.get(r.tag, "unknown"),
        "detail": detail,
    }


def _arbiter_warnings(votes: Mapping[str, Any], config: Config) -> list[str]:
    """What the arbiter cannot do now, and what it can never do."""
    warnings = []
    if not votes["counts"]:
        warnings.append(f"arbiter {votes['arbiter']} does not count yet: {votes['reason']}")
    elif not votes["answers"]:
        text = f"arbiter {votes['arbiter']} does not vote for this node ({votes['reason']}); "
        warnings.append(text + "groups run on by the votes of all nodes, and none is taken over by itself")
    if config.cluster.arbiter.kind == "lan":
        warnings.append("arbiter lan cannot promise that nothing is served twice while nodes do not hear each other")
    return warnings


def _node_warnings(
    rows: Iterable[Mapping[str, Any]], config: Config, others: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    warnings = []
    for row in rows:
        if row["state"] != "alive":
            warnings.append(f"{row['name']} is {row['state']}: no heartbeat arrives from it")
        elif row["config_hash"] != config.digest:
            known = others.get(row["name"], {}).get("text")
            warnings.append(known or f"{row['name']} has another configuration ({row['config_hash']})")
        if row.get("cloned"):
            warnings.append(
                f"two machines go by the name {row['name']}, with its certificate; only the one started last is "
                "listened to: switch the copy off, or give it a name and a certificate of its own"
            )
        if row["state"] == "alive":
            warnings += [
                f"comm path {path['name']} to {row['name']} is down: {path['reason'] or 'no heartbeat arrives'}"
                for path in row["paths"]
                if path["state"] != "up"
            ]
    return warnings


def _group_warnings(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    warnings = []
    for row in rows:
        if row["state"] in ("failed", "unknown"):
            warnings.append(f"{row['name']} is {row['state']}: {row['reason']}")
        for resource in row["resources"]:
            if row["state"] == "in_service" and resource["state"] not in ("up", "down"):
                warnings.append(f"{resource['tag']} of {row['name']} is {resource['state']} on {row['holder']}")
            elif row["state"] == "in_service" and resource["state"] == "down" and not _is_out(row, resource):
                warnings.append(f"{resource['tag']} of {row['name']} is down on {row['holder']}")
    return warnings


def _is_out(row: Mapping[str, Any], resource: Mapping[str, Any]) -> bool:
    """Whether nothing in service needs the resource."""
    serving = [h for h in row["hierarchies"] if not h["by_operator"]]
    return bool(row["hierarchies"]) and not any(resource["tag"] in (h["tag"], *h["depends_on"]) for h in serving)
