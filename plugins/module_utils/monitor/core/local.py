# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Stories of one node alone: look, settle what runs here with what may run here, start here, take out of service."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from .events import Resource
from .group import GroupMachine, Order, failure_text, phase_rows
from .ownership import change_out, give_up, next_epoch, pass_on, promised_away
from .sequence import Run, Stage, every, expected, outage_s, start_stages, stop_stages
from .story import Story, Until, Wait


def settle(g: GroupMachine, *, rebooted: bool) -> Story:
    """What may run here runs, and nothing else does. A monitor that merely restarted adopts what runs already.

    After a reboot the holder serves again only when it has heard every other node: it cannot know what an operator
    did while it was away.
    """
    yield from _look(g)
    if g.holds and rebooted:
        g.become("waiting", "restarted; it serves again once every other node has been heard")
        yield Until(lambda: not g.holds or _heard_all(g))
    if g.conflict:
        g.become("failed", f"{g.conflict}; move them to one node")
    elif g.holds:
        yield from bring_up(g, f"{g.world.node} holds it at epoch {g.register.epoch}")
    else:
        yield from bring_down(g)
        if promised_away(g.register, g.world.node) and g.activity == "down":
            g.commit(pass_on(g.register))
            g.note("passed on", f"hand-over finished after a restart: {g.register.holder} may serve")


def observe(g: GroupMachine) -> Story:
    """The resources' states are up to date; what changed is noted. Nothing is acted on."""
    before = dict(g.states)
    yield from _look(g)
    for tag, state in g.states.items():
        if before.get(tag) not in (None, state):
            g.note("noticed", f"{tag} is {state} on {g.world.node}, was {before[tag]}", resource=tag, state=state)


def start_here(g: GroupMachine, order: Order) -> Story:
    """The order's hierarchies are in service on this node, which holds the group already."""
    node = g.world.node
    unheard = [p for p in g.world.membership.peers if not _heard(g, p) and p not in order.off]
    if g.activity == "waiting" and unheard:
        g.refuse(order, "refused", _unheard(node, unheard))
        return
    out = g.register.out - set(order.tags)
    yield from _look(g)
    missing = [r for r in g.group.needed(out) if g.states.get(r.tag) != "up"]
    if not missing and out == g.register.out:
        g.become("up", g.reason if g.activity == "up" else "found running")
        g.tell(order, changed=False, data=_move(g, outcome="unchanged"))
        return
    if order.check or order.verb == "plan":
        g.tell(order, changed=order.check, data=_move(g, outcome="started", stages=start_stages(missing)))
        return
    if out != g.register.out:
        g.commit(change_out(g.register, out))
    run = yield from bring_up(g, f"{order.verb} by command")
    if run is None or run.failure is None:
        g.tell(order, changed=True, data=_move(g, outcome="started", run=run))
    else:
        g.refuse(order, "refused", f"{g.name} could not be brought into service on {node}: {run.failure.text}")


def unfinished(g: GroupMachine, order: Order) -> Story:
    """Refused: this node has promised the group away and could not stop it yet."""
    text = f"{g.world.node} is handing {g.name} over to {g.register.promised_to} and could not finish it: {g.reason}"
    g.refuse(order, "refused", text)
    yield from ()


def take_out(g: GroupMachine, order: Order) -> Story:
    """The order's hierarchies and what only they need are stopped here, and stay so through restarts.

    When nothing of the group is left in service, nobody holds it. Source: guide chapter 5, "Out of Service".
    """
    out = g.register.out | set(order.tags)
    if out == g.register.out:
        g.tell(order, changed=False, data={"group": g.name, "tags": list(order.tags), "outcome": "unchanged"})
        return
    if order.check:
        g.tell(order, changed=True, data={"group": g.name, "tags": list(order.tags), "outcome": "stopped"})
        return
    keep = g.group.needed(out)
    g.become("stopping", f"{', '.join(order.tags)} taken out of service by command")
    run = yield from g.run(stop_stages([r for r in g.group.resources if r not in keep]))
    if run.failure is not None:
        g.become("failed", run.failure.text)
        g.refuse(order, "refused", f"{g.name} is not wholly stopped on {g.world.node}: {run.failure.text}")
        return
    if keep:
        g.commit(change_out(g.register, out))
        g.become("up", f"{', '.join(sorted(out))} out of service by command")
    else:
        g.commit(give_up(epoch=next_epoch([g.register]), out=out))
        g.become("down", "taken out of service by command")
    data = {"group": g.name, "tags": list(order.tags), "outcome": "stopped", "phases": phase_rows(run.phases)}
    g.note("out of service", f"{', '.join(order.tags)} taken out of service", phases=phase_rows(run.phases))
    g.tell(order, changed=True, data=data)


def bring_up(g: GroupMachine, reason: str) -> Generator[Wait, None, Run | None]:
    """Everything needed is up and the rest is down; None when nothing had to be done."""
    needed = g.group.needed(g.register.out)
    surplus = [r for r in g.group.resources if r not in needed and g.states.get(r.tag) != "down"]
    missing = [r for r in needed if g.states.get(r.tag) != "up"]
    if not surplus and not missing:
        g.become("up" if needed else "down", "found running" if needed else "everything is out of service")
        return None
    g.become("starting", reason)
    run = yield from g.run((*stop_stages(surplus), *start_stages(missing)))
    if run.failure is None:
        g.become("up", reason)
    else:
        g.become("failed", run.failure.text)
    return run


def bring_down(g: GroupMachine) -> Generator[Wait, None, None]:
    """Nothing of the group runs here."""
    running: Sequence[Resource] = [r for r in g.group.resources if g.states.get(r.tag) != "down"]
    if running:
        away = promised_away(g.register, g.world.node)
        owner = g.register.promised_to if away else g.register.holder
        g.become("stopping", f"{owner or 'nobody'} may serve it, not {g.world.node}")
    run = yield from g.run(stop_stages(running))
    if run.failure is None:
        g.become(
            "down",
            "nobody serves it" if g.register.holder in (None, g.world.node) else f"{g.register.holder} serves it",
        )
    else:
        g.become("failed", failure_text(run.failure))


def _look(g: GroupMachine) -> Generator[Wait, None, None]:
    run = yield from g.run(every(g.group, "observe"))
    for resource in g.group.resources:
        if resource.tag not in run.states:
            g.states[resource.tag] = "unknown"
    g.observed_s = g.world.now_s


def _heard(g: GroupMachine, peer: str) -> bool:
    return g.name in g.world.membership.peers[peer].groups


def _heard_all(g: GroupMachine) -> bool:
    return all(_heard(g, peer) for peer in g.world.membership.peers)


def _unheard(node: str, unheard: Sequence[str]) -> str:
    names = ", ".join(unheard)
    return (
        f"{node} was restarted and has not heard {names} since, which may serve the group now. "
        f"Bring {names} back, or make sure that it is switched off and repeat the command with peers_off: [{names}]."
    )


def _move(g: GroupMachine, *, outcome: str, run: Run | None = None, stages: Sequence[Stage] = ()) -> dict[str, object]:
    """What happened here, or with ``stages`` what would; the form of a plan and of a move."""
    phases = run.phases if run else []
    planned = expected(stages, g.world.node, g.world.durations)
    return {
        "allowed": True,
        "problems": [],
        "dragged": [],
        "group": g.name,
        "tags": list(g.group.heads),
        "from": g.world.node,
        "to": g.world.node,
        "epoch": g.register.epoch,
        "outcome": outcome,
        "outage_s": outage_s([], phases),
        "phases": planned or phase_rows(phases),
    }
