# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The other side of a move: a node is asked to let a group go.

Order of durability: the promise is durable before the first resource stops; the grant is sent only after every stop
was confirmed. A crash in between is finished by ``local.settle``. A stop that is not confirmed is never a grant.
"""

from __future__ import annotations

from ..cluster.acceptor import objection
from ..cluster.ownership import has_abandoned, keep, pass_on, promise, refusal
from ..values.messages import Answer, Ask, PhaseTime
from .group import GroupMachine
from .local import bring_up
from .sequence import failure_text, stop_stages
from .story import Story


def settled_answer(g: GroupMachine, peer: str, ask: Ask) -> Answer | None:
    """The answer that needs no work: granted already, or refused; None when there is work to do."""
    register = g.register
    if register.epoch == ask.epoch and register.holder == peer:
        return _answer(ask, granted=True, g=g)
    reason = _objection(g, peer, ask)
    heard = [node for node in ask.off if g.world.membership.alive(node, g.world.now_s)]
    if not reason and heard:
        reason = f"{g.world.node} hears {', '.join(heard)}, which is said to be switched off"
    return _answer(ask, granted=False, g=g, reason=reason) if reason else None


def _objection(g: GroupMachine, peer: str, ask: Ask) -> str:
    """Why this node does not promise the epoch; empty when it does. Its own consent is given by stopping first."""
    register = g.register
    report = g.world.membership.peers[peer].groups.get(g.name)
    if report is not None and has_abandoned(report.register, ask.epoch):
        return f"{peer} has abandoned epoch {ask.epoch}"
    if not g.world.manual:
        consent_of = g.world.node if register.holder == g.world.node else ask.consent_of
        return objection(
            register,
            epoch=ask.epoch,
            candidate=peer,
            consent_of=consent_of,
            lapsed=lambda node: node in ask.off or g.lapsed(node),
        )
    reason = refusal(register, epoch=ask.epoch, candidate=peer)
    if not reason and register.holder not in (None, g.world.node, *ask.off):
        reason = f"{register.holder} holds the group at epoch {register.epoch}"
    return reason


def hand_over(g: GroupMachine, peer: str, ask: Ask) -> Story:
    """Nothing of the group runs here and the peer has the grant, or the group runs here as before and it has not."""
    node = g.world.node
    serving = g.register.holder == node
    g.commit(promise(g.register, epoch=ask.epoch, candidate=peer))
    if not serving and g.activity == "down" and all(state == "down" for state in g.states.values()):
        g.world.send(peer, _answer(ask, granted=True, g=g))
        return
    g.become("stopping", f"handed over to {peer} at epoch {ask.epoch}")
    run = yield from g.run(stop_stages(g.group.resources))
    if run.failure is None:
        if serving:
            g.write(pass_on(g.register))
        g.world.send(peer, _answer(ask, granted=True, g=g, phases=tuple(run.phases)))
        g.become("down", f"handed over to {peer} at epoch {ask.epoch}")
        return
    reason = f"{node} could not stop it: {failure_text(run.failure)}"
    if serving:
        g.commit(keep(g.register, node))
        g.note("taken back", reason)
        again = yield from bring_up(g, f"taken back: {reason}")
        restarted = again is None or again.failure is None
        reason += f"; {node} has started it again" if restarted else f"; nor could {node} start it again"
    else:
        g.become("failed", run.failure.text)
    g.world.send(peer, _answer(ask, granted=False, g=g, reason=reason))


def _answer(
    ask: Ask, *, granted: bool, g: GroupMachine, reason: str = "", phases: tuple[PhaseTime, ...] = ()
) -> Answer:
    return Answer(
        request=ask.request,
        group=ask.group,
        epoch=ask.epoch,
        granted=granted,
        reason=reason,
        out=g.register.out,
        phases=phases,
    )
