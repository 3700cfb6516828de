# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Looking after a group: is it running (quick check), does it answer (deep check), could it come here (readiness).

A quick check that finds something down is believed at once; one that cannot tell is repeated at once; a deep check has
to fail twice in a row, since a loaded machine answers late now and then. An address that is on and of no use is asked
why: a restart mends an address, and no network.
Source: guide chapter 6, "Modifying Quick Check Interval, Deep Check Interval and Local Recovery".
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping

from ..cluster.peer import NEVER_S
from ..values.events import Resource
from ..values.facts import State
from ..values.graph import Group
from ..values.messages import Activity
from .care import Trouble
from .decision import TWICE, UNREADY, TroubleKind
from .group import GroupMachine
from .local import observe
from .readiness import REACHED, judge, silence
from .rota import RECHECK_S
from .sequence import Failure, every
from .story import All, Story, Wait


def noticed(group_of: Mapping[str, GroupMachine], tags: Iterable[str]) -> list[str]:
    """The groups that have any of the resources; they are looked at now."""
    concerned = {g.name: g for tag in sorted(tags) if (g := group_of.get(tag)) is not None}
    for g in concerned.values():
        g.care.noticed = True
    return list(concerned)


def quick_check(g: GroupMachine) -> Story:
    """What runs is known, and trouble where something that should run does not."""
    care = g.care
    care.noticed = False
    yield from observe(g)
    if not g.holds or g.activity not in ("up", "failed"):
        return
    failing = {r.tag: g.states[r.tag] for r in g.group.needed(g.register.out) if g.states[r.tag] != "up"}
    doubts = frozenset(tag for tag, state in failing.items() if state == "unknown") - care.doubts
    care.doubts = frozenset(tag for tag, state in failing.items() if state == "unknown")
    sure = {tag: state for tag, state in failing.items() if tag not in doubts}
    if sure:
        useless = yield from _checked(g, [ip for ip in g.group.ips if sure.get(ip.tag) == "partial"])
        _ails(g, ", ".join(_told(tag, state, useless) for tag, state in sure.items()), frozenset(sure), useless)
    elif doubts:
        care.noticed = True
        g.note("looks again", f"{', '.join(sorted(doubts))}: cannot tell whether it runs; looks again at once")
    elif g.activity == "failed" or care.trouble is not None:
        yield from _back(g)


def deep_check(g: GroupMachine) -> Story:
    """Everything in service was used as a client does; trouble where that failed twice in a row."""
    failing = yield from _checked(g, g.group.needed(g.register.out))
    care, before = g.care, g.care.strikes
    care.checked_s = g.world.now_s
    care.strikes = frozenset(failing)
    again = {tag: failure for tag, failure in failing.items() if tag in before}
    if again:
        text = "; ".join(f"deep check of {tag} failed twice: {failure.error}" for tag, failure in again.items())
        _ails(g, text, frozenset(again), again)
    elif failing:
        text = "; ".join(f"{tag}: {failure.error}" for tag, failure in failing.items())
        g.note("looks again", f"deep check failed once, {text}; again in {RECHECK_S:g} s", rule=TWICE.id)


def look_ready(g: GroupMachine) -> Story:
    """Whether this node could take the group over is known, and told to the others."""
    run = yield from g.run(every(g.group, "inspect"))
    care, node = g.care, g.world.node
    care.judged_s = g.world.now_s
    found = judge(g.group, node=node, facts=run.facts, source=g.register.holder, theirs={})
    problems = [problem for problem in found if problem.rule != REACHED.id]
    unready = problems[0].message.rstrip(".") if problems else ""
    silent = silence(run.facts)
    if (unready, silent) != (care.unready, care.silent):
        text = f"{node} could take {g.name} over"
        if silent:
            text = f"{node} is the last that takes {g.name} over: {silent}"
        if unready:
            text = f"{node} could not take {g.name} over: {unready}"
        g.note("readiness", text, rule=UNREADY.id, problems=[problem.line for problem in found])
        g.failures, g.retry_s = 0, NEVER_S
    care.unready, care.silent = unready, silent


def with_parents(group: Group, tags: frozenset[str]) -> frozenset[str]:
    """The tags, and those of the sites that stand on them."""
    return tags | {h.tag for h in group.hierarchies if tags & set(h.depends_on)}


def _ails(g: GroupMachine, text: str, tags: frozenset[str], failing: Mapping[str, Failure]) -> None:
    care = g.care
    network = any(failure.network for failure in failing.values())
    if care.trouble is not None:
        care.trouble.tags, care.trouble.network, care.trouble.seen_s = tags, network, g.world.now_s
        return
    down = any(g.states[tag] != "up" for tag in tags)
    lost = down and not g.recovery.local
    kind: TroubleKind = "start" if lost or g.activity == "failed" else "serving"
    care.trouble = Trouble(kind=kind, text=text, tags=tags, network=network, seen_s=g.world.now_s)


def _back(g: GroupMachine) -> Generator[Wait, None, None]:
    """What had failed runs again without our doing; believed when it answers as well."""
    if g.recovery.deep_check_s:
        failing = yield from _checked(g, g.group.needed(g.register.out))
        g.care.checked_s = g.world.now_s
        if failing and g.care.trouble is not None:
            _ails(g, "", frozenset(failing), failing)
        if failing:
            return
    g.care.forget()
    activity: Activity = "up" if g.group.needed(g.register.out) else "down"
    g.become(activity, "works again by itself")


def _checked(g: GroupMachine, resources: Iterable[Resource]) -> Generator[Wait, None, dict[str, Failure]]:
    """What of these does not answer as it should."""
    runs = {r.tag: g.running(((("check", r),),)) for r in resources}
    yield All(*runs.values())
    return {tag: running.run.failure for tag, running in runs.items() if running.run.failure is not None}


def _told(tag: str, state: State, useless: Mapping[str, Failure]) -> str:
    return f"{tag} is of no use: {useless[tag].error}" if tag in useless else f"{tag} is {state}"
