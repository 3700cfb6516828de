# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shell of the simulation: feeds one core its events and carries out its actions, as ``service`` does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence, Set
from functools import partial
from typing import TYPE_CHECKING

from holdfast.core.node.machine import Machine
from holdfast.core.values import events as e
from holdfast.core.values.graph import Group
from holdfast.core.values.messages import Envelope, Message, Register
from holdfast.core.values.model import Hierarchy, Ip
from holdfast_sim.arbiter import WITNESS, Witness
from holdfast_sim.machines import Computer
from holdfast_sim.store import Customer, Store
from holdfast_sim.votes import Votes

if TYPE_CHECKING:
    from holdfast_sim.cluster import World

NOT_PERMITTED = "this node may not serve it at the moment"
LATE = 1.5
"""A step that hangs answers after so many times its time-out."""


class Process:
    """One run of the monitor on a computer; when it is killed nothing of it is delivered any more."""

    def __init__(self, world: World, computer: Computer, number: int, *, ago_s: float = 0.0) -> None:
        """``ago_s``: it began so long ago, and nothing has happened since."""
        self.world = world
        self.computer = computer
        self.incarnation = number
        self.dead = False
        self.frozen = False
        self.inbox: list[e.Event] = []
        self.upon_thaw: list[Callable[[], None]] = []
        self.busy: dict[str, list[e.Step]] = {}
        self.judged = Votes()
        self.known: dict[str, tuple[Group | None, Register | None]] = {}
        self.machine = Machine(
            node=computer.name,
            boot_id=computer.boot_id,
            incarnation=self.incarnation,
            config=world.configs[computer.name],
            registers=dict(computer.registers),
            recorded_boot_id=computer.recorded_boot_id,
            agreed=computer.agreed,
            vouched=computer.vouched,
            lineage=world.lineages[computer.name],
            now_s=computer.clock.read(world.now_s) - ago_s,
        )
        store = world.witness
        self.customer = Customer(self, store, ago_s=ago_s) if isinstance(store, Store) else None
        self._held: deque[e.Action] = deque()
        self._writing = False
        self._durable = 0
        self._permitted: Set[str] = frozenset()
        self._alarm_s: float | None = None
        self._due_s: float | None = None

    def feed(self, event: e.Event) -> None:
        """The event reaches the core, now or when the process thaws."""
        if self.dead:
            return
        if self.frozen:
            self.inbox.append(event)
            return
        if isinstance(event, (e.Received, e.Consulted)):
            self.judged.heard(event, self.incarnation)
        if actions := self.machine.handle(event, self.computer.clock.read(self.world.now_s)):
            self._execute(actions)
        self.world.judge.handled(self.world, self)
        self._arm()

    def kill(self) -> None:
        """Nothing is handled any more; what was being done was done, or was not."""
        if self.dead:
            return
        self.dead = True
        for queue in self.busy.values():
            if queue and not self.computer.off and self.world.random.random() < 0.5 and self._may(queue[0]):
                self.computer.change(queue[0])
                self._lives(queue[0])
        self.world.judge.switched(self.world)

    def thaw(self) -> None:
        """Goes on where it was, with everything that came in meanwhile."""
        self.frozen = False
        inbox, self.inbox = self.inbox, []
        for event in inbox:
            self.feed(event)
        due, self.upon_thaw = self.upon_thaw, []
        for action in due:
            action()

    def _arm(self) -> None:
        self._due_s = due_s = self.machine.deadline_s()
        self._set(due_s)

    def _set(self, due_s: float | None) -> None:
        if due_s is None or (self._alarm_s is not None and self._alarm_s <= due_s):
            return
        self._alarm_s = due_s
        self.world.later(self.computer.clock.wait_s(due_s, self.world.now_s), partial(self._ring, due_s))

    def _ring(self, alarm_s: float) -> None:
        """The core is told when its deadline has come; an alarm set before it moved on only sets the next."""
        if self._alarm_s != alarm_s or self.dead:
            return
        self._alarm_s = None
        if self.frozen or (self._due_s is not None and self._due_s <= self.computer.clock.read(self.world.now_s)):
            self.feed(e.TimePassed())
        else:
            self._set(self._due_s)

    def _execute(self, actions: list[e.Action]) -> None:
        """In order; what follows a Persist waits until the registers are on the disk.

        Questions to the arbiter and heartbeats overtake, and permits for no more groups than before.
        """
        if not self._writing:
            self._held.extend(actions)
            self._work_off()
            return
        for action in actions:
            if self._overtakes(action):
                self._one(action)
            else:
                self._held.append(action)

    def _overtakes(self, action: e.Action) -> bool:
        match action:
            case e.Beat() | e.Consult():
                return True
            case e.Permit():
                return action.until_s.keys() <= self._permitted
        return False

    def _work_off(self) -> None:
        while self._held and not self._writing:
            action = self._held.popleft()
            if not isinstance(action, e.Persist):
                self._one(action)
            elif action.number <= self._durable:
                self.world.later(0.0, partial(self.feed, e.Persisted(number=action.number)))
            else:
                self._write(action)

    def _write(self, action: e.Persist) -> None:
        """What waits to be written, too, is written with it."""
        self._writing = True
        newest = next((held for held in reversed(self._held) if isinstance(held, e.Persist)), action)
        delay_s = self.world.random.uniform(0.0005, self.computer.disk_s)
        self.world.later(delay_s, partial(self._written, action.number, newest))

    def _written(self, number: int, newest: e.Persist) -> None:
        if self.dead:
            return
        if self.frozen:
            self.world.later(0.1, lambda: self._written(number, newest))
            return
        self.computer.registers = dict(newest.registers)
        self.computer.recorded_boot_id = self.computer.boot_id
        self.computer.agreed, self.computer.vouched = newest.agreed, newest.vouched
        self._durable = newest.number
        self.world.judge.durable(self.world, self.computer)
        self._writing = False
        self._work_off()
        self.feed(e.Persisted(number=number))

    def _one(self, action: e.Action) -> None:
        match action:
            case e.Beat():
                self.judged.beat(action, self.computer.clock.read(self.world.now_s))
                self._transmit(action.peer, (action.path,), action.seq, action.heartbeat)
            case e.Send():
                self.world.judge.sent(self.world, self, action.message)
                self._transmit(action.peer, self.world.paths, action.seq, action.message)
            case e.Do():
                self._do(action.step)
            case e.Tell():
                self.world.told(action)
            case e.Note():
                self.world.noted(self, action)
            case e.Consult():
                self._consult(action)
            case e.Permit():
                self.world.judge.permitted(self.world, self, action)
                self._permitted = action.until_s.keys()
                groups = {name: g.group for name in action.until_s if (g := self.machine.groups.get(name)) is not None}
                self.world.guards[self.computer.name].told(action, groups, self.incarnation)
                ips = (ip.tag for group in groups.values() for ip in group.ips)
                self.world.kernels[self.computer.name].refreshed(ips)
            case e.ReadyToStop():
                self.world.on_computer(self.computer, 0.05, partial(self.world.power_off, self.computer.name))
            case e.Adopt():
                self.world.on_computer(self.computer, 0.02, partial(self.world.adopt, self.computer.name, action))

    def _do(self, step: e.Step) -> None:
        """Steps on one resource come one after another; a fence does not wait for any."""
        if step.operation == "fence":
            self._begin(step)
            return
        queue = self.busy.setdefault(step.resource.tag, [])
        queue.append(step)
        if len(queue) == 1:
            self._begin(step)

    def _consult(self, action: e.Consult) -> None:
        witness = self.world.witness
        self.judged.asked(action, self.computer.clock.read(self.world.now_s))
        if self.customer is not None:
            self.customer.ask(action.number, action.question)
        if not isinstance(witness, Witness):
            return
        for path in self.world.paths:
            arrive = partial(witness.ask, self, path, action.number, action.question)
            self.world.network.send(self.computer.name, WITNESS, path, arrive)

    def _transmit(self, peer: str, paths: Sequence[str], seq: int, message: Message) -> None:
        name = self.computer.name
        envelope = Envelope(
            sender=name, boot_id=self.computer.boot_id, incarnation=self.incarnation, seq=seq, message=message
        )
        target = self.world.processes[peer]
        for path in paths:
            received = e.Received(peer=name, path=path, envelope=envelope)
            self.world.network.send(name, peer, path, partial(target.feed, received))

    def _begin(self, step: e.Step) -> None:
        sick = self.computer.sick.get((step.operation, step.resource.tag))
        took_s = step.timeout_s * LATE if sick == "hang" else self.world.random.uniform(0.001, 0.05)
        self.world.on_computer(self.computer, took_s, partial(self._end, step))

    def _end(self, step: e.Step) -> None:
        if self.dead:
            return
        done = self.computer.execute(step) if self._may(step) else e.StepDone(id=step.id, error=NOT_PERMITTED)
        self._lives(step)
        if step.operation != "fence":
            queue = self.busy[step.resource.tag]
            queue.pop(0)
            if queue:
                self._begin(queue[0])
        if step.operation == "start" and not done.error:
            self.world.judge.enabled(self.world, self, step)
        if step.operation in ("start", "stop", "fence"):
            self.world.judge.switched(self.world)
        self.feed(done)

    def _lives(self, step: e.Step) -> None:
        """An address that was put up has a lifetime."""
        if step.operation == "start" and isinstance(step.resource, Ip) and step.resource.tag in self.computer.on:
            self.world.kernels[self.computer.name].added(step.resource.tag)

    def _may(self, step: e.Step) -> bool:
        """An address or a volume is switched on only under a permit that runs at that very moment."""
        guarded = step.operation == "start" and not isinstance(step.resource, Hierarchy)
        return not guarded or self.world.guards[self.computer.name].allows(step.resource.tag)
