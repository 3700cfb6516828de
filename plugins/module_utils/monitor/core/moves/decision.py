# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What is to be done about a group that fails: mend it here, move it, try again later, or leave it as it is.

One pure function. First local recovery, then the best ready node, then this node again; all within budgets. A network
that fails is no matter for local recovery: where there is a spare card, starting an address anew is (see ``kits.ip``).
Source: guide chapter 1, "IIS Overview" (local recovery, then transfer); chapter 6, "IIS Failover".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ..cluster.candidates import Candidate, best
from ..values.problems import Rule
from .budget import Budget, Quarantine

LOCAL = Rule(id="HF801", text="What fails is stopped and started where it is, before it moves.", source="guide ch. 1")
MOVE = Rule(id="HF802", text="What cannot be mended moves to the best ready node.", source="guide ch. 1, ch. 6")
BUDGET = Rule(
    id="HF803", text="A group is restarted and moved by itself only so often within a time.", source="own rule"
)
BACKOFF = Rule(id="HF804", text="A node that failed a group leaves it alone for a while.", source="own rule")
MANUAL = Rule(id="HF805", text="With arbiter manual, groups move by command only.", source="own rule")
TWICE = Rule(id="HF806", text="A deep check has failed when it failed twice in a row.", source="own rule")
SWITCHBACK = Rule(
    id="HF807", text="A group returns when its preferred node was ready for a while.", source="guide ch. 2, switchback"
)
SHUTDOWN = Rule(
    id="HF808", text="A node that shuts down moves its groups, or stops them.", source="guide ch. 2, shutdown strategy"
)
UNREADY = Rule(id="HF809", text="A group moves only to a node that is ready for it.", source="guide ch. 3")
NETWORK = Rule(
    id="HF810",
    text="A network that fails is mended by the spare card or another node, never by a restart.",
    source="guide ch. 1, NIC failures",
)
RULES = (LOCAL, MOVE, BUDGET, BACKOFF, MANUAL, TWICE, SWITCHBACK, SHUTDOWN, UNREADY, NETWORK)

TroubleKind = Literal["serving", "start"]
"""Serving: it was in service and something of it fails. Start: it could not be brought into service."""
Remedy = Literal["restart", "move", "start", "wait"]
"""Restart: local recovery, which counts. Start: try here again. Wait: leave it as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that counts for the decision. ``found`` are the other nodes; ``quarantine`` is this node's own.

    ``network``: no card of this node reaches the clients.
    """

    kind: TroubleKind
    network: bool
    local: bool
    automatic: bool
    restarts: Budget
    failovers: Budget
    quarantine: Quarantine
    found: Sequence[Candidate]
    now_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``again_s`` is when it is decided anew if nothing changes; infinite when only a person can change it."""

    remedy: Remedy
    rule: Rule
    reason: str
    to: str | None = None
    again_s: float = float("inf")


def decide(case: Case) -> Decision:
    """The remedy, with the rule that led to it."""
    if case.network:
        return _elsewhere(case)
    here_s = case.quarantine.until_s
    first = case.kind == "serving" or case.quarantine.failures == 0
    if case.local and first and case.restarts.left and case.now_s >= here_s:
        return Decision(remedy="restart", rule=LOCAL, reason="is restarted here")
    rule, obstacle = _immovable(case)
    to = best(case.found)
    if not obstacle and to is not None:
        return Decision(remedy="move", rule=MOVE, reason=f"is to move to {to}, the best node that may have it", to=to)
    if case.kind == "start" and case.now_s >= here_s:
        return Decision(remedy="start", rule=BACKOFF, reason=f"is tried here again, since {obstacle}")
    if case.kind == "start":
        again_s = min(here_s, _movable_s(case))
        return Decision(remedy="wait", rule=BACKOFF, reason=f"is left as it is: {obstacle}", again_s=again_s)
    spent = case.local and not case.restarts.left
    reason = f"is left as it is: {_used(case.restarts, 'restart')}, and {obstacle}"
    if not spent:
        reason = f"is left as it is: {obstacle}"
    again_s = min(max(here_s, case.restarts.free_s) if case.local else float("inf"), _movable_s(case))
    return Decision(remedy="wait", rule=BUDGET if spent else rule, reason=reason, again_s=again_s)


def _elsewhere(case: Case) -> Decision:
    """What is done where only another node, or time, can help."""
    rule, obstacle = _immovable(case)
    if obstacle:
        reason = f"is left as it is, for a restart mends no network: {obstacle}"
        return Decision(remedy="wait", rule=rule, reason=reason, again_s=_movable_s(case))
    to = best(case.found)
    return Decision(remedy="move", rule=NETWORK, reason=f"is to move to {to}, the best node that may have it", to=to)


def values(case: Case) -> dict[str, Any]:
    """What the decision rests on, as plain data for ledger and explain."""
    return {
        "trouble": case.kind,
        "network": case.network,
        "local": case.local,
        "automatic": case.automatic,
        "restarts": [case.restarts.used, case.restarts.allowed],
        "failovers": [case.failovers.used, case.failovers.allowed],
        "failures_here": case.quarantine.failures,
        "candidates": [{"node": c.node, "priority": c.priority, "why_not": c.why_not} for c in case.found],
    }


def _immovable(case: Case) -> tuple[Rule, str]:
    """Why the group does not move by itself now, and the rule; empty when it does."""
    if not case.automatic:
        return MANUAL, "with arbiter manual it moves by command only"
    if not case.failovers.left:
        return BUDGET, _used(case.failovers, "failover")
    if best(case.found) is None:
        return UNREADY, "; ".join(c.why_not for c in case.found) or "no other node has a priority for it"
    return MOVE, ""


def _movable_s(case: Case) -> float:
    """When a move may become possible by the mere passing of time."""
    if not case.automatic:
        return float("inf")
    if not case.failovers.left:
        return case.failovers.free_s
    return min((c.until_s for c in case.found), default=float("inf"))


def _used(budget: Budget, what: str) -> str:
    if not budget.allowed:
        return f"no {what} is allowed"
    return f"{budget.used} {what}{'s' if budget.used > 1 else ''} lately, no more for now"
