# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A group that nobody serves although somebody should: this node gets ready, waits for its turn, and takes it.

Nothing is guessed about the former holder: its lease has to run out here and at the arbiter, which only votes then.
The time until then is used to look and to prepare, so that what is left is the claim and the start.
Source: guide chapter 6 ("Recovering from a Server Failure"); docs/decisions/0011-permits.md.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import count

from .election import CLAIM_S, Grant, obtain
from .group import GroupMachine, Order
from .heirs import had_it, orphan_bar, orphan_turn_s
from .readiness import STRANGER
from .sequence import prepare_stages
from .story import Story, Turn, Until, Wait, pause
from .takeover import judged, refused_text, serve, undo_preparation

LEAD_S = 0.7
"""How long before the holder's lease runs out the standby looks and prepares; its own permit is over by then."""
RETRY_S = 0.1
ATTEMPTS = 12
"""How often, and how soon after each other, the arbiter is asked although it may hear the holder still."""
BACK_OFF_S = 5.0
BACK_OFF_MAX_S = 600.0
"""After a failure a node tries again after 5 s, and after twice as long each time. Source: engines.md 2.5."""


def bereft(g: GroupMachine) -> bool:
    """Whether the group should be in service and has no holder that may serve it, as far as this node knows.

    What was never placed, or was taken out of service, is not. With the manual arbiter groups move by command only.
    """
    register = g.register
    if g.world.manual or g.conflict or register.epoch == 0 or not g.group.needed(register.out):
        return False
    if register.stays and register.holder != g.world.node:
        return False
    if g.world.node not in g.group.priorities:
        return False
    holder = register.holder
    return holder is None or g.suspended or _silent(g, holder)


def look_at_s(g: GroupMachine) -> float | None:
    """When this node should begin to get ready for the group; None while there is nothing to wait for."""
    if not bereft(g):
        return None
    if (barrier := orphan_bar(g)) is not None:
        return barrier.until_s if barrier.until_s < float("inf") else None
    return max(_vacant_s(g) - LEAD_S, g.retry_s)


def fail_over(g: GroupMachine) -> Story:
    """The group is in service here, or another node has it, or this node could not and waits before it tries again."""
    node, holder = g.world.node, g.register.holder
    why = _why(g, holder)
    order = Order(
        ticket=_ticket(g), verb="failover", tags=(), why=why, cause="reboot" if had_it(g) == node else "failure"
    )
    problems = yield from judged(g, order, None)
    if any(problem.rule == STRANGER.id for problem in problems):
        # The former holder may have it until its permit runs out; whoever answers then is a stranger.
        vacant_s = _vacant_s(g)
        yield Until(lambda: not bereft(g) or g.world.now_s >= vacant_s, deadline_s=vacant_s)
        problems = (yield from judged(g, order, None)) if bereft(g) else []
    if reason := refused_text(g, problems) if problems else (yield from _prepare(g)):
        _later(g, reason)
        return
    due_s = max(g.world.now_s, _vacant_s(g)) + orphan_turn_s(g)
    yield Until(lambda: not bereft(g) or g.world.now_s >= due_s, deadline_s=due_s)
    if not bereft(g) or g.world.now_s < _vacant_s(g) or orphan_bar(g) is not None:
        yield from undo_preparation(g)
        return
    grant = yield from _claim(g, order)
    if grant is None:
        yield from undo_preparation(g)
        return
    yield from serve(g, order, None, grant)
    if g.activity == "up":
        g.failures = 0
    elif orphan_bar(g) is None:
        _later(g, g.reason)


def _prepare(g: GroupMachine) -> Generator[Wait, None, str]:
    """Why this node cannot be prepared for the group; empty when it is."""
    g.care.prepared = True
    prepared = yield from g.run(prepare_stages(g.group.needed(g.register.out)))
    if prepared.failure is None:
        return ""
    yield from undo_preparation(g)
    return prepared.failure.text


def overruled(g: GroupMachine) -> bool:
    """Whether this node serves by its peers' votes alone, for the arbiter gave the group to a claim of another."""
    return g.activity == "up" and g.backing.lost and g.permitted and g.world.arbiter_answers


def claim_anew(g: GroupMachine) -> Story:
    """The arbiter's vote is this node's again, at a new epoch, and what runs goes on; or it is tried again later."""
    grant = yield from obtain(g, Order(ticket=_ticket(g), verb="failover", tags=()), None)
    if not isinstance(grant, Grant):
        g.retry_s = g.world.now_s + BACK_OFF_S


def _claim(g: GroupMachine, order: Order) -> Generator[Wait, None, Grant | None]:
    """The right to serve; None when somebody else has the group meanwhile.

    The lease may run a little longer at the arbiter than here. A holder that the arbiter goes on to hear keeps the
    group; this node waits until it does not hear it any more.
    """
    for attempt in count(1):
        yield Until(lambda: g.world.arbiter_answers or not bereft(g))
        yield Turn(lambda: g.world.votes.may_claim(g) or not bereft(g), every_s=CLAIM_S)
        if not bereft(g):
            return None
        grant = yield from obtain(g, order, None)
        if isinstance(grant, Grant):
            return grant
        if attempt == ATTEMPTS:
            g.note("not taken", f"{g.world.node} does not take {g.name} over yet: {grant}", why=grant)
        yield pause(g.world.now_s + RETRY_S)
        if attempt >= ATTEMPTS:
            # Where it is this node's own still, the arbiter may have promised it to another before the reboot.
            again_s = g.world.now_s + BACK_OFF_S if had_it(g) == g.world.node else None
            yield Until(lambda: not bereft(g) or not g.world.votes.arbiter_hears(had_it(g)), deadline_s=again_s)
    return None


def _later(g: GroupMachine, reason: str) -> None:
    """This node tries again when its back-off is over, and says so."""
    pause_s = min(BACK_OFF_S * 2**g.failures, BACK_OFF_MAX_S)
    g.failures += 1
    g.retry_s = g.world.now_s + pause_s
    text = f"{g.world.node} does not take {g.name} over: {reason}; tries again in {pause_s:g} s"
    g.note("not taken", text, why=reason)


def _vacant_s(g: GroupMachine) -> float:
    """When the group can be claimed, by this node's clock."""
    register = g.register
    heir = register.promised_to if register.promised_epoch > register.epoch else None
    others = {register.holder, register.former, heir} - {g.world.node}
    return max((g.lapse_s(node) for node in others if node is not None), default=g.world.now_s)


def _ticket(g: GroupMachine) -> str:
    """A name for what this node does by itself, different from every other."""
    return f"failover/{g.world.node}-{g.world.incarnation}.{next(g.world.ids)}"


def _silent(g: GroupMachine, holder: str) -> bool:
    world = g.world
    return holder != world.node and world.membership.state(holder, world.now_s) != "alive"


def _why(g: GroupMachine, holder: str | None) -> str:
    if holder is None:
        return "nobody served it"
    if holder == g.world.node:
        return f"{holder} was restarted"
    return f"{holder} is silent and its lease has run out"
