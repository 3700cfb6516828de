# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What keeps a holder that was rebooted from going on: it cannot know what happened while it was away.

Source: docs/decisions/0011-permits.md; with arbiter manual there is no other way to know than to hear every node.
"""

from __future__ import annotations

from collections.abc import Sequence

from .group import GroupMachine


def clear_again(g: GroupMachine) -> bool:
    """Whether a holder that was rebooted may go on: no other node has been given the group, or can be."""
    return not g.suspended or not any(obstacle(g, peer) for peer in g.world.membership.peers)


def obstacle(g: GroupMachine, peer: str) -> str:
    """Why a holder that was rebooted cannot serve for all it knows of the peer; empty when it can.

    The peer has nothing of the group running, and has heard of the reboot: from then on it takes nothing over
    without asking, whatever an operator said about this node before.
    """
    world = g.world
    known = world.membership.peers[peer]
    report = known.groups.get(g.name)
    if not known.incarnation:
        return f"{peer} has not been heard since"
    if known.config_digest != world.digest or report is None:
        return f"{peer} has another configuration"
    if known.hears != world.incarnation:
        return f"{peer} does not hear {world.node}"
    return "" if report.activity == "down" else f"{g.name} is {report.activity} on {peer} ({report.reason})"


def in_the_way(g: GroupMachine, off: Sequence[str]) -> str:
    """Why a group that was rebooted cannot be brought into service here; empty when it can."""
    world = g.world
    alive = [peer for peer in off if world.membership.alive(peer, world.now_s)]
    if alive:
        return f"{' and '.join(alive)} is said to be switched off, but its heartbeats arrive."
    unclear = {peer: why for peer in world.membership.peers if peer not in off and (why := obstacle(g, peer))}
    if not unclear:
        return ""
    names = ", ".join(unclear)
    return (
        f"{world.node} was restarted and cannot know whether {names} may serve {g.name} now: "
        f"{'; '.join(unclear.values())}. Bring {names} back, or make sure that it is switched off and repeat the "
        f"command with peers_off: [{names}]."
    )
