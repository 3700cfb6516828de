# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The core of one node: events in, actions out.

``handle`` is the only entrance. First of all it drops what may not be served any more; then it routes the event, lets
every story that can go on go on, brings each idle group to what its register says, tells its peers what changed,
renews its lease and sends heartbeats. Nothing here knows a clock, a socket or a disk; the same object runs in
production, in the lab and in the simulation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from ..cluster.membership import Membership
from ..moves.care import Errand
from ..moves.checks import noticed
from ..moves.group import GroupMachine, Order
from ..moves.tending import tend
from ..values.events import (
    Action,
    Commanded,
    Configured,
    Consulted,
    Do,
    Event,
    Note,
    Noticed,
    PathDown,
    PathUp,
    Persisted,
    Received,
    Send,
    ShutdownAnnounced,
    StepDone,
    TimePassed,
)
from ..values.graph import groups_of
from ..values.lineage import Lineage
from ..values.messages import Message, Register
from ..values.model import Config, Recovery
from ..values.profiles import TIMERS
from .agenda import Agenda
from .catching_up import CatchingUp
from .departure import Departure
from .desk import Desk
from .explain import explanation
from .keeping import Keeping
from .leasing import Leasing
from .nodes import Nodes
from .orders import command
from .receiving import receive
from .routing import group_step, perform
from .status import status
from .telling import Telling


class Machine:
    """One node's core. ``config`` is None until the node belongs to a cluster.

    ``registers`` are those that were made durable last, by resource tag, ``agreed`` the arbiter that all nodes were
    known to have, ``vouched`` the nodes said to be off, and ``recorded_boot_id`` the boot in which that was.
    ``manual``: there is no arbiter; ``timers`` are
    those of the cluster's profile.
    """

    def __init__(
        self,
        *,
        node: str,
        boot_id: str,
        incarnation: int,
        config: Config | None,
        registers: Mapping[str, Register],
        recorded_boot_id: str | None,
        now_s: float,
        agreed: str = "",
        vouched: frozenset[str] = frozenset(),
        lineage: Lineage | None = None,
        version: str = "",
        durations: Mapping[str, float] | None = None,
    ) -> None:
        self.node = node
        self.boot_id = boot_id
        self.incarnation = incarnation
        self.version = version
        self.now_s = self.started_s = now_s
        self.ids: Iterator[int] = count(1)
        self.durations: dict[str, float] = dict(durations or {})
        self.digest = self.ground = ""
        self.departure = Departure()
        self.config: Config | None = None
        self.manual = True
        self.timers = TIMERS["normal"]
        self.groups: dict[str, GroupMachine] = {}
        self.group_of: dict[str, GroupMachine] = {}
        rebooted = recorded_boot_id is not None and recorded_boot_id != boot_id
        self.vouched: set[str] = set() if rebooted else set(vouched)
        self.membership = Membership(peers={}, timers=self.timers)
        prefix = f"{node}-{incarnation}"
        self.agenda = Agenda()
        self.desk = Desk(
            node=node,
            prefix=prefix,
            emit=self.emit,
            send=self.send,
            perform=self._perform,
            ended=self.agenda.touch,
        )
        self.telling = Telling(self)
        self.leasing = Leasing(self, agreed=agreed)
        self.step_groups: dict[int, str] = {}
        self._actions: list[Action] = []
        self._seqs = count(1)
        self.keeping = Keeping(self, registers=registers, vouched=vouched, rebooted=rebooted)
        self.nodes = Nodes(self)
        self.catching_up = CatchingUp(self)
        if config is not None:
            self._configure(config, lineage)

    # -- the entrance -------------------------------------------------------------------------------

    def handle(self, event: Event, now_s: float) -> list[Action]:
        """What is to be done about the event, in order. ``now_s`` is monotonic and never goes back."""
        self.now_s = now_s
        self._actions = []
        self.leasing.enforce()
        self._route(event)
        self.nodes.watch()
        self.catching_up.tick()
        for name in self.agenda.due(now_s):
            self._tend(name)
        self.desk.tick(now_s, dead=lambda peer: self.membership.silent(peer, now_s))
        self.leasing.agree()
        self.keeping.persist_rest()
        self.leasing.renew()
        self.telling.tell()
        self._actions += self.departure.end(self.groups.values(), now_s)
        return self._actions

    def deadline_s(self) -> float | None:
        """When ``handle(TimePassed())`` is wanted next, if nothing happens before."""
        wanted = (
            self.departure.deadline_s(self.now_s),
            self.agenda.deadline_s(),
            self.catching_up.deadline_s(),
            self.telling.deadline_s(),
            self.leasing.deadline_s(),
            self.desk.deadline_s(),
        )
        deadlines = [due_s for due_s in wanted if due_s is not None]
        return min(deadlines) if deadlines else None

    def busy(self) -> list[str]:
        """Groups with a move or a stop under way, or about to begin; their configuration must not change now."""
        groups = self.groups.values()
        return [g.name for g in groups if g.waiting or (g.task is not None and not g.task.background)]

    def view(self) -> dict[str, Any] | None:
        """The cluster as this node sees it; None while it belongs to none."""
        if self.config is None:
            return None
        return status(self, config=self.config)

    def explained(self, group: str) -> dict[str, Any]:
        """Why the group is where it is, and what would happen if a node died."""
        return explanation(self, self.groups[group])

    # -- what groups and the desk use (see group.World) ------------------------------------------------

    @property
    def votes(self) -> Leasing:
        """The votes for the groups of this node."""
        return self.leasing

    @property
    def arbiter_answers(self) -> bool:
        """Whether the arbiter has voted for this node of late."""
        return self.leasing.counts and self.leasing.own.answers(self.now_s, self.timers.suspect_s)

    @property
    def leaving_s(self) -> float | None:
        """Since when the system is about to shut down; None while it is not."""
        return self.departure.since_s

    @property
    def recovery(self) -> Recovery:
        """What is done by itself when a group fails."""
        return self.config.cluster.recovery if self.config else Recovery()

    def delegate(self, errand: Errand, order: Mapping[str, Any]) -> None:
        """Another node has the order to take the group over; its answer will be in the errand."""
        self.desk.delegate(errand, order, self.now_s)

    def emit(self, action: Action) -> None:
        """The action comes after those emitted before."""
        if isinstance(action, Do):
            self.step_groups[action.step.id] = action.step.group
        self._actions.append(action)

    def send(self, peer: str, message: Message) -> None:
        """The message goes to the peer on all paths."""
        self.emit(Send(peer=peer, seq=self.next_seq(), message=message))

    def next_seq(self) -> int:
        """The number of the next message."""
        return next(self._seqs)

    def persist(self) -> None:
        """All registers are durable before what is emitted next."""
        self.keeping.persist()

    def written(self, g: GroupMachine) -> None:
        """The group's register is to be durable soon."""
        self.keeping.changed(g)

    def report(self, ticket: str, *, final: bool, data: Mapping[str, Any]) -> None:
        """News for whoever gave the order."""
        self.desk.report(ticket, final=final, data=data)

    # -- routing ------------------------------------------------------------------------------------

    def _route(self, event: Event) -> None:
        match event:
            case Received():
                receive(self, event)
            case StepDone():
                self._done(event)
            case Persisted():
                self.keeping.written(event.number)
            case Consulted():
                self.leasing.judged(event)
            case PathUp():
                self.membership.connected(event.peer, event.path, up=True)
                self.telling.beat_now(event.peer, event.path)
                self.emit(Note(kind="path up", group="", text=f"comm path {event.path} to {event.peer} is connected"))
            case PathDown():
                self.membership.connected(event.peer, event.path, up=False, reason=event.reason)
                text = f"comm path {event.path} to {event.peer} is down: {event.reason}"
                self.emit(Note(kind="path down", group="", text=text))
            case Commanded():
                command(self, event)
            case Configured():
                self._configure(event.config, event.lineage)
            case Noticed():
                self.agenda.touch_all(noticed(self.group_of, event.tags))
            case ShutdownAnnounced():
                self._announced()
            case TimePassed():
                pass

    def _done(self, event: StepDone) -> None:
        """Its group is looked at when all that is waited for is there."""
        g = self.groups.get(self.step_groups.pop(event.id, ""))
        if g is not None and group_step(g, event):
            self.touch(g)

    def touch(self, g: GroupMachine | None) -> GroupMachine | None:
        """The group is looked at before this event is over."""
        if g is not None:
            self.agenda.touch(g.name)
        return g

    def _perform(self, group: str, order: Order) -> None:
        perform(self.touch(self.groups.get(group)), order, self)

    def _announced(self) -> None:
        if self.departure.announced(self.now_s):
            self.agenda.touch_all(self.groups)
            self.emit(Note(kind="shutdown", group="", text=f"{self.node} is about to shut down"))

    # -- groups ---------------------------------------------------------------------------------------

    def _tend(self, name: str) -> None:
        g = self.groups.get(name)
        if g is None:
            return
        tend(g)
        self.agenda.tended(g)
        self.telling.changed(g)

    # -- configuration --------------------------------------------------------------------------------

    def _configure(self, config: Config, lineage: Lineage | None) -> None:
        old = self.config
        self.config, self.digest, self.ground = config, config.digest, config.ground
        self.manual, self.timers = config.cluster.arbiter.kind == "manual", TIMERS[config.cluster.profile]
        self.catching_up.configured(config, lineage)
        if old is None or old.cluster != config.cluster:
            peers = {
                node: [path.name for path in config.cluster.comm_paths if node in path.addresses]
                for node in config.cluster.nodes
                if node != self.node
            }
            self.membership = Membership(
                peers=peers, timers=self.timers, incarnation=self.incarnation, now_s=self.now_s
            )
            self.nodes.begin()
            self.telling.begin()
        kept = {g.name: g for g in self.groups.values()}
        former, self.groups = self.group_of, {}
        for name, group in groups_of(config).items():
            same = name in kept and kept[name].group == group
            self.groups[name] = kept[name] if same else self.keeping.group(group, former)
        if old is None or old.cluster.arbiter != config.cluster.arbiter:
            self.leasing.begin()
        self.group_of = {tag: g for g in self.groups.values() for tag in g.group.tags}
        self.telling.all_anew(self.groups.values())
        self.agenda.begin(self.groups)
