# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shell of the simulation: feeds one core its events and carries out its actions, as ``service`` does."""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from holdfast.core.node.machine import Machine
from holdfast.core.values import events as e
from holdfast.core.values.messages import Envelope, Message
from holdfast_sim.layouts import PATHS
from holdfast_sim.machines import Computer

if TYPE_CHECKING:
    from holdfast_sim.cluster import World

LATE = 1.5
"""A step that hangs answers after so many times its time-out."""


class Process:
    """One run of the monitor on a computer; when it is killed nothing of it is delivered any more."""

    def __init__(self, world: World, computer: Computer, number: int) -> None:
        self.world = world
        self.computer = computer
        self.incarnation = number
        self.dead = False
        self.frozen = False
        self.inbox: list[e.Event] = []
        self.busy: dict[str, list[e.Step]] = {}
        self.machine = Machine(
            node=computer.name,
            boot_id=computer.boot_id,
            incarnation=self.incarnation,
            config=world.configs[computer.name],
            registers=dict(computer.registers),
            recorded_boot_id=computer.recorded_boot_id,
            now_s=world.now_s,
        )
        self._held: deque[e.Action] = deque()
        self._writing = False
        self._alarm_s: float | None = None

    def feed(self, event: e.Event) -> None:
        """The event reaches the core, now or when the process thaws."""
        if self.dead:
            return
        if self.frozen:
            self.inbox.append(event)
            return
        self._execute(self.machine.handle(event, self.world.now_s))
        self.world.judge.handled(self.world, self)
        self._arm()

    def kill(self) -> None:
        """Nothing is handled any more; what was being done was done, or was not."""
        if self.dead:
            return
        self.dead = True
        for queue in self.busy.values():
            if queue and not self.computer.off and self.world.random.random() < 0.5:
                self.computer.change(queue[0])
        self.world.judge.switched(self.world)

    def thaw(self) -> None:
        """Goes on where it was, with everything that came in meanwhile."""
        self.frozen = False
        inbox, self.inbox = self.inbox, []
        for event in inbox:
            self.feed(event)

    def _arm(self) -> None:
        due_s = self.machine.deadline_s()
        if due_s is None or due_s == self._alarm_s:
            return
        self._alarm_s = due_s
        self.world.later(max(0.0, due_s - self.world.now_s), lambda: self._ring(due_s))

    def _ring(self, due_s: float) -> None:
        if self._alarm_s == due_s and not self.dead:
            self._alarm_s = None
            self.feed(e.TimePassed())

    def _execute(self, actions: list[e.Action]) -> None:
        """In order; what follows a Persist waits until the registers are on the disk. Heartbeats overtake."""
        if not self._writing:
            self._held.extend(actions)
            self._work_off()
            return
        for action in actions:
            if isinstance(action, e.Beat):
                self._one(action)
            else:
                self._held.append(action)

    def _work_off(self) -> None:
        while self._held and not self._writing:
            action = self._held.popleft()
            if isinstance(action, e.Persist):
                self._writing = True
                delay_s = self.world.random.uniform(0.0005, self.computer.disk_s)
                self.world.later(delay_s, partial(self._written, action))
            else:
                self._one(action)

    def _written(self, action: e.Persist) -> None:
        if self.dead:
            return
        if self.frozen:
            self.world.later(0.1, lambda: self._written(action))
            return
        self.computer.registers = dict(action.registers)
        self.computer.recorded_boot_id = self.computer.boot_id
        self.world.judge.durable(self.world, self.computer)
        self._writing = False
        self._work_off()
        self.feed(e.Persisted(number=action.number))

    def _one(self, action: e.Action) -> None:
        match action:
            case e.Beat():
                self._transmit(action.peer, action.path, action.seq, action.heartbeat)
            case e.Send():
                self.world.judge.sent(self.world, self, action.message)
                for path in PATHS:
                    self._transmit(action.peer, path, action.seq, action.message)
            case e.Do():
                queue = self.busy.setdefault(action.step.resource.tag, [])
                queue.append(action.step)
                if len(queue) == 1:
                    self._begin(action.step)
            case e.Tell():
                self.world.told(action)
            case e.Note():
                self.world.noted(self, action)
            case e.Persist():
                pass

    def _transmit(self, peer: str, path: str, seq: int, message: Message) -> None:
        name = self.computer.name
        envelope = Envelope(
            sender=name, boot_id=self.computer.boot_id, incarnation=self.incarnation, seq=seq, message=message
        )
        received = e.Received(peer=name, path=path, envelope=envelope)
        target = self.world.processes[peer]
        self.world.network.send(name, peer, path, lambda: target.feed(received))

    def _begin(self, step: e.Step) -> None:
        sick = self.computer.sick.get((step.operation, step.resource.tag))
        took_s = step.timeout_s * LATE if sick == "hang" else self.world.random.uniform(0.001, 0.05)
        self.world.later(took_s, lambda: self._end(step))

    def _end(self, step: e.Step) -> None:
        if self.dead:
            return
        error, state, facts = self.computer.execute(step)
        queue = self.busy[step.resource.tag]
        queue.pop(0)
        if queue:
            self._begin(queue[0])
        if step.operation in ("start", "stop"):
            self.world.judge.switched(self.world)
        self.feed(e.StepDone(id=step.id, error=error, state=state, facts=facts))
