# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a group does next when nobody tells it: go on, take the next order, settle, look again."""

from __future__ import annotations

from .failover import claim_anew, fail_over, look_at_s, overruled
from .group import GroupMachine, Order
from .heirs import pardon
from .local import announce, fence, serve_again, settle, start_here, unfinished
from .out_of_service import take_out
from .reboot import clear_again
from .recovery import attend, attend_s, bars_start
from .shutdown import leave
from .story import Story, Task, Until
from .takeover import take_over, undo_preparation

ROUNDS = 16
"""Bound on what one event can set off in one group; reached only by a bug, which then waits for the next event."""
DOING = {
    "in_service": "brings it into service",
    "out_of_service": "takes it out of service",
    "plan": "plans a move",
}
"""What an order is, for those who are told that the node is busy."""


def tend(g: GroupMachine) -> None:
    """The group has gone as far as it can at this moment."""
    now_s = g.world.now_s
    g.looks = [task for task in g.looks if not task.proceed(now_s)]
    for _round in range(ROUNDS):
        if g.waiting:
            free(g)
        if g.task is None:
            g.task = _next(g)
        if g.task is None or not g.task.proceed(now_s):
            return
        g.task = None
        g.order = None


def lapse(g: GroupMachine) -> None:
    """The permit is over: whatever was under way ends, and everything that may be on is taken off first of all."""
    reason = g.world.votes.missing(g)
    g.backing.drop()
    if g.register.holder != g.world.node or _nothing_on(g):
        return
    if g.order is not None:
        g.refuse(g.order, "refused", f"{g.world.node} may not serve {g.name} any more: {reason}.")
        g.order = None
    g.task = Task("fence", fence(g, reason))


def _nothing_on(g: GroupMachine) -> bool:
    return g.activity in ("down", "waiting") and all(state == "down" for state in g.states.values())


def next_look_s(g: GroupMachine) -> float | None:
    """When the group wants to be tended without any event."""
    deadlines = [task.deadline_s() for task in (g.task, *g.looks) if task is not None]
    if g.task is None and g.observed_s is not None:
        deadlines.append(attend_s(g))
        deadlines.append(look_at_s(g))
    return min((d for d in deadlines if d is not None), default=None)


def free(g: GroupMachine) -> bool:
    """Whether the group can begin something else now; a story that merely looks or waits is given up for it."""
    if g.task is not None and (g.task.yielding or (g.task.background and isinstance(g.task.wait, Until))):
        g.task = None
    return g.task is None


def _next(g: GroupMachine) -> Task | None:
    if g.waiting and (g.activity == "waiting" or not _unsettled(g)):
        g.order = g.waiting.pop(0)
        return Task(DOING[g.order.verb], _story(g, g.order))
    if g.world.leaving_s is not None and g.holds:
        return leave(g)
    if _unsettled(g) and not bars_start(g):
        return Task("settle", settle(g), background=True)
    if (due_s := look_at_s(g)) is not None and g.world.now_s >= due_s:
        return Task("takes it over", fail_over(g), background=True)
    if g.care.prepared and not g.holds:
        return Task("undoes its preparation", undo_preparation(g), background=True)
    if overruled(g) and g.world.now_s >= g.retry_s:
        return Task("claims it anew", claim_anew(g), background=True)
    if g.announce and g.activity == "up" and g.permitted:
        g.announce = False
        return Task("announces its addresses", announce(g), background=True, yielding=True)
    return attend(g)


def _story(g: GroupMachine, order: Order) -> Story:
    if order.cause == "command" and order.verb != "plan" and not order.check:
        pardon(g)
    if order.verb == "out_of_service":
        return take_out(g, order)
    if g.register.holder != g.world.node:
        return take_over(g, order)
    if g.suspended and not g.conflict:
        return serve_again(g, order)
    return start_here(g, order) if g.holds or g.conflict else unfinished(g, order)


def _unsettled(g: GroupMachine) -> bool:
    if g.activity == "unknown":
        return True
    if g.conflict:
        return False
    if g.suspended:
        return g.activity != "waiting" or clear_again(g)
    if g.holds:
        return g.activity in ("waiting", "down") and bool(g.group.needed(g.register.out)) and g.permitted
    if g.activity == "failed":
        on = any(state != "down" for state in g.states.values())
        return _look_due(g) if on else g.register.holder is not None
    return g.activity != "down" or _intruding(g)


def _intruding(g: GroupMachine) -> bool:
    """Whether an address or a volume is on here although this node does not hold the group: somebody's hand."""
    children = [ip.tag for ip in g.group.ips] + [volume.tag for volume in g.group.volumes]
    return any(g.states.get(tag, "unknown") in ("up", "partial") for tag in children)


def _look_due(g: GroupMachine) -> bool:
    return g.observed_s is not None and g.world.now_s >= g.observed_s + g.world.membership.timers.observe_s
