# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The story of a planned move, told on the node that takes the group over.

Look, judge, prepare: all of that while the group still runs where it is, and any of it may refuse the move. Then ask
for the group; its node stops it and grants the next epoch. Then start, verify through the address, report. When the
start fails, everything is stopped again and the group goes back to where it came from.
Source: guide chapter 5, "Performing a Manual Switchover"; chapter 2, checklist.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

from ..cluster.ownership import give_up, next_epoch, release, take
from ..values.facts import Facts
from ..values.messages import Look, Seen
from ..values.problems import Problem, problem_row
from .election import Grant, obtain, questions_to
from .group import GroupMachine, Order
from .heirs import count_move, record
from .placement import standing
from .readiness import judge, silence
from .sequence import (
    Run,
    every,
    expected,
    failure_text,
    one_after_another,
    outage_s,
    phase_rows,
    prepare_stages,
    prepared_by,
    start_stages,
    stop_stages,
)
from .story import All, Story, Until, Wait

PATIENCE_S = 1.0
"""How long a move waits for the cluster to agree before it is refused: a few heartbeats, since a configuration that
was changed on all nodes a moment ago may not have been heard of yet."""
TAKE_BACK_S = 120.0
"""How long the report of a failed move waits for the former node to serve again: longer than its slowest start."""


def take_over(g: GroupMachine, order: Order) -> Story:
    """The group is in service on this node; or it is where it was, and the reason was told."""
    source = source_of(g, order)
    problems = yield from judged(g, order, source)
    if order.verb == "plan" or (order.check and not problems):
        g.tell(order, changed=order.verb != "plan", data=plan(g, source, problems, order))
        return
    if problems:
        g.refuse(order, "refused", refused_text(g, problems), problems)
        return
    if order.cause != "command" and not g.group.needed(g.register.out):
        g.refuse(order, "refused", f"{g.name} was taken out of service meanwhile.")
        return
    g.progress(order, f"{g.name}: {g.world.node} is ready")
    prepared = yield from g.run(prepare_stages(g.group.needed(g.register.out - set(order.tags))))
    if prepared.failure is not None:
        yield from undo_preparation(g)
        g.refuse(order, "refused", f"{g.name} stays where it is: {prepared.failure.text} on {g.world.node}")
        return
    grant = yield from obtain(g, order, source)
    if isinstance(grant, str):
        yield from undo_preparation(g)
        g.refuse(order, "refused", f"{g.name} was not moved: {grant}")
        return
    yield from serve(g, order, source, grant)


def source_of(g: GroupMachine, order: Order) -> str | None:
    """The node that has to be asked to let the group go; None when nobody holds it, or its lease has run out."""
    holder = g.register.holder
    if holder is None or holder in order.off or holder == g.world.node or g.lapsed(holder):
        return None
    return holder


def plan(g: GroupMachine, source: str | None, problems: Sequence[Problem], order: Order) -> dict[str, Any]:
    """The move as it would be done: what moves, in which phases, and what stands against it."""
    needed = g.group.needed(g.register.out - set(order.tags))
    node, durations = g.world.node, g.world.durations
    phases = expected(prepare_stages(needed), node, durations)
    if source is not None:
        phases += expected(stop_stages(g.group.resources), source, {})
    phases += expected(start_stages(needed, prepared=prepared_by(prepare_stages(needed))), node, durations)
    return {
        "group": g.name,
        "tags": list(g.group.heads),
        "from": source,
        "to": node,
        "allowed": not problems,
        "problems": [problem_row(problem) for problem in problems],
        "phases": phases,
        "dragged": _dragged(g, order),
        "outcome": "moved" if source else "started",
        "epoch": g.register.epoch,
        "outage_s": None,
    }


def judged(g: GroupMachine, order: Order, source: str | None) -> Generator[Wait, None, list[Problem]]:
    """What stands against this node serving the group; the cluster has had a moment to agree."""
    patience_s = g.world.now_s + PATIENCE_S
    yield Until(lambda: not standing(g, order, source=source), deadline_s=patience_s)
    problems = standing(g, order, source=source)
    if problems:
        return problems
    running = g.running(every(g.group, "inspect"))
    questions = questions_to(g, {source: Look(request=order.ticket, group=g.name)} if source else {})
    yield All(running, questions)
    g.learn(running.run)
    g.care.silent = silence(running.run.facts)
    theirs: Mapping[str, Facts] = {}
    for answer in questions.answers.values():
        if isinstance(answer, Seen):
            theirs = answer.facts
    return judge(g.group, node=g.world.node, facts=running.run.facts, source=source, theirs=theirs)


def serve(g: GroupMachine, order: Order, source: str | None, grant: Grant) -> Story:
    """The group runs here at the new epoch; or all is stopped again and the group is back where it came from."""
    g.write(take(epoch=grant.epoch, node=g.world.node, out=grant.out))
    g.care.prepared = False
    count_move(g, order.cause)
    why = order.why or (f"moved here from {source} by command" if source else "brought into service by command")
    if not g.permitted:
        text = f"{g.name} is {g.world.node}'s now, which may not serve it yet: {g.world.votes.missing(g)}"
        g.refuse(order, "refused", text)
        return
    g.become("starting", why)
    needed = g.group.needed(grant.out)
    prepared = prepared_by(prepare_stages(g.group.resources))
    # What was prepared here and was taken out of service since must not answer on an address that it shares.
    surplus = [r for r in g.group.resources if r.tag in prepared and r not in needed]
    run = yield from g.run((*stop_stages(surplus), *start_stages(needed, prepared=prepared)))
    if run.failure is None:
        g.become("up", why)
        data = _moved(g, order, source, grant, run)
        g.note("moved" if source else "started", f"{g.name} is in service on {g.world.node}", **data)
        g.tell(order, changed=True, data=data)
        return
    yield from _give_back(g, order, source, run)


def _give_back(g: GroupMachine, order: Order, source: str | None, run: Run) -> Story:
    """Everything started is stopped again, and the group goes back to the node it came from.

    With an arbiter nobody can be given anything: it is let go, and whoever is the best node now takes it.
    """
    node = g.world.node
    record(g, "failure")
    why = f"{failure_text(run.failure)} on {node}"
    g.become("stopping", f"{why}; stops what was started")
    undo = yield from g.run(stop_stages(g.group.resources))
    if undo.failure is not None:
        g.become("failed", f"{why}, and {undo.failure.text}")
        g.refuse(order, "refused", f"{g.name} failed on {node} and could not be given back: {g.reason}")
        return
    back = source if source and g.world.membership.alive(source, g.world.now_s) else None
    if g.world.manual:
        g.commit(give_up(epoch=next_epoch([g.register]), out=g.register.out, to=back))
        fate = f"given back to {back}" if back else "nobody serves it"
    else:
        g.commit(release(g.register))
        fate = "let go for the best node to take it" if back else "nobody serves it"
    g.become("down" if back else "failed", f"{why}; {fate}")
    if back is None:
        g.refuse(order, "refused", f"{g.name} is out of service: {why}")
        return
    yield Until(lambda: _had_by(g) != "", deadline_s=g.world.now_s + TAKE_BACK_S)
    g.refuse(order, "refused", f"{g.name} was not moved: {why}. {_had_by(g) or f'It is {fate}; nobody serves it yet'}.")


def _had_by(g: GroupMachine) -> str:
    """Which node has the group again, and what it does with it; empty before one tells that it has."""
    for name, peer in g.world.membership.peers.items():
        report = peer.groups.get(g.name)
        if report is None or report.register.holder != name or report.register.epoch < g.register.epoch:
            continue
        if report.activity == "up":
            return f"{name} serves it again"
        if report.activity == "failed":
            return f"{name} has it again, and does not serve it: {report.reason}"
    return ""


def undo_preparation(g: GroupMachine) -> Generator[Wait, None, None]:
    """What was prepared here is stopped again; a failure is noted and harms nobody."""
    g.care.prepared = False
    stages = prepare_stages(g.group.resources)
    run = yield from g.run(stop_stages([resource for stage in stages for _unused, resource in stage]))
    if run.failure is not None:
        g.note("not clean", f"{failure_text(run.failure)} on {g.world.node}, which does not serve {g.name}")


def refused_text(g: GroupMachine, problems: Sequence[Problem]) -> str:
    """The first problems as one sentence."""
    first = "; ".join(problem.message.rstrip(".") for problem in problems[:3])
    more = f" (and {len(problems) - 3} more)" if len(problems) > 3 else ""
    return f"{g.name} stays where it is, since {g.world.node} is not ready: {first}{more}."


def _moved(g: GroupMachine, order: Order, source: str | None, grant: Grant, run: Run) -> dict[str, Any]:
    return {
        "group": g.name,
        "tags": list(g.group.heads),
        "from": source,
        "to": g.world.node,
        "epoch": grant.epoch,
        "outcome": "moved" if source else "started",
        "outage_s": outage_s(grant.phases, run.phases),
        "phases": phase_rows(one_after_another(grant.phases, run.phases)),
        "dragged": _dragged(g, order),
    }


def _dragged(g: GroupMachine, order: Order) -> list[str]:
    """What comes along although the order does not name it; what is out of service stays so."""
    return [tag for tag in g.group.heads if tag not in order.tags and tag not in g.register.out]
