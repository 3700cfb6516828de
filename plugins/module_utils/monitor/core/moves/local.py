# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Stories of one node alone: look, settle what runs here with what may run here, start here."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from ..cluster.ownership import (
    abandon,
    change_out,
    pass_on,
    promised_away,
    release,
    resume,
    take,
    vouched_epoch,
)
from ..values.events import Resource
from .group import GroupMachine, Order, World
from .reboot import clear_again, in_the_way
from .sequence import (
    Run,
    Stage,
    every,
    expected,
    failure_text,
    fence_stages,
    outage_s,
    phase_rows,
    start_stages,
    stop_stages,
)
from .story import Story, Until, Wait

VOTES_S = 1.0
"""How long a node that was rebooted waits for the votes of those that are clear: some heartbeats."""
BY_COMMAND = "brought into service by command"


def settle(g: GroupMachine) -> Story:
    """What may run here runs, and nothing else does. A monitor that merely restarted adopts what runs already.

    After a reboot the holder serves again only when it has heard every other node, or the arbiter gives it a new epoch:
    it cannot know what happened while it was away. Without a permit nothing is started; what runs already may run on
    for as long as the permit of the former run of this monitor can have been, and the guard knows better.
    """
    yield from _look(g)
    if not g.world.manual and g.activity == "unknown":
        _disclaim(g)
    if g.suspended and not g.conflict:
        yield from _after_reboot(g)
        if g.suspended:
            return
    if g.conflict:
        g.become("failed", f"{g.conflict}")
    elif g.holds and not g.permitted:
        yield from _without_permit(g)
    elif g.holds:
        yield from bring_up(g, f"{g.world.node} holds it at epoch {g.register.epoch}")
    else:
        yield from bring_down(g)
        if promised_away(g.register, g.world.node) and g.activity == "down":
            g.commit(pass_on(g.register))
            g.note("passed on", f"hand-over finished after a restart: {g.register.holder} may serve")


def _disclaim(g: GroupMachine) -> None:
    """What a former run of this monitor promised to itself is not claimed any more, and is in nobody's way."""
    register = g.register
    if register.promised_to == g.world.node and register.promised_epoch > register.epoch:
        g.write(abandon(register, epoch=register.promised_epoch, node=g.world.node))


def _after_reboot(g: GroupMachine) -> Story:
    if any(g.states[tag] != "down" for tag in g.group.tags):
        yield from bring_down(g)
        if g.activity == "failed":
            return
    g.become("waiting", "restarted; it serves again once every other node has been heard")
    if g.world.manual:
        yield Until(lambda: clear_again(g))
    if g.suspended and clear_again(g):
        g.write(resume(g.register))


def _without_permit(g: GroupMachine) -> Story:
    """What runs has until the end of the permit that a former run of this monitor can have had."""
    running = any(g.states[tag] != "down" for tag in g.group.tags)
    if running:
        end_s = g.world.started_s + g.world.membership.timers.own_s
        yield Until(lambda: g.permitted or not g.holds, deadline_s=max(end_s, g.world.now_s))
    if g.permitted or not g.holds:
        g.become("unknown", "may be served again" if g.holds else f"{g.register.holder} may serve it")
    elif running:
        yield from fence(g, g.world.votes.missing(g))
    else:
        g.become("waiting", f"may not be served: {g.world.votes.missing(g)}")


def fence(g: GroupMachine, reason: str) -> Story:
    """Nothing of the group is on here, and everybody is told that this node let go of it.

    When that cannot be confirmed the group stays failed and the guard resets the machine. What failed before is not the
    matter any more: everything may be off.
    """
    g.become("stopping", f"the permit ran out: {reason}")
    run = yield from g.run(fence_stages(g.group.resources))
    if run.failure is not None:
        g.care.trouble = None
        g.become("failed", f"the permit ran out, and {run.failure.text}")
        return
    if g.register.holder == g.world.node and not g.suspended:
        g.write(release(g.register))
    g.become("down", f"let go, since the permit ran out: {reason}")


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
    if g.conflict:
        g.refuse(order, "refused", torn(g))
        return
    if why := _why_not(g):
        g.refuse(order, "refused", f"{node} may not serve {g.name} now: {why}.")
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
    run = yield from bring_up(g, BY_COMMAND)
    if run is not None and run.failure is not None:
        g.refuse(order, "refused", f"{g.name} could not be brought into service on {node}: {run.failure.text}")
    elif why := _why_not(g):
        g.refuse(order, "refused", f"{node} may not serve {g.name} now: {why}.")
    else:
        g.tell(order, changed=True, data=_move(g, outcome="started", run=run))


def serve_again(g: GroupMachine, order: Order) -> Story:
    """As ``start_here``, after a reboot: every other node is clear, or an operator vouches for it.

    Votes for the new epoch may be on their way still; when they come late the group is served then.
    """
    world = g.world
    if refusal := in_the_way(g, order.off):
        g.refuse(order, "refused", refusal)
        return
    if not order.check and order.verb != "plan":
        reports = [peer.groups[g.name].register for peer in world.membership.peers.values() if g.name in peer.groups]
        epoch = vouched_epoch([g.register, *reports], rank=rank(world))
        world.vouched |= set(order.off)
        g.commit(take(epoch=epoch, node=world.node, out=g.register.out))
        g.become("waiting", BY_COMMAND)
        yield Until(lambda: g.permitted, deadline_s=world.now_s + VOTES_S)
    yield from start_here(g, order)


def unfinished(g: GroupMachine, order: Order) -> Story:
    """Refused: this node has promised the group away and could not stop it yet."""
    text = f"{g.world.node} is handing {g.name} over to {g.register.promised_to} and could not finish it: {g.reason}"
    g.refuse(order, "refused", text)
    yield from ()


def bring_up(g: GroupMachine, reason: str) -> Generator[Wait, None, Run | None]:
    """Everything needed is up and the rest is down; None when nothing had to be done or it may not be served now."""
    needed = g.group.needed(g.register.out)
    surplus = [r for r in g.group.resources if r not in needed and g.states.get(r.tag) != "down"]
    missing = [r for r in needed if g.states.get(r.tag) != "up"]
    if not surplus and not missing:
        g.become("up" if needed else "down", "found running" if needed else "everything is out of service")
        return None
    if missing:
        # A permit from before the group was described anew is not for what came to it then.
        yield Until(lambda: not g.permitted or _voted(g), deadline_s=g.backing.until_s)
        if why := _why_not(g):
            g.become("waiting", f"may not be served: {why}")
            return None
    g.become("starting", reason)
    run = yield from g.run((*stop_stages(surplus), *start_stages(missing)))
    if run.failure is None:
        g.become("up", reason)
    else:
        g.become("failed", run.failure.text)
    return run


def _why_not(g: GroupMachine) -> str:
    """Why the group may not be served here at this moment; empty when it may."""
    if g.holds:
        return "" if g.permitted else g.world.votes.missing(g)
    return f"{g.register.holder or 'nobody'} has it at epoch {g.register.epoch}"


def _voted(g: GroupMachine) -> bool:
    return g.world.votes.until_s(g) > g.world.now_s


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


def announce(g: GroupMachine) -> Story:
    """The neighbours know where the group's addresses are; starting an address that is up tells them again."""
    up = [ip for ip in g.group.ips if g.states.get(ip.tag) == "up"]
    yield from g.run((tuple(("start", ip) for ip in up),) if up else ())


def _look(g: GroupMachine) -> Generator[Wait, None, None]:
    run = yield from g.run(every(g.group, "observe"))
    for resource in g.group.resources:
        if resource.tag not in run.states:
            g.states[resource.tag] = "unknown"
    g.observed_s = g.world.now_s


def torn(g: GroupMachine) -> str:
    """Why a group whose resources are held by several nodes cannot be acted on as one, and what to do."""
    return f"{g.name} cannot move as one: {g.conflict}. {torn_cure(g)}"


def torn_cure(g: GroupMachine) -> str:
    """What brings a torn group together: each node stops its part, then one starts all."""
    return f"Take {', '.join(g.group.heads)} out of service in one command, and bring them into service again."


def rank(world: World) -> int:
    """The node's place among all nodes, by name."""
    return sum(peer < world.node for peer in world.membership.peers)


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
