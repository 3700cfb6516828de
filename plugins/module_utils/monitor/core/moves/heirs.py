# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which nodes could have a group next, as this node knows them: alive, agreed, ready, not in quarantine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..cluster.candidates import Candidate, Obstacle, candidates, turn_s
from ..values.facts import State
from ..values.history import IncidentKind, clean, with_incident
from ..values.messages import Activity
from .budget import Budget, Quarantine, budget, over, quarantine, times
from .care import Cause
from .group import GroupMachine


def heirs(g: GroupMachine, *, without: Iterable[str] = (), served: bool = False) -> tuple[Candidate, ...]:
    """All nodes that have a priority for the group, the best first, this node among them.

    ``without`` are nodes that are taken for gone: what would happen if they died. A node at which no address of
    ``ping`` answers is the last that takes what nobody serves; what is ``served`` does not go there.
    """
    silent = {node: text for node in (g.world.node, *g.world.membership.peers) if (text := _silent(g, node))}
    obstacles = {node: obstacle_of(g, node) for node in (g.world.node, *g.world.membership.peers)}
    if served:
        obstacles |= {
            node: obstacles[node] or Obstacle(reason=f"{node} reaches no client: {text}")
            for node, text in silent.items()
        }
    return candidates(g.group, obstacles, without=without, last=silent)


def others(g: GroupMachine) -> tuple[Candidate, ...]:
    """The candidates that this node can hand the group over to."""
    return heirs(g, without=[g.world.node], served=True)


def orphan_turn_s(g: GroupMachine) -> float:
    """How much longer than the best candidate this node waits before it claims a group that nobody serves."""
    return turn_s(_heirs_of_orphan(g), g.world.node) or 0.0


def orphan_bar(g: GroupMachine) -> Obstacle | None:
    """Why this node does not claim a group that nobody serves; None when it does.

    A node that holds the group still, after a reboot, does not move it by serving it again, nor does the one that held
    it before claims that came to nothing; nor the one that failed it last, which goes on trying, later and later, when
    the group may not move any more.
    """
    moved = failovers(g)
    if not moved.left and had_it(g) != g.world.node and not _failed_last(g):
        return Obstacle(reason=f"it has moved {times(moved.used)} lately", until_s=moved.free_s)
    return obstacle_of(g, g.world.node)


def had_it(g: GroupMachine) -> str | None:
    """The node that has the group, or may have it still."""
    return g.register.holder or g.register.former


def count_move(g: GroupMachine, cause: Cause) -> None:
    """A move without a command counts, unless this node tries again what it failed itself."""
    if cause in ("failure", "switchback") and not _failed_last(g):
        record(g, "failover")


def failovers(g: GroupMachine) -> Budget:
    """The group's budget of moves without a command."""
    recovery = g.recovery
    return _budget(g, "failover", recovery.failovers)


def restarts(g: GroupMachine) -> Budget:
    """The group's budget of restarts."""
    return _budget(g, "restart", g.recovery.restarts)


def quarantine_of(g: GroupMachine, node: str) -> Quarantine:
    """How the node stands to the group after what it failed."""
    return quarantine(g.register.history, g.care.seen, node, now_s=g.world.now_s)


def record(g: GroupMachine, kind: IncidentKind) -> None:
    """The incident on this node counts from now on, on every node."""
    history, now_s = g.register.history, g.world.now_s
    past = over(history, g.care.seen, window_s=g.recovery.window_s, now_s=now_s)
    g.remember(with_incident(history, kind, g.world.node, over=past))


def pardon(g: GroupMachine) -> None:
    """A person has spoken: nothing of what befell the group counts any more."""
    g.care.forget()
    if g.register.history.incidents:
        g.remember(clean(g.register.history))
        g.note("pardoned", f"budgets and quarantine of {g.name} begin anew, by command")


def outlook(g: GroupMachine) -> dict[str, Any]:
    """Settings of its own, budgets, candidates and who is kept from the group how long, as plain data for people."""
    now_s, holder = g.world.now_s, g.register.holder
    kept = {node: quarantine_of(g, node) for node in g.group.priorities}
    decision = g.care.decision
    return {
        "settings": dict(g.group.recovery),
        "restarts": _row(restarts(g), now_s),
        "failovers": _row(failovers(g), now_s),
        "again_in_s": None if decision is None else _left_s(decision.again_s, now_s),
        "rule": None if decision is None else decision.rule.id,
        "quarantine": [
            {"node": node, "failures": q.failures, "seconds_left": _left_s(q.until_s, now_s)}
            for node, q in kept.items()
            if q.until_s > now_s
        ],
        "candidates": [
            {"node": c.node, "priority": c.priority, "why_not": c.why_not, "seconds_left": _left_s(c.until_s, now_s)}
            for c in heirs(g, without=[holder] if holder else [], served=holder is not None)
        ],
    }


def obstacle_of(g: GroupMachine, node: str) -> Obstacle | None:
    """Why the node could not have the group now; None when it could, for all this node knows."""
    if g.register.stays and node != g.register.holder:
        return Obstacle(reason=f"{g.register.holder} was shut down and keeps it")
    if refusal := g.care.refusal_of(node, g.world.now_s):
        return refusal
    reason = _own(g) if node == g.world.node else _of_peer(g, node)
    if reason:
        return Obstacle(reason=reason)
    kept = quarantine_of(g, node)
    if g.world.now_s < kept.until_s:
        return Obstacle(reason=f"{node} failed it {times(kept.failures)} lately", until_s=kept.until_s)
    return None


def _own(g: GroupMachine) -> str:
    if g.world.leaving_s is not None:
        return f"{g.world.node} shuts down"
    if g.register.holder != g.world.node and not _clear(g.activity, g.states):
        return f"it is {g.activity} on {g.world.node}"
    return g.care.unready


def _of_peer(g: GroupMachine, node: str) -> str:
    membership = g.world.membership
    state = membership.state(node, g.world.now_s)
    if state != "alive":
        return f"{node} is {'not heard yet' if state == 'unknown' else state}"
    peer = membership.peers[node]
    report = peer.groups.get(g.name)
    if not peer.config_digest or (report is None and peer.config_digest == g.world.digest):
        return f"{node} has not told of it yet"
    if peer.config_digest != g.world.digest or report is None:
        return f"{node} has another configuration"
    if report.unready:
        return report.unready
    holds = g.register.holder == node
    return "" if holds or _clear(report.activity, report.resources) else f"it is {report.activity} on {node}"


def _silent(g: GroupMachine, node: str) -> str:
    if node == g.world.node:
        return g.care.silent
    report = g.world.membership.peers[node].groups.get(g.name)
    return report.silent if report is not None else ""


def _failed_last(g: GroupMachine) -> bool:
    incidents = g.register.history.incidents
    return bool(incidents) and (incidents[-1].kind, incidents[-1].node) == ("failure", g.world.node)


def _clear(activity: Activity, states: Mapping[str, State]) -> bool:
    """Whether nothing of the group is on where this is so."""
    return activity in ("down", "waiting") or (activity == "failed" and all(s == "down" for s in states.values()))


def _heirs_of_orphan(g: GroupMachine) -> tuple[Candidate, ...]:
    holder = g.register.holder
    return heirs(g, without=[] if holder in (None, g.world.node) else [holder])


def _budget(g: GroupMachine, kind: IncidentKind, allowed: int) -> Budget:
    window_s = g.recovery.window_s
    return budget(g.register.history, g.care.seen, kind, allowed=allowed, window_s=window_s, now_s=g.world.now_s)


def _row(budget_: Budget, now_s: float) -> dict[str, Any]:
    free_in_s = None if budget_.left else _left_s(budget_.free_s, now_s)
    return {"used": budget_.used, "allowed": budget_.allowed, "free_in_s": free_in_s}


def _left_s(until_s: float, now_s: float) -> float | None:
    """Seconds until then; None when there is nothing to wait for, or no end of it."""
    left_s = until_s - now_s
    return round(left_s, 1) if 0 < left_s < float("inf") else None
