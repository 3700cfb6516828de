# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The story of taking something out of service by command: stopped here, and so that it stays, whoever takes over."""

from __future__ import annotations

from ..cluster.ownership import change_out, give_up, newer, next_epoch
from .group import GroupMachine, Order
from .local import torn
from .reboot import in_the_way
from .sequence import phase_rows, stop_stages
from .story import Story, Until

TOLD_S = 2.0
"""How long a command that takes something out of service waits for others to hear of it."""


def take_out(g: GroupMachine, order: Order) -> Story:
    """The order's hierarchies and what only they need are stopped here, and stay so through restarts.

    When nothing of the group is left in service, nobody holds it. Source: guide chapter 5, "Out of Service".
    """
    holder = g.register.holder
    if holder != g.world.node:
        g.refuse(order, "refused", f"{g.world.node} does not hold {g.name}: {holder or 'nobody'} does.")
        return
    out = g.register.out | set(order.tags)
    if g.conflict and g.group.needed(out):
        g.refuse(order, "refused", torn(g))
        return
    if g.suspended and not g.conflict:
        g.refuse(order, "refused", in_the_way(g, ()) or f"{g.name} is about to be settled on {holder}; try again.")
        return
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
        g.care.hands_off = True
        g.become("failed", run.failure.text)
        g.refuse(order, "refused", f"{g.name} is not wholly stopped on {g.world.node}: {run.failure.text}")
        return
    if keep:
        g.commit(change_out(g.register, out))
        g.become("up", f"{', '.join(sorted(out))} out of service by command")
    else:
        g.conflict = ""
        g.commit(give_up(epoch=next_epoch([g.register]), out=out))
        g.become("down", "taken out of service by command")
    if not g.world.manual:
        written = g.register
        yield Until(lambda: g.world.votes.heard(g), deadline_s=g.world.now_s + TOLD_S)
        if newer(written, g.register):
            g.refuse(order, "refused", _overtaken(g, order))
            return
        if not g.world.votes.heard(g):
            g.refuse(order, "refused", _unheard(g, order))
            return
    data = {"group": g.name, "tags": list(order.tags), "outcome": "stopped", "phases": phase_rows(run.phases)}
    g.note("out of service", f"{', '.join(order.tags)} taken out of service", phases=phase_rows(run.phases))
    g.tell(order, changed=True, data=data)


def _overtaken(g: GroupMachine, order: Order) -> str:
    return (
        f"{', '.join(order.tags)} stopped on {g.world.node}, but {g.register.holder or 'another node'} had taken "
        f"{g.name} over before it heard of that. Give the command again."
    )


def _unheard(g: GroupMachine, order: Order) -> str:
    """Why what was taken out of service may not stay so: others take over from a node that they do not hear."""
    return (
        f"{', '.join(order.tags)} stopped on {g.world.node}, but neither the arbiter nor every other node has heard of "
        f"it, and they may bring it into service while they do not hear {g.world.node}. "
        f"Repair the network, or repeat the command on another node."
    )
