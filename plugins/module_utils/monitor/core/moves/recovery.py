# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node does by itself about a group that it holds: looks after it, mends it, moves it, or says why not.

Everything is decided in ``decision.decide``; here is what comes before (checks) and after (stories and errands). A
group whose holder is told by a person what to do starts with a clean sheet.
Source: guide chapter 1, "IIS Overview"; chapter 6, "IIS Failover".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..cluster.ownership import stay
from ..values.events import Resource
from ..values.model import Hierarchy
from .care import Trouble
from .checks import deep_check, look_ready, quick_check, with_parents
from .decision import UNREADY, Case, Decision, decide, values
from .failover import bereft
from .group import GroupMachine
from .heirs import failovers, heirs, orphan_bar, others, quarantine_of, record, restarts
from .local import observe
from .relocation import errand_s, move, on_its_way, switchback
from .rota import deep_s, observe_s, quick_s, ready_s
from .sequence import failure_text, outage_s, phase_rows, start_stages, stop_stages
from .story import Story, Task

FRESH_S = 1.0
"""A network that failed longer ago is looked at again before the group moves: where all fail, all come back at once."""


def attend(g: GroupMachine) -> Task | None:
    """What is to be done now with a group that is settled and has no order; None when nothing is."""
    if g.conflict or not g.holds:
        g.care.forget()
        return _standby(g)
    if g.register.stays:
        g.write(stay(g.register, stays=False))
    if on_its_way(g):
        return None
    if not g.permitted:
        return None
    trouble = _trouble(g)
    if trouble is not None and ((task := _treat(g, trouble)) or g.care.errand):
        return task
    if _due(g, quick_s(g)):
        return Task("looks at it", quick_check(g), background=True, yielding=True)
    if trouble is not None:
        return None
    if g.activity == "up" and _due(g, deep_s(g)):
        return Task("checks it", deep_check(g), background=True, yielding=True)
    if g.activity == "up":
        switchback(g)
    return None


def attend_s(g: GroupMachine) -> float | None:
    """When the group wants to be attended to without any event."""
    care, now_s = g.care, g.world.now_s
    if g.conflict or not g.holds:
        wanted = [observe_s(g), ready_s(g)]
    elif care.errand is not None:
        wanted = [errand_s(care.errand)]
    else:
        again_s = care.decision.again_s if care.decision is not None else None
        home_s = care.home_s + g.recovery.stable_s if care.home_s is not None else None
        wanted = [quick_s(g), deep_s(g), again_s, home_s]
    return min((due_s for due_s in wanted if due_s is not None and due_s > now_s), default=None)


def bars_start(g: GroupMachine) -> bool:
    """Whether a group that came back to this node is not simply started: this node failed it a moment ago."""
    if not g.holds or g.activity != "down" or g.world.now_s >= quarantine_of(g, g.world.node).until_s:
        return False
    text = f"{g.world.node} has it back, and failed it lately"
    g.care.trouble = Trouble(kind="start", text=text, tags=frozenset(), blamed=True)
    g.become("failed", text)
    return True


def _trouble(g: GroupMachine) -> Trouble | None:
    care = g.care
    if (care.hands_off and g.activity == "failed") or g.activity not in ("up", "failed"):
        return None
    if care.trouble is None and g.activity == "failed":
        care.trouble = Trouble(kind="start", text=g.reason, tags=frozenset())
    return care.trouble


def _treat(g: GroupMachine, trouble: Trouble) -> Task | None:
    """The remedy is under way. Whatever is not mended here at once is held against this node."""
    case = _case(g, trouble)
    if decide(case).remedy != "restart" and not trouble.blamed:
        trouble.blamed = True
        record(g, "failure")
        case = _case(g, trouble)
    decision = decide(case)
    if decision.remedy == "move" and trouble.network and g.world.now_s > trouble.seen_s + FRESH_S:
        return Task("looks at it", quick_check(g), background=True, yielding=True)
    if decision != g.care.decision:
        _tell(g, trouble, case, decision)
    match decision.remedy:
        case "restart":
            record(g, "restart")
            return Task("restarts it", _again(g, trouble), background=True)
        case "start":
            return Task("starts it again", _again(g, trouble), background=True)
        case "move" if decision.to is not None:
            g.become("failed", f"{trouble.text}; it {decision.reason}")
            move(g, decision.to, cause="failure", why=trouble.text)
    return None


def _tell(g: GroupMachine, trouble: Trouble, case: Case, decision: Decision) -> None:
    """The decision and all that it rests on are in the ledger; a group that is left says so in its state."""
    g.care.decision = decision
    wait_s = decision.again_s - g.world.now_s
    again = f"; decided anew in {wait_s:.0f} s at the latest" if wait_s < float("inf") else ""
    again_in_s = round(wait_s, 1) if again else None
    fields = {"rule": decision.rule.id, "remedy": decision.remedy, "to": decision.to, "again_in_s": again_in_s}
    text = f"{g.name} {decision.reason}{again} [{decision.rule.id}]: {trouble.text}"
    g.note("recovery", text, because=trouble.text, **fields, **values(case))
    if decision.remedy == "wait":
        g.become("failed", f"{trouble.text}; it {decision.reason}")


def _again(g: GroupMachine, trouble: Trouble) -> Story:
    """What failed and what stands on it was stopped and started, and answers; or it is worse than before.

    Requests of a site that fails are not waited for. In a group that did not come up, what is not known to be up may
    be stopping still.
    """
    tags = trouble.tags or frozenset(g.group.tags)
    if trouble.kind == "start":
        tags |= {tag for tag in g.group.tags if g.states.get(tag) != "up"}
    concerned = _at_once([r for r in g.group.needed(g.register.out) if r.tag in with_parents(g.group, tags)])
    done = "restarted" if trouble.kind == "serving" else "started again"
    why = f"{done} on {g.world.node}: {trouble.text}"
    g.become("starting", why)
    run = yield from g.run((*stop_stages(concerned), *start_stages(concerned)))
    if run.failure is None:
        g.care.forget()
        g.become("up", why)
        rows, seconds = phase_rows(run.phases), outage_s(run.phases, run.phases)
        g.note("restarted", f"{g.name} was {why}", outage_s=seconds, phases=rows)
        return
    record(g, "failure")
    text = f"{failure_text(run.failure)} on {g.world.node}"
    g.care.trouble = Trouble(kind="start", text=text, tags=frozenset(), blamed=True)
    g.become("failed", text)


def _at_once(resources: Sequence[Resource]) -> list[Resource]:
    return [replace(r, drain_s=0.0) if isinstance(r, Hierarchy) else r for r in resources]


def _case(g: GroupMachine, trouble: Trouble) -> Case:
    return Case(
        kind=trouble.kind,
        network=trouble.network,
        local=g.recovery.local,
        automatic=not g.world.manual,
        restarts=restarts(g),
        failovers=failovers(g),
        quarantine=quarantine_of(g, g.world.node),
        found=others(g),
        now_s=g.world.now_s,
    )


# -- what is due -----------------------------------------------------------------------------------------


def _standby(g: GroupMachine) -> Task | None:
    """A node that does not hold the group knows whether it could, and says why it does not take one that nobody has."""
    _say_bar(g)
    if _due(g, observe_s(g)):
        g.care.noticed = False
        return Task("looks at it", observe(g), background=True, yielding=True)
    if _due(g, ready_s(g)):
        return Task("looks whether it could serve it", look_ready(g), background=True, yielding=True)
    return None


def _say_bar(g: GroupMachine) -> None:
    barrier = orphan_bar(g) if bereft(g) else None
    barred = barrier.reason if barrier is not None else ""
    if barred and barred != g.care.barred:
        found = [{"node": c.node, "priority": c.priority, "why_not": c.why_not} for c in heirs(g)]
        text = f"{g.world.node} does not take {g.name} over: {barred}"
        g.note("not taken", text, rule=UNREADY.id, why=barred, candidates=found)
    g.care.barred = barred


def _due(g: GroupMachine, due_s: float | None) -> bool:
    return due_s is not None and g.world.now_s >= due_s
