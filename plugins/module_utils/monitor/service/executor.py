# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Carries out the core's steps with the kits, in worker threads.

Rule: steps on one resource run one after another in the order given; steps on different resources never wait for
each other. Only a fence waits for nothing: the permit is over, and a start that ends after it finds no permit. A step
that could not begin within its time is never begun: the core has given it up by then, and a late start could meet the
same group in service on another node.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..core.values.events import Resource, Step, StepDone
from ..errors import HoldfastError, SurfaceError
from ..kits import Context, Kit
from .workers import Workers, tell

log = logging.getLogger(__name__)


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
            context = self._context()
            self._workers.submit(partial(self._run, step, context))
        if lane.running is None:
            del self._lanes[tag]

    def _run(self, step: Step, context: Context) -> None:
        """In a worker thread."""
        tell(self._loop, self._ended, step, outcome(self._kit_of(step.resource), step, context))

    def _fence(self, step: Step, context: Context) -> None:
        """In a worker thread. Whatever hangs on this resource is not waited for."""
        tell(self._loop, self._done, outcome(self._kit_of(step.resource), step, context))

    def _ended(self, step: Step, result: StepDone) -> None:
        self._lanes[step.resource.tag].running = None
        self._done(result)
        self._next(step.resource.tag)


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
    except SurfaceError as error:
        return StepDone(id=step.id, error=str(error))
    except HoldfastError as error:
        return StepDone(id=step.id, error=str(error) or type(error).__name__)
    except Exception as error:
        # A kit that fails in an unforeseen way is a failed step for the core, which knows what to do about those.
        log.exception("%s of %s failed unexpectedly", step.operation, resource.tag)
        return StepDone(id=step.id, error=f"internal error: {type(error).__name__}: {error}")
    return StepDone(id=step.id)
