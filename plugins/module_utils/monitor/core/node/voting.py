# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Who votes for this node, and for how long it may serve: as plain data for status and explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cluster.peer import NEVER_S
from ..cluster.permits import by_arbiter_s
from ..moves.group import GroupMachine

if TYPE_CHECKING:
    from .machine import Machine

FOREVER_S = float("inf")


def voting(machine: Machine) -> dict[str, Any]:
    """The arbiter: which it is, whether it counts, whether it answers, and why not."""
    leasing = machine.leasing
    answers = machine.manual or machine.arbiter_answers
    reason = ""
    if not leasing.counts:
        reason = f"not every node is known to have {leasing.identity} yet: until then all nodes have to vote"
    elif not answers:
        reason = leasing.own.reason or "it has not answered for a while"
    return {
        "arbiter": leasing.identity,
        "counts": leasing.counts,
        "answers": answers,
        "answered_s_ago": _ago(leasing.own.answered_s, machine.now_s),
        "reason": reason,
    }


def permit(machine: Machine, g: GroupMachine) -> dict[str, Any] | None:
    """For how long this node may serve the group, and by whose votes; None when it does not hold it.

    ``seconds_left`` is None for a permit without end.
    """
    if g.register.holder != machine.node:
        return None
    until_s, now_s = g.backing.until_s, machine.now_s
    if until_s == FOREVER_S:
        return {"seconds_left": None, "votes": []}
    arbiter_s = (
        by_arbiter_s(g.backing, epoch=g.epoch_here, own=machine.leasing.own) if machine.leasing.counts else NEVER_S
    )
    votes = [{"voter": machine.leasing.identity, "asked_s_ago": _ago(arbiter_s, now_s)}]
    peers = machine.membership.peers.values()
    votes += [{"voter": peer.name, "asked_s_ago": _ago(peer.acked_s, now_s)} for peer in peers]
    return {"seconds_left": max(0.0, round(until_s - now_s, 3)), "votes": votes}


def _ago(then_s: float | None, now_s: float) -> float | None:
    return None if then_s is None or then_s == NEVER_S else round(now_s - then_s, 3)
