# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A whole cluster under a virtual clock: the real core of every node, a network, disks, and an independent judge."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from holdfast.core.description.alterations import check_alterations, serving
from holdfast.core.values import events as e
from holdfast.core.values.lineage import Lineage
from holdfast.core.values.model import Config, Profile, Recovery
from holdfast.core.values.profiles import TAKE_MAX_S
from holdfast_sim.arbiter import WITNESS, Witness
from holdfast_sim.clocks import Clock
from holdfast_sim.guard import Guard
from holdfast_sim.judge import Judge, broken
from holdfast_sim.kernel import Kernel
from holdfast_sim.layouts import PATHS, USUAL, layout
from holdfast_sim.machines import Computer
from holdfast_sim.network import Network
from holdfast_sim.process import Process
from holdfast_sim.store import Store

CONNECT_S = 0.001
NOTICE_S = 0.02
STEADY = 0
"""The seed of a world without chance: whatever varies elsewhere always takes the time in the middle."""
EVENTS_MAX = 2000
"""Bound on what happens in one second between two nodes."""
LOOK_S = 0.1
"""How often ``run_until`` looks whether what it waits for has come."""


class World:
    """Nodes, network and time. Everything random comes from one seed; none is with the seed STEADY.

    ``lifetimes``: the systems drop an address by themselves when the permit that it was put up under is over.
    ``sickly``: steps were made to fail or configurations changed, so what is out of service may wait for a person.
    """

    def __init__(
        self,
        seed: int,
        nodes: tuple[str, ...] = ("n1", "n2"),
        *,
        sites: str = "apart",
        profile: Profile = "normal",
        paths: tuple[str, ...] = PATHS,
        arbiter: str = "manual",
        recovery: Recovery = USUAL,
        lifetimes: bool = False,
    ) -> None:
        self.seed = seed
        self.random = Random(seed) if seed != STEADY else _Steady()
        self.profile = profile
        self.paths = paths
        self.now_s = 0.0
        self.arbiter = arbiter
        self.recovery = recovery
        self.lifetimes = lifetimes
        self.sickly = False
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self._happened = 0
        self.lineages: dict[str, Lineage | None] = dict.fromkeys(nodes)
        self.configs: dict[str, Config] = dict.fromkeys(nodes, layout(sites, nodes, profile, paths, arbiter, recovery))
        self.judge = Judge()
        self.computers = {name: Computer(name, clock=Clock(self._began_s())) for name in nodes}
        self.guards = {name: Guard(self, computer) for name, computer in self.computers.items()}
        self.kernels = {name: Kernel(self, computer) for name, computer in self.computers.items()}
        self.network = Network(random=self.random, later=self.later)
        self.witness = Store(self) if arbiter == "store" else Witness(self) if arbiter == "witness" else None
        self.processes: dict[str, Process] = {}
        self.commands: dict[str, tuple[str, dict[str, Any]]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.notes: list[tuple[float, str, e.Note]] = []
        self.transitions: Counter[str] = Counter()
        self._activities: dict[tuple[int, str], str] = {}
        self._numbers = count(1)
        for name in nodes:
            self.start(name, ago_s=TAKE_MAX_S)

    # -- time ---------------------------------------------------------------------------------------

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """The action happens after the delay."""
        heapq.heappush(self._events, (self.now_s + delay_s, next(self._order), action))

    def on_computer(self, computer: Computer, delay_s: float, action: Callable[[], None]) -> None:
        """The action happens after the delay, unless the computer is off by then; while it is paused it waits."""
        boots = computer.boots

        def happen() -> None:
            if computer.boots != boots:
                return
            if computer.paused:
                computer.deferred.append(happen)
            else:
                action()

        self.later(delay_s, happen)

    def extreme(self) -> float:
        """A share between none and all, often one of the two."""
        chance = self.random.random()
        return 0.0 if chance < 0.25 else 1.0 if chance > 0.75 else chance

    def run(self, seconds: float) -> None:
        """Time goes on by so much."""
        events = self._events
        end_s = self.now_s + seconds
        bound = self._bound_at(end_s)
        while events and events[0][0] <= end_s:
            self.now_s, _order, action = heapq.heappop(events)
            action()
            self._happened += 1
            if self._happened > bound:
                broken(self, "6: the nodes keep each other busy and time stands still")
        self.now_s = end_s

    def _bound_at(self, end_s: float) -> float:
        """More cannot happen until then unless something goes round in circles."""
        return EVENTS_MAX * (1.0 + end_s) * len(self.computers) ** 2

    def run_until(self, condition: Callable[[], bool], seconds_max: float) -> bool:
        """Time goes on until the condition holds, or by so much; whether it holds."""
        end_s = self.now_s + seconds_max
        while not condition():
            if self.now_s >= end_s:
                return False
            self.run(LOOK_S)
        return True

    def calm(self) -> bool:
        """Whether no monitor has work under way or a command open, and no step is executing."""
        for process in (process for process in self.processes.values() if not process.dead):
            if process.machine.desk.deadline_s() is not None or any(process.busy.values()):
                return False
            if any(g.task or g.waiting for g in process.machine.groups.values()):
                return False
        return True

    # -- nodes --------------------------------------------------------------------------------------

    def start(self, name: str, *, ago_s: float = 0.0) -> None:
        """The node is on and its monitor runs; a new one, where one runs already."""
        if name in self.processes:
            self.kill(name)
        computer = self.computers[name]
        if computer.paused:
            self.resume(name)
        computer.off = False
        process = Process(self, computer, next(self._numbers), ago_s=ago_s)
        self.processes[name] = process
        self.judge.started(self, process)
        process.feed(e.TimePassed())
        for peer in self.computers:
            if peer in self.processes and not self.processes[peer].dead and peer != name:
                for path in self.paths:
                    self.connect(name, peer, path)

    def kill(self, name: str) -> None:
        """The monitor of the node is gone, and its peers' connections with it; what runs keeps running."""
        self.processes[name].kill()
        for peer in self.computers:
            for path in self.paths if peer != name else ():
                self._told_of(peer, e.PathDown(peer=name, path=path, reason="the connection was closed"))

    def power_off(self, name: str) -> None:
        """Everything on the node is off, and nobody is told."""
        self.computers[name].power_off()
        self.guards[name].reset()
        self.kernels[name].reset()
        self.processes[name].kill()

    def wipe(self, name: str) -> None:
        """The node is off, and another machine takes its place: it has what was described, and no memory."""
        self.power_off(name)
        self.computers[name].wipe()
        self.judge.wiped(name)

    def pause(self, name: str) -> None:
        """The whole machine stands still, as a stunned virtual machine does; what is on stays on."""
        computer = self.computers[name]
        if not computer.off:
            computer.paused = True
            self.processes[name].frozen = True

    def resume(self, name: str) -> None:
        """The machine goes on, in any order, but with everything that was due done at once."""
        computer = self.computers[name]
        if not computer.paused:
            return
        computer.paused = False
        computer.thawed_s = self.now_s
        self.judge.soon(self)
        due, computer.deferred = computer.deferred, []
        for action in due:
            action()
        self.processes[name].thaw()

    def noticed(self, name: str, tag: str) -> None:
        """Windows tells the monitor of a change to the resource, a moment later."""
        process = self.processes[name]
        self.on_computer(self.computers[name], NOTICE_S, lambda: process.feed(e.Noticed(tags=frozenset({tag}))))

    def drift(self, name: str, rate: float) -> None:
        """The clock of the node, or of the witness, runs at this rate from now on."""
        if self.witness is not None and name == WITNESS:
            self.witness.clock.drift(rate, self.now_s)
        else:
            self.computers[name].clock.drift(rate, self.now_s)
            self.guards[name].arm()

    def connect(self, one: str, other: str, path: str) -> None:
        """A new connection over the path; both sides forget what they knew of the one before."""
        self._told_of(one, e.PathUp(peer=other, path=path))
        self._told_of(other, e.PathUp(peer=one, path=path))

    def disconnect(self, one: str, other: str, path: str) -> None:
        """The connection over the path is closed, and both sides notice."""
        self._told_of(one, e.PathDown(peer=other, path=path, reason="the connection was closed"))
        self._told_of(other, e.PathDown(peer=one, path=path, reason="the connection was closed"))

    def configure(self, name: str, sites: str, *, by_force: bool = False) -> bool:
        """The node has another configuration, and keeps it; false when the shell would refuse it now.

        Source: service/describing.py. What a site depends on is read from its bindings, and those are not changed
        while it is in service (rule HF701).
        """
        config = layout(sites, tuple(self.computers), self.profile, self.paths, self.arbiter, self.recovery)
        process = self.processes[name]
        view = process.machine.view()
        if process.dead or process.frozen or view is None or process.machine.busy():
            return False
        placed = serving(view)
        before = {h.tag: h.depends_on for h in self.configs[name].hierarchies}
        rebound = any(h.tag in placed and before.get(h.tag, h.depends_on) != h.depends_on for h in config.hierarchies)
        if by_force and not {"shop", "docs"} & {tag for computer in self.computers.values() for tag in computer.on}:
            placed, rebound = {}, False
        if rebound or check_alterations(self.configs[name], config, placed):
            return False
        self.configs[name] = config
        self.judge.configured()
        process.feed(e.Configured(config=config))
        self.lineages[name] = process.machine.catching_up.lineage
        return True

    def adopt(self, name: str, adopted: e.Adopt) -> None:
        """The node takes a configuration over from another, unless its own was changed meanwhile."""
        process = self.processes[name]
        if process.dead or self.configs[name].digest != adopted.over:
            return
        self.configs[name], self.lineages[name] = adopted.config, adopted.lineage
        self.judge.configured()
        process.feed(e.Configured(config=adopted.config, lineage=adopted.lineage))

    def _told_of(self, name: str, event: e.PathUp | e.PathDown) -> None:
        process = self.processes.get(name)
        if process is not None:
            self.later(CONNECT_S, lambda: process.feed(event))

    # -- commands -----------------------------------------------------------------------------------

    def command(self, at: str, verb: str, **args: Any) -> str:
        """Gives a command to a node; the answer appears in ``answers`` under the returned id."""
        id_ = f"c{next(self._numbers)}"
        self.commands[id_] = (verb, args)
        self.judge.commanded(self, verb, args)
        self.processes[at].feed(e.Commanded(id=id_, verb=verb, args=args))
        return id_

    def told(self, tell: e.Tell) -> None:
        """Takes the core's answer to a command."""
        if tell.final:
            self.judge.answered(self, tell)
            self.answers[tell.command] = dict(tell.data)

    def noted(self, process: Process, note: e.Note) -> None:
        """Keeps a ledger record."""
        self.notes.append((self.now_s, process.computer.name, note))
        if note.kind == "activity":
            key = (process.incarnation, note.group)
            activity = str(note.fields["activity"])
            self.transitions[f"{self._activities.get(key, 'unknown')} -> {activity}"] += 1
            self._activities[key] = activity

    def _began_s(self) -> float:
        """Clocks begin where they like, so that one node's time means nothing to another."""
        return 0.0 if self.seed == STEADY else self.random.uniform(0.0, 1000.0)


class _Steady(Random):
    def random(self) -> float:
        return 0.5
