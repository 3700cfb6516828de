# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A group at run time on one node: its register, what it does, and the task under way.

Stories (``takeover``, ``handover``, ``local``) act through this object only.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..cluster.membership import Membership
from ..values.events import Action, Note
from ..values.facts import State
from ..values.graph import Group
from ..values.messages import Activity, GroupReport, Message, PhaseTime, Register
from ..values.problems import Problem, problem_row
from .sequence import Failure, Run, Stage
from .story import Task, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command for one group, on the node that carries it out. ``ticket`` leads the answer back.

    ``off`` are nodes of which an operator said that they are switched off, when the order came in at ``given_s``.
    """

    ticket: str
    verb: str
    tags: tuple[str, ...]
    check: bool = False
    off: tuple[str, ...] = ()
    given_s: float = 0.0


class World(Protocol):
    """What a group sees of its node."""

    node: str
    incarnation: int
    now_s: float
    digest: str
    ids: Iterator[int]
    membership: Membership
    durations: dict[str, float]

    def emit(self, action: Action) -> None:
        """The action is carried out after those emitted before."""

    def send(self, peer: str, message: Message) -> None:
        """The message goes to the peer on all paths."""

    def persist(self) -> None:
        """All registers are durable before what is emitted next."""

    def report(self, ticket: str, *, final: bool, data: Mapping[str, Any]) -> None:
        """News for whoever gave the order."""


@dataclass(slots=True, kw_only=True)
class GroupMachine:
    """One group on this node. ``activity`` is what it does here; ``states`` are its resources as last seen here."""

    group: Group
    world: World
    register: Register
    durable: Register
    conflict: str = ""
    activity: Activity = "unknown"
    reason: str = "not looked at yet"
    since_s: float = 0.0
    states: dict[str, State] = field(default_factory=dict)
    task: Task | None = None
    looks: list[Task] = field(default_factory=list)
    waiting: list[Order] = field(default_factory=list)
    observed_s: float | None = None
    dirty: bool = False

    @property
    def name(self) -> str:
        """The group's name."""
        return self.group.name

    @property
    def holds(self) -> bool:
        """Whether this node may serve the group, as far as the register says."""
        register = self.register
        mine = register.holder == self.world.node and not register.suspended
        return mine and register.promised_epoch <= register.epoch

    def report(self, register: Register) -> GroupReport:
        """What this node does with the group; peers are told the register that is durable."""
        return GroupReport(register=register, activity=self.activity, reason=self.reason, resources=dict(self.states))

    def become(self, activity: Activity, reason: str) -> None:
        """The activity is changed, and the change noted with its reason."""
        if (activity, reason) == (self.activity, self.reason):
            return
        self.activity, self.reason, self.since_s = activity, reason, self.world.now_s
        self.note("activity", f"{self.name} is {activity.replace('_', ' ')}: {reason}", activity=activity)

    def note(self, kind: str, text: str, **fields: Any) -> None:
        """A ledger record with the epoch."""
        self.world.emit(Note(kind=kind, group=self.name, text=text, fields={"epoch": self.register.epoch, **fields}))

    def write(self, register: Register) -> None:
        """The register is changed, durable soon; nothing waits for it."""
        self.register = register
        self.dirty = True

    def commit(self, register: Register) -> None:
        """The register is changed, and durable before whatever is emitted next."""
        self.write(register)
        self.world.persist()

    def run(self, stages: Sequence[Stage]) -> Generator[Wait, None, Run]:
        """Executes the stages; the resources' states follow from the outcomes."""
        running = self.running(stages)
        yield running
        self.learn(running.run)
        return running.run

    def running(self, stages: Sequence[Stage]) -> Running:
        """The stages as something to wait for."""
        world = self.world
        run = Run(group=self.name, node=world.node, stages=stages, ids=world.ids, now_s=world.now_s)
        return Running(run, world)

    def learn(self, run: Run) -> None:
        """States and durations as the run showed them."""
        self.states.update(run.states)
        for tag, facts in run.facts.items():
            self.states[tag] = facts.state
        failed = run.failure.tag if run.failure else None
        for phase in run.phases:
            if phase.resource == failed:
                self.states[phase.resource] = "unknown"
            elif phase.name in ("start", "stop"):
                self.states[phase.resource] = "up" if phase.name == "start" else "down"
                self.world.durations[f"{phase.name} {phase.resource}"] = phase.seconds
        if failed is not None:
            self.states[failed] = "unknown"

    def tell(self, order: Order, *, changed: bool, data: Mapping[str, Any]) -> None:
        """The order's good end."""
        self.world.report(order.ticket, final=True, data={"ok": True, "changed": changed, "data": data})

    def progress(self, order: Order, text: str) -> None:
        """News of an order under way."""
        self.world.report(order.ticket, final=False, data={"group": self.name, "text": text})

    def refuse(self, order: Order, kind: str, message: str, problems: Sequence[Problem] = ()) -> None:
        """The order's bad end; ``kind`` as in errors.RequestError."""
        rows = [problem_row(problem) for problem in problems]
        error = {"kind": kind, "message": message, "problems": rows}
        self.note("refused", message, verb=order.verb, problems=rows)
        self.world.report(order.ticket, final=True, data={"ok": False, "error": error})


class Running:
    """A run as something a story waits for."""

    def __init__(self, run: Run, world: World) -> None:
        self.run = run
        self._world = world

    def ready(self) -> bool:
        """Whether the run is over."""
        return self.run.finished

    def deadline_s(self) -> float | None:
        """When a step is late."""
        return self.run.deadline_s()

    def poll(self, now_s: float) -> None:
        """Gives up what is late and begins what is next."""
        self.run.expire(now_s)
        for action in self.run.advance(now_s):
            self._world.emit(action)


def phase_rows(phases: Sequence[PhaseTime]) -> list[dict[str, Any]]:
    """Phases as plain data for people and playbooks."""
    return [
        {"name": p.name, "node": p.node, "resource": p.resource, "start_s": p.start_s, "seconds": p.seconds}
        for p in phases
    ]


def failure_text(failure: Failure | None) -> str:
    """The failure's text; empty without one."""
    return failure.text if failure else ""
