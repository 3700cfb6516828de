# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Carries out the core's steps with the kits, in worker threads.

Rule: steps on one resource run one after another in the order given; steps on different resources never wait for
each other, but for observations that are asked for at the same moment: those of one kind are one look at the system,
however many groups there are. Only a fence waits for nothing: the permit is over, and a start that ends after it finds
no permit. A step that could not begin within its time is never begun: the core has given it up by then, and a late
start could meet the same group in service on another node.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..core.values.events import Resource, Step, StepDone
from ..errors import HoldfastError, NetworkError
from ..kits import Context, Kit
from ..windows.shared import asked_at
from .workers import Workers, tell

log = logging.getLogger(__name__)
LOOKING = ("inspect", "check")
"""Operations that change nothing: a look at the system that began after they were asked for will do."""
TOGETHER_MAX = 32
"""Observations that are told to the core in one go; between two of these the event loop does other work."""


@dataclass(slots=True)
class _Lane:
    """The steps of one resource: the one that runs, and those behind it with the time they came."""

    running: Step | None = None
    waiting: deque[tuple[float, Step]] = field(default_factory=deque)


class Executor:
    """``context`` gives what kits may know at the moment a step begins; ``done`` is called in the event loop."""

    def __init__(
        self,
        *,
        workers: Workers,
        kit_of: Callable[[Resource], Kit[Any]],
        context: Callable[[], Context],
        clock: Callable[[], float],
        done: Callable[[StepDone], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._workers = workers
        self._kit_of = kit_of
        self._context = context
        self._clock = clock
        self._done = done
        self._loop = loop
        self._lanes: dict[str, _Lane] = {}
        self._to_observe: list[Step] = []

    def do(self, step: Step) -> None:
        """The step is on its way; StepDone follows, whatever happens, unless it hangs."""
        if step.operation == "fence":
            self._workers.submit(partial(self._fence, step, self._context()))
            return
        lane = self._lanes.setdefault(step.resource.tag, _Lane())
        lane.waiting.append((self._clock(), step))
        self._next(step.resource.tag)

    def _next(self, tag: str) -> None:
        lane = self._lanes[tag]
        while lane.running is None and lane.waiting:
            came_s, step = lane.waiting.popleft()
            waited_s = self._clock() - came_s
            if waited_s >= step.timeout_s:
                text = f"not begun: what was asked of {tag} before took {waited_s:.1f} s"
                self._done(StepDone(id=step.id, error=text))
                continue
            lane.running = step
            if step.operation == "observe":
                self._observe_soon(step)
            else:
                self._workers.submit(partial(self._run, step, self._context(), self._clock()))
        if lane.running is None:
            del self._lanes[tag]

    def _observe_soon(self, step: Step) -> None:
        """Together with all that are asked for before the loop's next turn."""
        self._to_observe.append(step)
        if len(self._to_observe) == 1:
            self._loop.call_soon(self._observe)

    def _observe(self) -> None:
        steps, self._to_observe = self._to_observe, []
        by_kind: dict[type[Resource], list[Step]] = {}
        for step in steps:
            by_kind.setdefault(type(step.resource), []).append(step)
        context, asked_s = self._context(), self._clock()
        for alike in by_kind.values():
            for start in range(0, len(alike), TOGETHER_MAX):
                self._workers.submit(partial(self._look, alike[start : start + TOGETHER_MAX], context, asked_s))

    def _look(self, steps: list[Step], context: Context, asked_s: float) -> None:
        """In a worker thread."""
        with asked_at(asked_s):
            results = observed(self._kit_of(steps[0].resource), steps, context)
        tell(self._loop, self._seen, steps, results)

    def _seen(self, steps: list[Step], results: list[StepDone]) -> None:
        for step, result in zip(steps, results, strict=True):
            self._ended(step, result)

    def _run(self, step: Step, context: Context, asked_s: float) -> None:
        """In a worker thread."""
        kit = self._kit_of(step.resource)
        if step.operation in LOOKING:
            with asked_at(asked_s):
                result = outcome(kit, step, context)
        else:
            result = outcome(kit, step, context)
        tell(self._loop, self._ended, step, result)

    def _fence(self, step: Step, context: Context) -> None:
        """In a worker thread. Whatever hangs on this resource is not waited for."""
        tell(self._loop, self._done, outcome(self._kit_of(step.resource), step, context))

    def _ended(self, step: Step, result: StepDone) -> None:
        self._lanes[step.resource.tag].running = None
        self._done(result)
        self._next(step.resource.tag)


def observed(kit: Kit[Any], steps: Sequence[Step], context: Context) -> list[StepDone]:
    """What each of these observations of one kind saw; each looks alone when it cannot be told for all at once."""
    try:
        states = kit.states([step.resource for step in steps], context)
    except Exception:  # noqa: BLE001 - it is raised again, and told, where each is looked at alone
        return [outcome(kit, step, context) for step in steps]
    return [StepDone(id=step.id, state=states[step.resource.tag]) for step in steps]


def outcome(kit: Kit[Any], step: Step, context: Context) -> StepDone:
    """The step was carried out; its failure is in ``error``. Never raises."""
    resource = step.resource
    try:
        match step.operation:
            case "observe":
                return StepDone(id=step.id, state=kit.state(resource, context))
            case "inspect":
                return StepDone(id=step.id, facts=kit.inspect(resource, context))
            case "prepare":
                kit.prepare(resource, context)
            case "start":
                kit.start(resource, context)
            case "stop":
                kit.stop(resource, context, step.drain_s)
            case "fence":
                kit.fence(resource, context)
            case "verify":
                kit.verify(resource, context)
            case "check":
                kit.check(resource, context)
    except NetworkError as error:
        return StepDone(id=step.id, error=str(error), network=True)
    except HoldfastError as error:
        return StepDone(id=step.id, error=str(error) or type(error).__name__)
    except Exception as error:
        # A kit that fails in an unforeseen way is a failed step for the core, which knows what to do about those.
        log.exception("%s of %s failed unexpectedly", step.operation, resource.tag)
        return StepDone(id=step.id, error=f"internal error: {type(error).__name__}: {error}")
    return StepDone(id=step.id)
