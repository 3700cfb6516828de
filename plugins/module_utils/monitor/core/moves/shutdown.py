# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The system shuts down: every group moves to its best candidate, or is stopped in order, before it is too late.

``switchover``: the groups move, all at once; one that nobody can have is stopped and let go, so that whoever is ready
first takes it. ``stay``: they are stopped and remain this node's; nobody takes them over by itself meanwhile.
Source: guide chapter 2, "Install and Configure LifeKeeper and Recovery Kits", step 1, "Shutdown Strategy".
"""

from __future__ import annotations

from ..cluster.candidates import best
from ..cluster.ownership import release, stay
from .decision import SHUTDOWN
from .group import GroupMachine
from .heirs import others
from .relocation import move, on_its_way
from .sequence import failure_text, stop_stages
from .story import Story, Task

MOVE_S = 40.0
"""After so long no more move is begun; what is here still is stopped."""
LEAVE_S = 60.0
"""After so long the system is not held up any longer."""


def leave(g: GroupMachine) -> Task | None:
    """What is to be done now with a group on a node that shuts down."""
    world = g.world
    if not g.holds or on_its_way(g) or has_left(g) or world.leaving_s is None:
        return None
    moves = (
        not world.manual
        and not g.conflict
        and world.recovery.shutdown == "switchover"
        and bool(g.group.needed(g.register.out))
    )
    to = best(others(g)) if moves and world.now_s < world.leaving_s + MOVE_S else None
    if to is not None:
        move(g, to, cause="shutdown", why=f"{world.node} shuts down")
        return None
    why_not = "; ".join(c.why_not for c in others(g)) if moves else f"strategy {world.recovery.shutdown}"
    return Task("stops it for the shutdown", _stop(g, moves, why_not), background=True)


def has_left(g: GroupMachine) -> bool:
    """Whether nothing of the group is in the way of the shutdown any more; a hand-over under way is."""
    if g.task is not None and not g.task.background:
        return False
    return not g.holds or g.register.stays or g.care.given_up


def _stop(g: GroupMachine, moves: bool, why_not: str) -> Story:
    node = g.world.node
    g.become("stopping", f"{node} shuts down")
    run = yield from g.run(stop_stages(g.group.resources))
    if run.failure is not None:
        g.care.given_up = True
        g.become("failed", f"{failure_text(run.failure)} while {node} shuts down")
        return
    if g.conflict:
        g.care.given_up = True
        g.become("failed", f"{g.conflict}; stopped since {node} shuts down")
        return
    g.commit(release(g.register) if moves else stay(g.register))
    what = "nobody can take it over, it is let go" if moves else f"it stays with {node}"
    g.note("stopped", f"{g.name} is stopped since {node} shuts down; {what}: {why_not}", rule=SHUTDOWN.id)
    g.become("down", f"stopped since {node} shuts down; {what}")
