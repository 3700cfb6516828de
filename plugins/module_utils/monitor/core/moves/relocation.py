# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Moves that a holder orders by itself: another node takes the group over exactly as on a person's command.

The other node judges its own readiness before anything stops here, and may refuse; then the next one is asked.
"""

from __future__ import annotations

from ..cluster.candidates import Candidate
from .budget import times
from .care import Cause, Errand
from .decision import SHUTDOWN, SWITCHBACK
from .group import GroupMachine
from .heirs import failovers, others

ERRAND_S = 180.0
"""How long an answer is waited for: longer than a move can take, with every step at its time-out."""
RULES = {"switchback": SWITCHBACK, "shutdown": SHUTDOWN}


def move(g: GroupMachine, to: str, *, cause: Cause, why: str) -> None:
    """The node was told to take the group over, as it will be by then: the order brings nothing into service."""
    if cause != "failure":
        g.note(cause, f"{to} is to take {g.name} over from {g.world.node}: {why}", rule=RULES[cause].id, to=to)
    told = f"moved here from {g.world.node} since {why}"
    g.care.errand = Errand(group=g.name, node=to, cause=cause, given_s=g.world.now_s)
    g.world.delegate(g.care.errand, {"cause": cause, "why": told})


def on_its_way(g: GroupMachine) -> bool:
    """Whether another node has the order to take the group over; one that refused is not asked for a while."""
    errand, now_s = g.care.errand, g.world.now_s
    if errand is None:
        return False
    if errand.result is None and now_s < errand_s(errand):
        return True
    g.care.errand = None
    if errand.result is None:
        reason = "it did not answer"
    elif errand.result["ok"]:
        return False
    else:
        reason = str(errand.result["error"]["message"]).rstrip(".")
    refusal = g.care.refused(errand.node, reason, now_s)
    wait_s = refusal.until_s - now_s
    text = f"{errand.node} did not take {g.name} over: {reason}; it is not asked again for {wait_s:g} s"
    g.note("refused by candidate", text, node=errand.node, times=refusal.times, again_in_s=wait_s)
    return False


def errand_s(errand: Errand) -> float:
    """When the answer is not waited for any more."""
    return errand.given_s + ERRAND_S


def switchback(g: GroupMachine) -> None:
    """A group that may return by itself is ordered to its preferred node once that was ready for the stable time.

    Source: guide chapter 2, step 3b, "Switchback Strategy"; chapter 6, "IIS Failover".
    """
    world, home = g.world, g.group.preferred
    recovery = g.recovery
    if recovery.switchback != "automatic" or world.manual or home == world.node:
        return
    waiting = _against(g, next((c for c in others(g) if c.node == home), None))
    if waiting:
        if g.care.home_s is not None or (waiting != g.care.away and not failovers(g).left):
            g.note("no switchback", f"{g.name} stays on {world.node}: {waiting}", rule=SWITCHBACK.id, to=home)
        g.care.home_s, g.care.away = None, waiting
        return
    if g.care.home_s is None:
        g.care.home_s = world.now_s
        text = f"{home} could have {g.name} back; it returns when that has been so for {recovery.stable_s:g} s"
        g.note("switchback waits", text, rule=SWITCHBACK.id, to=home, stable_s=recovery.stable_s)
    if world.now_s >= g.care.home_s + recovery.stable_s:
        g.care.home_s = None
        move(g, home, cause="switchback", why=f"{home} is its preferred node and was ready for {recovery.stable_s:g} s")


def _against(g: GroupMachine, home: Candidate | None) -> str:
    """Why the group does not return now; empty when it may."""
    if not failovers(g).left:
        return f"it has moved {times(failovers(g).used)} lately"
    return home.why_not if home is not None else "its preferred node is no node of the cluster"
