# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A group at run time on one node: its register, what it does, and the task under way.

Stories (``takeover``, ``handover``, ``local``) act through this object only.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..cluster.membership import Membership
from ..cluster.ownership import promised_away
from ..cluster.peer import NEVER_S
from ..cluster.permits import Backing
from ..values.events import Action, Note
from ..values.facts import State
from ..values.graph import Group
from ..values.history import History, merged
from ..values.messages import Activity, GroupReport, Message, Register
from ..values.model import Recovery
from ..values.problems import Problem, problem_row
from .care import Care, Cause, Errand
from .sequence import Run, Stage
from .story import Task, Wait


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command for one group, on the node that carries it out. ``ticket`` leads the answer back.

    ``off`` are nodes of which an operator said that they are switched off, when the order came in at ``given_s``.
    ``why`` is the reason that is noted; empty when it was a person's command, as ``cause`` says.
    """

    ticket: str
    verb: str
    tags: tuple[str, ...]
    check: bool = False
    off: tuple[str, ...] = ()
    given_s: float = 0.0
    why: str = ""
    cause: Cause = "command"


class Votes(Protocol):
    """What a group sees of the votes for it."""

    def until_s(self, g: GroupMachine) -> float:
        """Until when the votes that are in now let this node serve the group."""

    def missing(self, g: GroupMachine) -> str:
        """Who has not voted for this node to serve the group."""

    def heard(self, g: GroupMachine) -> bool:
        """Whether the group's register as it is now is known to the arbiter, or to every peer."""

    def arbiter_hears(self, node: str | None) -> bool:
        """Whether the node's lease runs at the arbiter, as it said last."""

    def may_claim(self, g: GroupMachine) -> bool:
        """Whether the arbiter is not busy with many claims of this node; if it is, the group is touched later."""

    def claim(self, g: GroupMachine, *, epoch: int, consent_of: str | None) -> int:
        """The arbiter is asked for the group; the number of the question."""

    def admit(self, g: GroupMachine) -> None:
        """The guard knows a permit of the group that runs for a while, if there is one, before what is emitted next."""


class World(Protocol):
    """What a group sees of its node. ``manual``: there is no arbiter, groups move by command only.

    ``vouched`` are nodes of which an operator said that they are off; they are in no quorum until they are heard again.
    """

    node: str
    incarnation: int
    now_s: float
    started_s: float
    digest: str
    ground: str
    ids: Iterator[int]
    membership: Membership
    durations: dict[str, float]
    vouched: set[str]

    @property
    def votes(self) -> Votes:
        """The votes for the groups of this node."""

    @property
    def leaving_s(self) -> float | None:
        """Since when the system is about to shut down; None while it is not."""

    @property
    def recovery(self) -> Recovery:
        """What is done by itself when a group fails that has no settings of its own."""

    def delegate(self, errand: Errand, order: Mapping[str, Any]) -> None:
        """Another node has the order to take the group over; its answer will be in the errand."""

    @property
    def manual(self) -> bool:
        """Whether there is no arbiter."""

    @property
    def arbiter_answers(self) -> bool:
        """Whether the arbiter has voted for this node of late."""

    def emit(self, action: Action) -> None:
        """The action is carried out after those emitted before."""

    def send(self, peer: str, message: Message) -> None:
        """The message goes to the peer on all paths."""

    def persist(self) -> None:
        """All registers are durable before what is emitted next."""

    def written(self, g: GroupMachine) -> None:
        """The group's register is to be durable soon."""

    def report(self, ticket: str, *, final: bool, data: Mapping[str, Any]) -> None:
        """News for whoever gave the order."""


@dataclass(slots=True, kw_only=True)
class GroupMachine:
    """One group on this node. ``activity`` is what it does here; ``states`` are its resources as last seen here.

    ``announce``: its neighbours may have been told wrong, and are to be told again where its addresses are.
    """

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
    order: Order | None = None
    looks: list[Task] = field(default_factory=list)
    waiting: list[Order] = field(default_factory=list)
    observed_s: float | None = None
    backing: Backing = field(default_factory=Backing)
    known_s: float = NEVER_S
    retry_s: float = NEVER_S
    announce: bool = False
    failures: int = 0
    told: GroupReport | None = None
    version: int = 0
    care: Care = field(default_factory=Care)

    def __post_init__(self) -> None:
        self._see()

    @property
    def name(self) -> str:
        """The group's name."""
        return self.group.name

    @property
    def recovery(self) -> Recovery:
        """What is done by itself when the group fails: as the cluster has it, but for what is the group's own."""
        own = self.group.recovery
        return replace(self.world.recovery, **own) if own else self.world.recovery

    @property
    def holds(self) -> bool:
        """Whether this node may serve the group, as far as the register says."""
        register = self.register
        mine = register.holder == self.world.node and not register.suspended
        return mine and not promised_away(register, self.world.node)

    @property
    def suspended(self) -> bool:
        """Whether this node holds the group, and was rebooted since it was given it or asked for it."""
        return self.register.suspended and self.register.holder == self.world.node

    @property
    def epoch_here(self) -> int:
        """The epoch at which this node has the group, or is promised it; -1 when neither."""
        register = self.register
        if register.promised_to == self.world.node and register.promised_epoch > register.epoch:
            return register.promised_epoch
        return register.epoch if register.holder == self.world.node else -1

    @property
    def maybe_on(self) -> bool:
        """Whether anything of the group may be running here."""
        return self.activity not in ("down", "waiting") or any(state != "down" for state in self.states.values())

    @property
    def permitted(self) -> bool:
        """Whether this node may serve the group at this moment."""
        return self.holds and self.world.now_s < self.extend()

    def extend(self) -> float:
        """Until when this node may serve the group, by all votes that are in; a permit never gets shorter.

        Votes that are over already make none.
        """
        until_s = self.world.votes.until_s(self)
        if until_s > self.world.now_s:
            self.backing.until_s = max(self.backing.until_s, until_s)
        return self.backing.until_s

    def lapsed(self, node: str) -> bool:
        """Whether the node's vote on this group may be given to another, by our own clock."""
        return self.world.now_s >= self.lapse_s(node)

    def lapse_s(self, node: str) -> float:
        """When the node's lease on this group runs out here, if it is not renewed."""
        if self.world.manual:
            return float("inf")
        membership = self.world.membership
        timers = membership.timers
        volume = bool(self.group.volumes)
        known_s = self.known_s + (timers.take_s if volume else timers.take_light_s)
        return max(membership.lease_s(node, volume=volume), known_s)

    def report(self, register: Register) -> GroupReport:
        """What this node does with the group; peers are told the register that is durable."""
        care, holds = self.care, self.holds
        unready = f"{self.world.node} shuts down" if self.world.leaving_s is not None else care.unready
        return GroupReport(
            register=register,
            activity=self.activity,
            reason=self.reason,
            resources=dict(self.states),
            unready="" if holds else unready,
            silent="" if holds else care.silent,
        )

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
        """The register is changed, durable soon; nothing waits for it. What befell the group is never lost by it."""
        history = merged(self.register.history, register.history)
        self.register = register if history == register.history else replace(register, history=history)
        self._see()
        self.world.written(self)

    def remember(self, history: History) -> None:
        """The group's history is this one, less what was closed before."""
        self.write(replace(self.register, history=history))

    def learn_register(self, register: Register) -> None:
        """The register is what another node or the arbiter knows better; how long that is known counts for leases."""
        if self.register.epoch == 0:
            self.known_s = self.world.now_s
        self.write(register)

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
        if any(operation == "start" for stage in stages for operation, _unused in stage):
            world.votes.admit(self)
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
            elif phase.name in ("start", "stop", "fence"):
                self.states[phase.resource] = "up" if phase.name == "start" else "down"
                self.world.durations[f"{phase.name} {phase.resource}"] = phase.seconds
        if failed is not None:
            self.states[failed] = "unknown"

    def _see(self) -> None:
        """Incidents age from now on when they are new to this node."""
        incidents, seen = self.register.history.incidents, self.care.seen
        self.care.seen = {incident: seen.get(incident, self.world.now_s) for incident in incidents}

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
