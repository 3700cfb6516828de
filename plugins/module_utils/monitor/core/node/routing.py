# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which story an incoming message, order or outcome belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ..moves.group import GroupMachine, Order, Running, World
from ..moves.handover import hand_over, settled_answer
from ..moves.sequence import every
from ..moves.story import All, Claiming, Questions, Story, Task, Wait
from ..moves.tending import free
from ..values.arbitration import Verdict
from ..values.events import StepDone
from ..values.messages import Answer, Ask, Look, Seen


def group_step(g: GroupMachine, event: StepDone) -> bool:
    """The outcome has reached the run that began the step; whether it was the last that this run waited for.

    Outcomes of abandoned runs are dropped.
    """
    runs = (wait.run for wait in _waits(g) if isinstance(wait, Running))
    return any(run.done(event, g.world.now_s) and not run.waits for run in runs)


def on_answer(g: GroupMachine | None, peer: str, message: Answer | Seen) -> None:
    """The answer has reached the story that asked; answers to abandoned questions are dropped."""
    if g is None:
        return
    for wait in _waits(g):
        if isinstance(wait, Questions) and wait.answer(peer, message):
            return


def on_verdict(g: GroupMachine, number: int, verdict: Verdict) -> bool:
    """Whether the arbiter's verdict has reached the story that claimed; verdicts on abandoned claims are dropped."""
    return any(isinstance(wait, Claiming) and wait.judged(number, verdict) for wait in _waits(g))


def on_look(g: GroupMachine | None, peer: str, look: Look, world: World) -> None:
    """The peer gets what this node finds; a repeated question while looking is not looked at twice."""
    if g is None:
        world.send(peer, Seen(request=look.request, group=look.group, facts={}, error="no such group here"))
    elif not any(task.request == look.request for task in g.looks):
        g.looks.append(Task(f"look for {peer}", _look(g, peer, look), request=look.request))


def on_ask(g: GroupMachine | None, peer: str, ask: Ask, world: World) -> None:
    """The peer gets its answer, now or at the end of a hand-over.

    The question is left for its repetition while something runs in the background, and while no heartbeat of the
    peer has told its configuration.
    """
    if g is None:
        world.send(peer, _no(ask, f"{world.node} does not know {ask.group}"))
        return
    known = world.membership.peers[peer]
    if not known.config_digest:
        return
    if known.config_digest != world.digest:
        world.send(peer, _no(ask, f"{world.node} has another configuration ({world.digest})"))
    elif g.task is not None and g.task.request == ask.request:
        return
    elif g.conflict:
        world.send(peer, _no(ask, f"{g.name} cannot move as one: {g.conflict}"))
    elif g.suspended:
        world.send(peer, _no(ask, f"{world.node} was restarted and does not know yet who may serve {g.name}"))
    elif (answer := settled_answer(g, peer, ask)) is not None:
        world.send(peer, answer)
    elif g.activity == "unknown":
        return
    elif free(g):
        g.task = Task(f"hands it over to {peer}", hand_over(g, peer, ask), request=ask.request)
    elif g.task is not None and not g.task.background:
        world.send(peer, _no(ask, f"{world.node} {g.task.name} just now"))


def perform(g: GroupMachine | None, order: Order, world: World) -> None:
    """The order is under way, waits for the background to finish, or is refused."""
    if g is None:
        error = {"kind": "refused", "message": f"{world.node} does not know this group", "problems": []}
        world.report(order.ticket, final=True, data={"ok": False, "error": error})
    elif world.leaving_s is not None and order.verb != "plan":
        g.refuse(order, "refused", f"{world.node} shuts down; {g.name} stays where it is.")
    elif free(g) or (g.task is not None and g.task.background):
        g.waiting.append(replace(order, given_s=world.now_s))
    else:
        doing = g.task.name if g.task is not None else g.reason
        g.refuse(order, "refused", f"{world.node} {doing} just now ({g.name}); try again when that is done.")


def _look(g: GroupMachine, peer: str, look: Look) -> Story:
    run = yield from g.run(every(g.group, "inspect"))
    error = run.failure.text if run.failure else ""
    g.world.send(peer, Seen(request=look.request, group=look.group, facts=dict(run.facts), error=error))


def _no(ask: Ask, reason: str) -> Answer:
    return Answer(request=ask.request, group=ask.group, epoch=ask.epoch, granted=False, reason=reason)


def _waits(g: GroupMachine) -> Iterator[Wait]:
    for task in (g.task, *g.looks):
        wait = task.wait if task is not None else None
        if isinstance(wait, All):
            yield from wait.waits
        elif wait is not None:
            yield wait
