# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""How a node comes to have a group: the votes for a new epoch, its own vote last, and the holder's consent.

Two ways lead there. With the ``manual`` arbiter every other node grants the epoch, or the holder alone. With any other
arbiter its vote decides, or that of every peer while it is away and the holder consents; the holder, if it lives, is
asked only then. What was voted for and is not used is abandoned, and told, so that it is in nobody's way.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from ...errors import require
from ..cluster.acceptor import objection
from ..cluster.ownership import abandon, next_epoch, promise, take, vouched_epoch
from ..values.arbitration import Verdict
from ..values.messages import Answer, Ask, Look, PhaseTime, Register
from ..values.profiles import TAKE_MAX_S
from .group import GroupMachine, Order
from .local import rank
from .placement import back_again
from .story import Claiming, Questions, Until, Wait, pause

CLAIM_S = 1.0
"""How long the arbiter has for a verdict: several renewals, so that one that is alive answers."""


FIRST_TIME_S = TAKE_MAX_S + 2.0
"""How long a group that was never placed waits for an arbiter that gets to know it: one that has just started does not
know what it promised before, and waits itself."""
NO_ARBITER = "the arbiter does not answer"
OUTDATED = "the arbiter knows better what is out of service"


@dataclass(slots=True, kw_only=True)
class Grant:
    """What the former holder passed on: the hierarchies out of service, and how long its stop took."""

    epoch: int
    out: frozenset[str]
    phases: tuple[PhaseTime, ...] = ()


def obtain(g: GroupMachine, order: Order, source: str | None) -> Generator[Wait, None, Grant | str]:
    """The right to serve the group here at a new epoch, or why there is none."""
    if g.world.manual or (order.off and not g.world.arbiter_answers):
        return (yield from _unanimous(g, order, source))
    return (yield from _elected(g, order, source))


def questions_to(g: GroupMachine, questions: Mapping[str, Look | Ask]) -> Questions:
    """The questions as something to wait for; a node that is dead or was never heard is lost."""
    membership = g.world.membership
    return Questions(
        questions=questions,
        send=g.world.send,
        lost=lambda peer: membership.silent(peer, g.world.now_s),
        resend_s=membership.timers.resend_s,
    )


def _elected(g: GroupMachine, order: Order, source: str | None) -> Generator[Wait, None, Grant | str]:
    if g.register.epoch == 0:
        yield Until(lambda: g.world.arbiter_answers, deadline_s=g.world.now_s + FIRST_TIME_S)
    if source is None and not g.world.arbiter_answers:
        return NO_ARBITER + _or_vouch(g)
    epoch = next_epoch(_registers(g))
    end_s = g.world.now_s + FIRST_TIME_S
    while reason := (yield from _votes(g, order, epoch, source)):
        _abandoned(g, epoch, reason)
        if g.register.epoch > 0 or g.world.now_s >= end_s:
            return reason
        yield pause(g.world.now_s + CLAIM_S)
        epoch = next_epoch(_registers(g))
    node = g.world.node
    if reason := objection(g.register, epoch=epoch, candidate=node, consent_of=source, lapsed=g.lapsed):
        return _abandoned(g, epoch, f"{node} itself does not vote for it: {reason}")
    if source is None:
        out = g.register.out
        g.commit(take(epoch=epoch, node=node, out=out - set(order.tags)))
        return Grant(epoch=epoch, out=out - set(order.tags))
    g.commit(promise(g.register, epoch=epoch, candidate=node))
    ask = Ask(request=order.ticket, group=g.name, epoch=epoch)
    grant = yield from _asked(g, order, ask, [source], source=source)
    return _abandoned(g, epoch, grant) if isinstance(grant, str) else grant


def _or_vouch(g: GroupMachine) -> str:
    """How a person takes the arbiter's place, where nodes are silent; empty where none is."""
    membership = g.world.membership
    silent = [peer for peer in membership.peers if membership.silent(peer, g.world.now_s)]
    names = ", ".join(silent)
    return f"; bring it back, or make sure that {names} is switched off and add peers_off: [{names}]" if silent else ""


def _votes(g: GroupMachine, order: Order, epoch: int, source: str | None) -> Generator[Wait, None, str]:
    """Empty when a quorum has voted for this node; else why not. The own vote is not among them yet."""
    world = g.world
    if world.arbiter_answers:
        claiming = Claiming(
            ask=lambda: world.votes.claim(g, epoch=epoch, consent_of=source),
            resend_s=world.membership.timers.resend_s,
            deadline_s=world.now_s + CLAIM_S,
        )
        yield claiming
        if claiming.verdict is not None:
            if claiming.verdict.granted:
                return OUTDATED if source is None and _outdated(g, claiming.verdict) else ""
            return f"the arbiter does not vote for it: {claiming.verdict.reason}"
    if source is None:
        return NO_ARBITER
    others = [peer for peer in world.membership.peers if peer != source]
    ask = Ask(request=f"{order.ticket}/promise", group=g.name, epoch=epoch, consent_of=source)
    questions = questions_to(g, dict.fromkeys(others, ask))
    yield questions
    answers = {peer: a for peer, a in questions.answers.items() if isinstance(a, Answer)}
    refused = [f"{peer}: {a.reason}" for peer, a in answers.items() if not a.granted]
    if refused or questions.lost:
        return "; ".join([NO_ARBITER, *refused, *(f"nor does {peer}" for peer in sorted(questions.lost))])
    _promised(g, [*others, source], epoch)
    return ""


def _outdated(g: GroupMachine, verdict: Verdict) -> bool:
    """Whether the arbiter has heard of a command by which something else is out of service than this node knows."""
    out = {register.out for register in verdict.registers.values()}
    return len(out) == 1 and g.register.out not in out


def _promised(g: GroupMachine, peers: Sequence[str], epoch: int) -> None:
    """The peers' promises count from the heartbeat that each had echoed last when it gave them."""
    known = g.world.membership.peers
    g.backing.promised = {peer: (epoch, known[peer].acked_s) for peer in peers}


def _abandoned(g: GroupMachine, epoch: int, reason: str) -> str:
    """The reason; and nobody waits for this node to use the epoch."""
    g.backing.forget()
    if g.register.epoch < epoch:
        g.write(abandon(g.register, epoch=epoch, node=g.world.node))
    return reason


def _unanimous(g: GroupMachine, order: Order, source: str | None) -> Generator[Wait, None, Grant | str]:
    """The grant of the holder, or of every node less those that an operator says are switched off."""
    world = g.world
    vouched = order.off if source is None else ()
    registers = _registers(g)
    epoch = vouched_epoch(registers, rank=rank(world)) if vouched else next_epoch(registers)
    g.commit(promise(g.register, epoch=epoch, candidate=world.node))
    asked = [source] if source else [peer for peer in world.membership.peers if peer not in order.off]
    ask = Ask(request=order.ticket, group=g.name, epoch=epoch, off=order.off)
    grant = yield from _asked(g, order, ask, asked, source=source)
    if isinstance(grant, Grant):
        if back := [peer for peer in vouched if back_again(g, peer, order)]:
            return f"{' and '.join(back)} is on again: its heartbeats arrive"
        _promised(g, asked, epoch)
        world.vouched |= set(vouched)
    return grant


def _asked(
    g: GroupMachine, order: Order, ask: Ask, asked: Sequence[str], *, source: str | None
) -> Generator[Wait, None, Grant | str]:
    """What those say who have to let go of the group, or must not take it meanwhile."""
    node = g.world.node
    g.progress(order, f"{g.name}: asks {' and '.join(asked) or 'nobody'} for epoch {ask.epoch}")
    questions = questions_to(g, dict.fromkeys(asked, ask))
    yield questions
    answers = {peer: a for peer, a in questions.answers.items() if isinstance(a, Answer)}
    refusals = [answer.reason for answer in answers.values() if not answer.granted]
    if refusals:
        return "; ".join(refusals)
    if questions.lost:
        lost = " and ".join(sorted(questions.lost))
        return (
            f"{lost} stopped answering while it was asked. If it has let go already, {node} starts {g.name} "
            f"as soon as {lost} is back; nobody starts it before"
        )
    register = g.register
    passed_on = (register.epoch, register.holder) == (ask.epoch, node)
    if not passed_on and (register.promised_epoch, register.promised_to) != (ask.epoch, node):
        return f"{register.promised_to} was promised epoch {register.promised_epoch} meanwhile"
    require(set(asked) == set(answers), "a group is taken only when every node that was asked has granted it")
    phases = tuple(phase for answer in answers.values() for phase in answer.phases)
    out = frozenset(tag for answer in answers.values() for tag in answer.out) if source else register.out
    return Grant(epoch=ask.epoch, out=out - set(order.tags), phases=phases)


def _registers(g: GroupMachine) -> list[Register]:
    peers = g.world.membership.peers.values()
    return [g.register, *(peer.groups[g.name].register for peer in peers if g.name in peer.groups)]
