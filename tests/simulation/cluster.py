# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole cluster under a virtual clock: the real core of every node, a network, disks, and an independent judge."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping
from itertools import count
from random import Random
from typing import Any

from holdfast.core import events as e
from holdfast.core.graph import groups_of
from holdfast.core.machine import Machine
from holdfast.core.messages import Envelope, Message
from holdfast.core.model import Cluster, CommPath, Config, Hierarchy, Ip, Volume
from holdfast_sim.judge import Judge
from holdfast_sim.machines import Computer
from holdfast_sim.network import Network

PATHS = ("a", "b")


def two_sites(nodes: tuple[str, ...]) -> Config:
    """A site with an address and a volume, and one with an address of its own; each prefers another node."""
    first = {node: i + 1 for i, node in enumerate(nodes)}
    second = {node: i + 1 for i, node in enumerate(reversed(nodes))}
    paths = tuple(
        CommPath(name=path, addresses={node: f"10.{i}.0.{j + 1}" for j, node in enumerate(nodes)})
        for i, path in enumerate(PATHS)
    )
    lan = dict.fromkeys(nodes, "LAN")
    return Config(
        cluster=Cluster(name="sim", arbiter="manual", profile="normal", comm_port=7430, comm_paths=paths),
        ips=(
            Ip(tag="ip-shop", address="10.9.0.1", prefix_length=24, interfaces=lan, priorities=first),
            Ip(tag="ip-docs", address="10.9.0.2", prefix_length=24, interfaces=lan, priorities=second),
        ),
        volumes=(Volume(tag="vol-shop", drive="X:", driver="shared_disk", disk="d1", priorities=first),),
        hierarchies=(
            _site("shop", first, ("ip-shop", "vol-shop")),
            _site("docs", second, ("ip-docs",)),
        ),
    )


def _site(tag: str, priorities: Mapping[str, int], depends_on: tuple[str, ...]) -> Hierarchy:
    return Hierarchy(tag=tag, kind="web", site=tag, priorities=priorities, drain_s=0.0, depends_on=depends_on)


class Process:
    """One run of the monitor on a computer; when it is killed nothing of it is delivered any more."""

    def __init__(self, cluster: World, computer: Computer, number: int) -> None:
        self.cluster = cluster
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
            config=cluster.config,
            registers=dict(computer.registers),
            recorded_boot_id=computer.recorded_boot_id,
            now_s=cluster.now_s,
        )
        self.held: deque[e.Action] = deque()
        self.writing = False
        self.alarm_s: float | None = None

    def feed(self, event: e.Event) -> None:
        """The event reaches the core, now or when the process thaws."""
        if self.dead:
            return
        if self.frozen:
            self.inbox.append(event)
            return
        actions = self.machine.handle(event, self.cluster.now_s)
        self._execute(list(actions))
        self._arm()
        self.cluster.judge.check(self.cluster)

    def thaw(self) -> None:
        """Goes on where it was, with everything that came in meanwhile."""
        self.frozen = False
        inbox, self.inbox = self.inbox, []
        for event in inbox:
            self.feed(event)

    def _arm(self) -> None:
        due_s = self.machine.deadline_s()
        if due_s is None or due_s == self.alarm_s:
            return
        self.alarm_s = due_s
        self.cluster.later(max(0.0, due_s - self.cluster.now_s), lambda: self._alarm(due_s))

    def _alarm(self, due_s: float) -> None:
        if self.alarm_s == due_s:
            self.alarm_s = None
            self.feed(e.TimePassed())
            if not self.dead and not self.frozen:
                self._arm()

    def _execute(self, actions: list[e.Action]) -> None:
        """In order; what follows a Persist waits until the registers are on the disk. Heartbeats overtake."""
        if self.writing:
            for action in actions:
                if isinstance(action, e.Beat):
                    self._one(action)
                else:
                    self.held.append(action)
            return
        self.held.extend(actions)
        self._work_off()

    def _work_off(self) -> None:
        while self.held and not self.writing:
            action = self.held.popleft()
            if isinstance(action, e.Persist):
                self._persist(action)
            else:
                self._one(action)

    def _persist(self, action: e.Persist) -> None:
        def done() -> None:
            if self.dead:
                return
            if self.frozen:
                self.cluster.later(0.1, done)
                return
            self.computer.registers = dict(action.registers)
            self.computer.recorded_boot_id = self.computer.boot_id
            self.writing = False
            self._work_off()
            self.feed(e.Persisted(number=action.number))

        self.writing = True
        self.cluster.later(self.cluster.random.uniform(0.0005, 0.005), done)

    def _one(self, action: e.Action) -> None:
        match action:
            case e.Send():
                for path in PATHS:
                    self._transmit(action.peer, path, action.seq, action.message)
            case e.Beat():
                self._transmit(action.peer, action.path, action.seq, action.heartbeat)
            case e.Do():
                queue = self.busy.setdefault(action.step.resource.tag, [])
                queue.append(action.step)
                if len(queue) == 1:
                    self._begin(action.step)
            case e.Tell():
                self.cluster.told(action)
            case e.Note():
                self.cluster.noted(self, action)
            case e.Persist():
                pass

    def _transmit(self, peer: str, path: str, seq: int, message: Message) -> None:
        envelope = Envelope(
            sender=self.computer.name,
            boot_id=self.computer.boot_id,
            incarnation=self.incarnation,
            seq=seq,
            message=message,
        )
        name = self.computer.name
        received = e.Received(peer=name, path=path, envelope=envelope)
        self.cluster.network.send(name, peer, path, lambda: self.cluster.deliver(peer, received))

    def _begin(self, step: e.Step) -> None:
        sick = self.computer.sick.get((step.operation, step.resource.tag))
        took_s = step.timeout_s * 1.5 if sick == "hang" else self.cluster.random.uniform(0.001, 0.05)
        boot = self.computer.boots

        def end() -> None:
            if self.dead or boot != self.computer.boots:
                return
            error, state, facts = self.computer.execute(step)
            queue = self.busy[step.resource.tag]
            queue.pop(0)
            if queue:
                self._begin(queue[0])
            self.cluster.judge.check(self.cluster)
            self.feed(e.StepDone(id=step.id, error=error, state=state, facts=facts))

        self.cluster.later(took_s, end)


class World:
    """Nodes, network and time. Everything random comes from one seed."""

    def __init__(self, seed: int, nodes: tuple[str, ...] = ("n1", "n2")) -> None:
        self.seed = seed
        self.random = Random(seed)
        self.now_s = 0.0
        self.config = two_sites(nodes)
        self.groups = tuple(groups_of(self.config).values())
        self.exclusive = [ip.tag for ip in self.config.ips] + [volume.tag for volume in self.config.volumes]
        self.judge = Judge()
        self.computers = {name: Computer(name) for name in nodes}
        self.network = Network(random=self.random, later=self.later)
        self.processes: dict[str, Process] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.notes: list[tuple[float, str, e.Note]] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._numbers = count(1)
        for name in nodes:
            self.start(name)

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """The action happens after the delay."""
        heapq.heappush(self._events, (self.now_s + delay_s, next(self._order), action))

    def run(self, seconds: float) -> None:
        """Time goes on by so much."""
        end_s = self.now_s + seconds
        while self._events and self._events[0][0] <= end_s:
            self.now_s, _order, action = heapq.heappop(self._events)
            action()
        self.now_s = end_s

    def run_until(self, condition: Callable[[], bool], seconds_max: float) -> None:
        """Time goes on until the condition holds, or by so much."""
        end_s = self.now_s + seconds_max
        while not condition() and self._events and self._events[0][0] <= end_s:
            self.now_s, _order, action = heapq.heappop(self._events)
            action()

    def calm(self) -> bool:
        """Whether no monitor has work under way or a command open, and no step is executing."""
        if any(process.machine.desk.deadline_s() is not None for process in self.processes.values()):
            return False
        groups = [g for process in self.processes.values() for g in process.machine.groups.values()]
        steps = [queue for process in self.processes.values() for queue in process.busy.values()]
        return not any(g.task or g.waiting for g in groups) and not any(steps)

    def start(self, name: str) -> None:
        """The monitor of the node runs (again)."""
        process = Process(self, self.computers[name], next(self._numbers))
        self.processes[name] = process
        process.feed(e.TimePassed())
        for peer in self.computers:
            for path in PATHS if peer != name else ():
                process.feed(e.PathUp(peer=peer, path=path))

    def kill(self, name: str) -> None:
        """The monitor of the node is gone; what runs keeps running."""
        self.processes[name].dead = True

    def power_cycle(self, name: str) -> None:
        """The node has restarted, everything on it is off, its monitor is not running yet."""
        self.kill(name)
        self.computers[name].reboot()

    def deliver(self, name: str, event: e.Received) -> None:
        """The message reaches whatever monitor runs on the node now."""
        self.processes[name].feed(event)

    def command(self, at: str, verb: str, **args: Any) -> str:
        """Gives a command to a node; the answer appears in ``answers`` under the returned id."""
        id_ = f"c{next(self._numbers)}"
        self.processes[at].feed(e.Commanded(id=id_, verb=verb, args=args))
        return id_

    def told(self, tell: e.Tell) -> None:
        """Takes the core's answer to a command."""
        if tell.final:
            self.judge.answered(self, tell.command)
            self.answers[tell.command] = dict(tell.data)

    def noted(self, process: Process, note: e.Note) -> None:
        """Keeps a ledger record."""
        self.notes.append((self.now_s, process.computer.name, note))
