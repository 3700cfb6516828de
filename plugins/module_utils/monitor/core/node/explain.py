# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Why a group is where it is, and what would happen if a node died: the rules that apply, with their values as of now.

Read from the same functions that decide (``heirs``, ``failovers``, the permit's votes), so that what people are told is
what would be done.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ..cluster.candidates import Candidate, best
from ..moves.decision import BUDGET, MANUAL, SHUTDOWN, SWITCHBACK, UNREADY
from ..moves.group import GroupMachine
from ..moves.heirs import failovers, heirs
from ..values.problems import Rule
from .remedy import remedy
from .status import group_row
from .voting import permit, voting

if TYPE_CHECKING:
    from .machine import Machine

_PERMITS = "docs/decisions/0011-permits.md"
HOLDER = Rule(id="HF901", text="One node holds a group, at an epoch that only grows.", source=_PERMITS)
VOTES = Rule(
    id="HF902", text="A node serves by its own vote and that of the arbiter, or by those of all nodes.", source=_PERMITS
)
LAPSE = Rule(id="HF903", text="What a silent node held is taken when its lease has run out.", source=_PERMITS)
OPERATOR = Rule(
    id="HF904", text="What an operator took out of service stays out until told otherwise.", source="docs/recovery.md"
)
RULES = (HOLDER, VOTES, LAPSE, OPERATOR)


def explanation(machine: Machine, g: GroupMachine) -> dict[str, Any]:
    """The whole explanation of a group, as seen from this node."""
    row = group_row(g, machine.membership, machine.now_s)
    return {
        "group": g.name,
        "tags": list(g.group.tags),
        "seen_from": machine.node,
        "holder": row["holder"],
        "state": row["state"],
        "since_s": row["since_s"],
        "epoch": row["epoch"],
        "why": list(_why(machine, g, row)),
        "if": list(_prospects(machine, g)),
        "candidates": row["recovery"]["candidates"],
        "settings": row["recovery"]["settings"],
        "permit": permit(machine, g),
        "voting": voting(machine),
    }


# -- why it is here -----------------------------------------------------------------------------------------


def _why(machine: Machine, g: GroupMachine, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
    holder, register = g.register.holder, g.register
    text = f"{holder} holds it: {row['reason']}" if holder else "no node holds it"
    yield _link(HOLDER, text, holder=holder, epoch=register.epoch)
    out = sorted(set(g.group.heads) & register.out)
    if out:
        yield _link(OPERATOR, f"{', '.join(out)} was taken out of service by command", out=out)
    if register.stays:
        yield _link(SHUTDOWN, f"{holder} was shut down and keeps it (shutdown: stay)", stays=True)
    if holder is not None:
        yield _home(g, holder)
    elif g.group.needed(register.out):
        yield _orphan(machine, g)
    if holder == machine.node:
        yield _permitted(machine, g)
    if holder is not None and (text := remedy(machine, g)):
        yield _link(MANUAL if machine.manual else VOTES, text)
    decision = g.care.decision
    if decision is not None:
        yield _link(decision.rule, decision.reason, remedy=decision.remedy, to=decision.to)


def _orphan(machine: Machine, g: GroupMachine) -> dict[str, Any]:
    """Why nobody has taken a group that no node holds."""
    if g.register.epoch == 0:
        return _link(OPERATOR, "it has never been brought into service")
    if machine.manual:
        return _link(MANUAL, "with arbiter manual it is brought into service by command only")
    rule, obstacle = _untakeable(machine, g)
    if obstacle:
        return _link(rule, remedy(machine, g) or f"no node takes it by itself: {obstacle}")
    found = heirs(g)
    to = best(found)
    return _link(LAPSE, f"{to} is about to take it") if to else _link(UNREADY, f"no node takes it: {_obstacles(found)}")


def _untakeable(machine: Machine, g: GroupMachine) -> tuple[Rule, str]:
    """What keeps every node from taking the group by itself now; empty when nothing does."""
    votes, moved = voting(machine), failovers(g)
    if not (votes["counts"] and votes["answers"]):
        return VOTES, f"{votes['arbiter']} does not vote ({votes['reason']})"
    return (LAPSE, "") if moved.left else (BUDGET, f"it has moved {moved.used} times lately")


def _home(g: GroupMachine, holder: str) -> dict[str, Any]:
    """Where it should be by priority, and why it is not there."""
    preferred, recovery = g.group.preferred, g.recovery
    priorities = dict(g.group.priorities)
    if holder == preferred:
        return _link(SWITCHBACK, f"{holder} is its preferred node", priorities=priorities)
    if recovery.switchback == "intelligent":
        how = "it returns by command (switchback: intelligent)"
    else:
        ready = next((c for c in heirs(g, served=True) if c.node == preferred), None)
        obstacle = ready.why_not if ready is not None else ""
        stable = f"when {preferred} has been ready for {recovery.stable_s:g} s"
        how = f"it returns by itself {stable}" + (f"; now {obstacle}" if obstacle else "")
    return _link(SWITCHBACK, f"its preferred node is {preferred}; {how}", priorities=priorities)


def _permitted(machine: Machine, g: GroupMachine) -> dict[str, Any]:
    """By whose votes it may serve, for how long yet."""
    values = permit(machine, g) or {}
    left_s = values.get("seconds_left")
    if machine.manual and left_s is None:
        return _link(VOTES, "with arbiter manual it may serve until a command moves it", **values)
    if left_s is None:
        return _link(VOTES, "it may serve without end: an operator vouches for all other nodes", **values)
    fresh = [
        vote["voter"]
        for vote in values["votes"]
        if vote["asked_s_ago"] is not None and vote["asked_s_ago"] < machine.timers.own_s
    ]
    if left_s > 0:
        text = f"it may serve for another {left_s:.1f} s, renewed every {machine.timers.renew_s:g} s: votes of "
        return _link(VOTES, text + ", ".join(fresh), **values)
    return _link(VOTES, f"it may not serve: {machine.votes.missing(g)}", **values)


# -- what would happen --------------------------------------------------------------------------------------------


def _prospects(machine: Machine, g: GroupMachine) -> Iterator[dict[str, Any]]:
    """One row for each node and one for the arbiter, should it die now."""
    for node in sorted(g.group.priorities, key=lambda name: (g.group.priorities[name], name)):
        if g.register.holder == node:
            yield _holder_dies(machine, g, node)
        else:
            yield _other_dies(machine, g, node)
    if not machine.manual:
        yield _arbiter_dies(machine, g)


def _holder_dies(machine: Machine, g: GroupMachine, node: str) -> dict[str, Any]:
    if not g.group.needed(g.register.out):
        return _fate(node, OPERATOR, "nothing changes: it is out of service")
    if machine.manual:
        return _fate(node, MANUAL, "it stays down until a command brings it in service on another node", down=True)
    rule, obstacle = _untakeable(machine, g)
    if obstacle:
        return _fate(node, rule, f"nobody takes it over: {obstacle}", down=True)
    found = heirs(g, without=[node])
    to = best(found)
    if to is None:
        return _fate(node, UNREADY, f"nobody takes it over: {_obstacles(found)}", down=True)
    return _taken(machine, g, node, to)


def _taken(machine: Machine, g: GroupMachine, node: str, to: str) -> dict[str, Any]:
    """The heir waits for the lease, then starts; how long a start takes is known where it has been done before."""
    take_s = machine.timers.take_s if g.group.volumes else machine.timers.take_light_s
    needed = g.group.needed(g.register.out)
    starts = [machine.durations.get(f"start {resource.tag}") for resource in needed]
    start_s = sum(seconds for seconds in starts if seconds is not None) if to == machine.node else 0.0
    after_s = round(take_s + start_s, 1)
    text = f"{to} takes it over after about {after_s:g} s: the lease of {node} has to run out first"
    return _fate(node, LAPSE, text, to=to, after_s=after_s)


def _other_dies(machine: Machine, g: GroupMachine, node: str) -> dict[str, Any]:
    holder = g.register.holder
    if holder is None:
        return _fate(node, HOLDER, "nothing changes: no node holds it")
    if machine.manual:
        return _fate(node, VOTES, f"nothing changes: {holder} goes on")
    votes = voting(machine)
    if not (votes["counts"] and votes["answers"]):
        text = f"{holder} has to stop it within {machine.timers.own_s:g} s: without {votes['arbiter']} all nodes vote"
        return _fate(node, VOTES, text, down=True)
    next_one = best(heirs(g, without=[holder, node]))
    left = f"{next_one} could take it over" if next_one else "nobody could take it over"
    text = f"nothing changes: {holder} goes on by the vote of {votes['arbiter']}; {left} then"
    return _fate(node, VOTES, text)


def _arbiter_dies(machine: Machine, g: GroupMachine) -> dict[str, Any]:
    name, holder = machine.leasing.identity, g.register.holder
    if holder is None:
        return _fate(name, HOLDER, "nobody could take it over by itself")
    peers = machine.membership.peers
    silent = [node for node in peers if not machine.membership.alive(node, machine.now_s)]
    if silent:
        text = f"{holder} has to stop it within {machine.timers.own_s:g} s: {' and '.join(silent)} cannot vote"
        return _fate(name, VOTES, text, down=True)
    text = f"nothing changes: {holder} goes on by the votes of all nodes, and moves by command; no node takes over"
    return _fate(name, VOTES, text)


def _obstacles(found: tuple[Candidate, ...]) -> str:
    return "; ".join(candidate.why_not for candidate in found) or "no other node has a priority for it"


def _fate(
    dies: str, rule: Rule, text: str, *, to: str | None = None, after_s: float | None = None, down: bool = False
) -> dict[str, Any]:
    return {"dies": dies, "down": down, "to": to, "after_s": after_s, "rule": rule.id, "text": text}


def _link(rule: Rule, text: str, **values: Any) -> dict[str, Any]:
    return {"rule": rule.id, "text": text, "source": rule.source, "values": values}
