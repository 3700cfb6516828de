# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Drives the core: feeds it events, carries out its actions in order, wakes it when it wants to be woken.

Rule: actions are carried out in the order given. Persist holds up what follows until the registers are durable,
but never the event loop, and never heartbeats, questions to the arbiter, and permits that name no further group: those
go out at once while a write is under way, for they tell of nothing that is not durable and promise nothing.
When several writes wait, the latest registers are written once for all of them: what was decided may be durable sooner.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from typing import Any, Protocol

from ..core.values.arbitration import Question
from ..core.values.events import (
    Action,
    Adopt,
    Beat,
    Consult,
    Do,
    Event,
    Note,
    Permit,
    Persist,
    Persisted,
    ReadyToStop,
    Send,
    Step,
    Tell,
    TimePassed,
)
from ..core.values.lineage import Lineage
from ..core.values.messages import Envelope, Message
from ..core.values.model import Config
from ..errors import require

HELD_MAX = 100_000
"""Actions that may wait for a disk; a disk that hangs so long that more come up will not be waited for."""


class Core(Protocol):
    """What the engine drives: ``core.machine.Machine``, or a script in a test."""

    def handle(self, event: Event, now_s: float) -> Sequence[Action]:
        """What is to be done about the event."""

    def deadline_s(self) -> float | None:
        """When TimePassed is wanted."""


class Ports(Protocol):
    """The way out. Called in the event loop; none of them blocks or raises."""

    def send(self, peer: str, envelope: Envelope) -> None:
        """Send on all paths to the peer."""

    def beat(self, peer: str, path: str, envelope: Envelope) -> None:
        """Send on this path."""

    def do(self, step: Step) -> None:
        """Carry out the step; StepDone comes back as an event."""

    def consult(self, number: int, question: Question) -> None:
        """Ask the arbiter; Consulted comes back as an event, or never."""

    def permit(self, until_s: Mapping[str, float]) -> None:
        """Tell the guard, and refresh addresses."""

    def persist(self, what: Persist, done: Callable[[], None]) -> None:
        """Make it durable, then call ``done`` in the event loop."""

    def adopt(self, config: Config, lineage: Lineage, over: str) -> None:
        """Put this configuration in the place of the one with digest ``over``; Configured comes back."""

    def ready_to_stop(self) -> None:
        """Nothing is left to do before the system shuts down."""

    def note(self, note: Note) -> None:
        """Append to the ledger."""

    def tell(self, command: str, *, final: bool, data: Mapping[str, Any]) -> None:
        """News for whoever gave the command."""


class Engine:
    """One core, its queue of actions and its alarm clock. Everything happens in the event loop's thread."""

    def __init__(
        self,
        *,
        core: Core,
        ports: Ports,
        clock: Callable[[], float],
        sender: str,
        boot_id: str,
        incarnation: int,
        broken: Callable[[BaseException], None],
    ) -> None:
        self._core = core
        self._ports = ports
        self._clock = clock
        self._identity = (sender, boot_id, incarnation)
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._events: deque[Event] = deque()
        self._held: deque[Action] = deque()
        self._permitted: Set[str] = frozenset()
        self._durable = 0
        self._writing = False
        self._busy = False
        self._stopped = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at: float | None = None

    def feed(self, event: Event) -> None:
        """The core has heard of the event, and its actions are under way.

        An event that comes up while another is handled is handled after it.
        """
        self._events.append(event)
        self._pump()

    def stop(self) -> None:
        """Nothing is handled or carried out any more."""
        self._stopped = True
        self._events.clear()
        self._held.clear()
        if self._alarm is not None:
            self._alarm.cancel()

    def _pump(self) -> None:
        if self._busy or self._stopped:
            return
        self._busy = True
        try:
            self._work_off()
            while self._events:
                self._handle(self._events.popleft())
        except Exception as error:  # noqa: BLE001 - our bug: what does not know what it does must not go on
            self.stop()
            self._broken(error)
        finally:
            self._busy = False

    def _handle(self, event: Event) -> None:
        actions = self._core.handle(event, self._clock())
        overtaking = self._writing
        for action in actions:
            if overtaking and self._overtakes(action):
                self._carry_out(action)
            else:
                self._held.append(action)
        require(len(self._held) <= HELD_MAX, f"more than {HELD_MAX} actions wait for the disk")
        self._work_off()
        self._set_alarm()

    def _overtakes(self, action: Action) -> bool:
        """Whether the action tells of nothing that is being written."""
        match action:
            case Beat():
                return True
            case Consult():
                return True
            case Permit():
                return action.until_s.keys() <= self._permitted
            case _:
                return False

    def _work_off(self) -> None:
        """Carries out what is held, up to the next write."""
        while self._held and not self._writing:
            action = self._held.popleft()
            if not isinstance(action, Persist):
                self._carry_out(action)
            elif action.number <= self._durable:
                self._events.append(Persisted(number=action.number))
            else:
                self._write(action)

    def _write(self, action: Persist) -> None:
        """The latest registers that wait are being written, the action's own among them."""
        latest = max((held for held in self._held if isinstance(held, Persist)), key=_number, default=action)
        self._writing = True
        self._ports.persist(latest, partial(self._written, action.number, latest.number))

    def _written(self, number: int, durable: int) -> None:
        """What the write held up comes first, then the core hears of it."""
        self._writing, self._durable = False, durable
        self._events.append(Persisted(number=number))
        self._pump()

    def _carry_out(self, action: Action) -> None:
        match action:
            case Send():
                self._ports.send(action.peer, self._envelope(action.seq, action.message))
            case Beat():
                self._ports.beat(action.peer, action.path, self._envelope(action.seq, action.heartbeat))
            case Do():
                self._ports.do(action.step)
            case Note():
                self._ports.note(action)
            case Tell():
                self._ports.tell(action.command, final=action.final, data=action.data)
            case Consult():
                self._ports.consult(action.number, action.question)
            case Permit():
                self._permitted = action.until_s.keys()
                self._ports.permit(action.until_s)
            case Adopt():
                self._ports.adopt(action.config, action.lineage, action.over)
            case ReadyToStop():
                self._ports.ready_to_stop()

    def _envelope(self, seq: int, message: Message) -> Envelope:
        sender, boot_id, incarnation = self._identity
        return Envelope(sender=sender, boot_id=boot_id, incarnation=incarnation, seq=seq, message=message)

    def _set_alarm(self) -> None:
        due_s = self._core.deadline_s()
        if due_s == self._alarm_at and self._alarm is not None:
            return
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        self._alarm_at = due_s
        if due_s is not None:
            self._alarm = self._loop.call_later(max(0.0, due_s - self._clock()), self._ring)

    def _ring(self) -> None:
        self._alarm = None
        self.feed(TimePassed())


def _number(action: Persist) -> int:
    return action.number
