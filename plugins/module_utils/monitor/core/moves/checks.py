# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Looking after a group: is it running (quick check), does it answer (deep check), could it come here (readiness).

A quick check that finds something down is believed at once; one that cannot tell is repeated at once; a deep check has
to fail twice in a row, since a loaded machine answers late now and then.
Source: guide chapter 6, "Modifying Quick Check Interval, Deep Check Interval and Local Recovery".
"""

from __future__ import annotations

from collections.abc import Generator, Iterable

from ..cluster.peer import NEVER_S
from ..values.graph import Group
from ..values.messages import Activity
from .care import Trouble
from .decision import TWICE, UNREADY
from .group import GroupMachine
from .local import observe
from .readiness import judge
from .rota import RECHECK_S
from .sequence import every
from .story import All, Story, Wait


def noticed(groups: Iterable[GroupMachine], tags: frozenset[str]) -> list[str]:
    """The groups that have any of the resources; they are looked at now."""
    concerned = [g for g in groups if tags & set(g.group.tags)]
    for g in concerned:
        g.care.noticed = True
    return [g.name for g in concerned]


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
        _ails(g, ", ".join(f"{tag} is {state}" for tag, state in sure.items()), frozenset(sure))
    elif doubts:
        care.noticed = True
        g.note("looks again", f"{', '.join(sorted(doubts))}: cannot tell whether it runs; looks again at once")
    elif g.activity == "failed" or care.trouble is not None:
        yield from _back(g)


def deep_check(g: GroupMachine) -> Story:
    """Everything in service was used as a client does; trouble where that failed twice in a row."""
    failing = yield from _checked(g)
    care, before = g.care, g.care.strikes
    care.strikes = frozenset(failing)
    again = {tag: error for tag, error in failing.items() if tag in before}
    if again:
        text = "; ".join(f"deep check of {tag} failed twice: {error}" for tag, error in again.items())
        _ails(g, text, frozenset(again))
    elif failing:
        text = "; ".join(f"{tag}: {error}" for tag, error in failing.items())
        g.note("looks again", f"deep check failed once, {text}; again in {RECHECK_S:g} s", rule=TWICE.id)


def look_ready(g: GroupMachine) -> Story:
    """Whether this node could take the group over is known, and told to the others."""
    run = yield from g.run(every(g.group, "inspect"))
    g.care.judged_s = g.world.now_s
    node = g.world.node
    problems = judge(g.group, node=node, facts=run.facts, source=g.register.holder, theirs={})
    unready = problems[0].message.rstrip(".") if problems else ""
    if unready != g.care.unready:
        text = f"{node} could not take {g.name} over: {unready}" if unready else f"{node} could take {g.name} over"
        g.note("readiness", text, rule=UNREADY.id, problems=[problem.line for problem in problems])
        g.failures, g.retry_s = 0, NEVER_S
    g.care.unready = unready


def with_parents(group: Group, tags: frozenset[str]) -> frozenset[str]:
    """The tags, and those of the sites that stand on them."""
    return tags | {h.tag for h in group.hierarchies if tags & set(h.depends_on)}


def _ails(g: GroupMachine, text: str, tags: frozenset[str]) -> None:
    care = g.care
    if care.trouble is not None:
        care.trouble.tags = tags
        return
    down = any(g.states[tag] != "up" for tag in tags)
    lost = down and not g.world.recovery.local
    care.trouble = Trouble(kind="start" if lost or g.activity == "failed" else "serving", text=text, tags=tags)


def _back(g: GroupMachine) -> Generator[Wait, None, None]:
    """What had failed runs again without our doing; believed when it answers as well."""
    if g.world.recovery.deep_check_s:
        failing = yield from _checked(g)
        if failing:
            return
    g.care.forget()
    activity: Activity = "up" if g.group.needed(g.register.out) else "down"
    g.become(activity, "works again by itself")


def _checked(g: GroupMachine) -> Generator[Wait, None, dict[str, str]]:
    """What fails of all that should answer, with the errors."""
    runs = {r.tag: g.running(((("check", r),),)) for r in g.group.needed(g.register.out)}
    yield All(*runs.values())
    g.care.checked_s = g.world.now_s
    return {tag: running.run.failure.error for tag, running in runs.items() if running.run.failure is not None}
