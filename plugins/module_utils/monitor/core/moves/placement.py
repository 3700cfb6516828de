# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What stands against a move before anyone looks at resources: membership, configuration, priorities, conflicts."""

from __future__ import annotations

from ..values.problems import Problem, found
from .group import GroupMachine, Order
from .local import torn_cure
from .readiness import AGREED, ALIVE, CONFLICT, LISTED


def back_again(g: GroupMachine, peer: str, order: Order) -> bool:
    """Whether a node that was said to be off has been heard of late; it may have been told that nobody serves."""
    known = g.world.membership.peers.get(peer)
    heard_s = known.heard_s if known else None
    return heard_s is not None and (heard_s > order.given_s or g.world.membership.alive(peer, g.world.now_s))


def standing(g: GroupMachine, order: Order, *, source: str | None) -> list[Problem]:
    """The problems that the cluster itself has with this node taking the group over from ``source``."""
    world = g.world
    node = world.node
    problems = []
    if node not in g.group.priorities:
        problems.append(
            found(
                LISTED,
                path=f"{g.name} on {node}",
                value=node,
                message=f"{node} has no priority for {g.name}.",
                cure=f"Add {node} to its priorities.",
            )
        )
    if g.conflict:
        problems.append(
            found(
                CONFLICT,
                path=g.name,
                value=None,
                message=f"{g.name} cannot move as one: {g.conflict}.",
                cure=torn_cure(g),
            )
        )
    concerned = [source] if source else _voters(g, order)
    for peer in concerned:
        problems += _peer(g, peer)
    for peer in order.off:
        if back_again(g, peer, order):
            problems.append(
                found(
                    ALIVE,
                    path="peers_off",
                    value=peer,
                    message=f"{peer} is said to be switched off, but its heartbeats arrive.",
                    cure=f"Leave {peer} out of peers_off.",
                )
            )
    return problems


def _voters(g: GroupMachine, order: Order) -> list[str]:
    """The nodes without which the group cannot be taken when nobody holds it: none while there is an arbiter."""
    if not g.world.manual and not order.off:
        return []
    return [peer for peer in g.world.membership.peers if peer not in order.off]


def _peer(g: GroupMachine, peer: str) -> list[Problem]:
    world = g.world
    state = world.membership.state(peer, world.now_s)
    if state != "alive":
        return [
            found(
                ALIVE,
                path=f"{g.name} from {peer}",
                value=state,
                message=f"{peer} is {state}: no heartbeat arrives, so nobody can know whether it serves {g.name}.",
                cure=f"Bring {peer} back, or make sure that it is switched off and add it to peers_off.",
            )
        ]
    digest = world.membership.peers[peer].config_digest
    if digest != world.digest:
        return [
            found(
                AGREED,
                path=f"{world.node} and {peer}",
                value=digest,
                message=f"{world.node} and {peer} have different configurations ({world.digest} and {digest}).",
                cure="Run the set-up playbook for all nodes.",
            )
        ]
    return []
