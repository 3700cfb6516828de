# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The core of one node: events in, actions out.

``handle`` is the only entrance. It routes the event, lets every story that can go on go on, brings each idle group to
what its register says, and sends heartbeats. Nothing here knows a clock, a socket or a disk; the same object runs in
production, in the lab and in the simulation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

from ..cluster.membership import Membership, NodeState
from ..cluster.ownership import combine, learn, suspend
from ..moves.group import GroupMachine, Order
from ..moves.tending import next_look_s, tend
from ..values.events import (
    Action,
    Beat,
    Commanded,
    Configured,
    Do,
    Event,
    Note,
    PathDown,
    PathUp,
    Persist,
    Persisted,
    Received,
    Send,
    StepDone,
    TimePassed,
)
from ..values.graph import groups_of
from ..values.messages import Answer, Ask, Forward, GroupReport, Heartbeat, Look, Message, Register, Report, Seen
from ..values.model import Config
from ..values.profiles import TIMERS, Timers
from .desk import Desk
from .orders import command
from .routing import group_step, on_answer, on_ask, on_look, perform
from .status import status


class Machine:
    """One node's core. ``config`` is None until the node belongs to a cluster.

    ``registers`` are those that were made durable last, by resource tag, and ``recorded_boot_id`` the boot in which
    that was.
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
        version: str = "",
        durations: Mapping[str, float] | None = None,
    ) -> None:
        self.node = node
        self.boot_id = boot_id
        self.incarnation = incarnation
        self.version = version
        self.now_s = now_s
        self.ids: Iterator[int] = count(1)
        self.durations: dict[str, float] = dict(durations or {})
        self.digest = ""
        self.config: Config | None = None
        self.groups: dict[str, GroupMachine] = {}
        self.membership = Membership(peers={}, timers=TIMERS["normal"])
        prefix = f"{node}-{incarnation}"
        self.desk = Desk(node=node, prefix=prefix, emit=self.emit, send=self.send, perform=self._perform)
        self.step_groups: dict[int, str] = {}
        self._actions: list[Action] = []
        self._seqs = count(1)
        self._persists = count(1)
        self._registers: dict[str, Register] = dict(registers)
        if recorded_boot_id is not None and recorded_boot_id != boot_id:
            self._registers |= {tag: suspend(r) for tag, r in registers.items() if r.holder == node}
        self._in_writing: dict[int, dict[str, Register]] = {}
        self._due_s: dict[tuple[str, str], float] = {}
        self._told: dict[str, GroupReport] = {}
        self._node_states: dict[str, NodeState] = {}
        if config is not None:
            self._configure(config)

    # -- the entrance -------------------------------------------------------------------------------

    def handle(self, event: Event, now_s: float) -> list[Action]:
        """What is to be done about the event, in order. ``now_s`` is monotonic and never goes back."""
        self.now_s = now_s
        self._actions = []
        self._route(event)
        for g in self.groups.values():
            tend(g)
        self.desk.tick(now_s, dead=self._silent)
        if any(g.dirty for g in self.groups.values()):
            self.persist()
        self._note_nodes()
        self._beat()
        return self._actions

    def deadline_s(self) -> float | None:
        """When ``handle(TimePassed())`` is wanted next, if nothing happens before."""
        deadlines = list(self._due_s.values())
        deadlines += [d for g in self.groups.values() if (d := next_look_s(g)) is not None]
        if (desk := self.desk.deadline_s()) is not None:
            deadlines.append(desk)
        return min(deadlines, default=None)

    def busy(self) -> list[str]:
        """Groups with a move or a stop under way, or about to begin; their configuration must not change now."""
        groups = self.groups.values()
        return [g.name for g in groups if g.waiting or (g.task is not None and not g.task.background)]

    def view(self) -> dict[str, Any] | None:
        """The cluster as this node sees it; None while it belongs to none."""
        if self.config is None:
            return None
        return status(
            node=self.node,
            version=self.version,
            boot_id=self.boot_id,
            config=self.config,
            groups=self.groups.values(),
            membership=self.membership,
            now_s=self.now_s,
        )

    # -- what groups and the desk use (see group.World) ------------------------------------------------

    def emit(self, action: Action) -> None:
        """The action comes after those emitted before."""
        if isinstance(action, Do):
            self.step_groups[action.step.id] = action.step.group
        self._actions.append(action)

    def send(self, peer: str, message: Message) -> None:
        """The message goes to the peer on all paths."""
        self.emit(Send(peer=peer, seq=next(self._seqs), message=message))

    def persist(self) -> None:
        """All registers are durable before what is emitted next."""
        for g in self.groups.values():
            if g.dirty:
                self._registers |= dict.fromkeys(g.group.tags, g.register)
                g.dirty = False
        number = next(self._persists)
        self._in_writing[number] = {g.name: g.register for g in self.groups.values()}
        self.emit(Persist(number=number, registers=dict(self._registers)))

    def report(self, ticket: str, *, final: bool, data: Mapping[str, Any]) -> None:
        """News for whoever gave the order."""
        self.desk.report(ticket, final=final, data=data)

    # -- routing ------------------------------------------------------------------------------------

    def _route(self, event: Event) -> None:
        match event:
            case Received():
                self._receive(event)
            case StepDone():
                group_step(self.groups.get(self.step_groups.pop(event.id, "")), event)
            case Persisted():
                self._written(event.number)
            case PathUp():
                self.membership.connected(event.peer, event.path, up=True)
                if (event.peer, event.path) in self._due_s:
                    self._due_s[event.peer, event.path] = self.now_s
                self.emit(Note(kind="path up", group="", text=f"comm path {event.path} to {event.peer} is connected"))
            case PathDown():
                self.membership.connected(event.peer, event.path, up=False, reason=event.reason)
                text = f"comm path {event.path} to {event.peer} is down: {event.reason}"
                self.emit(Note(kind="path down", group="", text=text))
            case Commanded():
                command(self, event)
            case Configured():
                self._configure(event.config)
            case TimePassed():
                pass

    def _written(self, number: int) -> None:
        for name, register in self._in_writing.pop(number, {}).items():
            if name in self.groups:
                self.groups[name].durable = register

    def _receive(self, event: Received) -> None:
        if not self.membership.accept(event.peer, event.path, event.envelope, self.now_s):
            return
        message = event.envelope.message
        match message:
            case Heartbeat():
                self._learn(event.peer)
            case Look():
                on_look(self.groups.get(message.group), event.peer, message, self)
            case Ask():
                on_ask(self.groups.get(message.group), event.peer, message, self)
            case Answer() | Seen():
                on_answer(self.groups.get(message.group), event.peer, message)
            case Forward():
                self.desk.forwarded(event.peer, message)
            case Report():
                self.desk.reported(event.peer, message)

    def _learn(self, peer: str) -> None:
        """Later registers of a peer with the same configuration become ours."""
        known = self.membership.peers[peer]
        if known.config_digest != self.digest:
            return
        for name, told in known.groups.items():
            g = self.groups.get(name)
            if g is None or (g.conflict and told.activity not in ("up", "down")):
                continue
            register = learn(g.register, told.register, node=self.node, peer=peer)
            if register is not g.register:
                g.write(register)
                if g.conflict:
                    g.conflict = ""
                    g.become("unknown", "its resources belong together again")

    def _perform(self, group: str, order: Order) -> None:
        perform(self.groups.get(group), order, self)

    # -- configuration --------------------------------------------------------------------------------

    def _configure(self, config: Config) -> None:
        old = self.config
        self.config, self.digest = config, config.digest
        if old is None or old.cluster != config.cluster:
            peers = {
                node: [path.name for path in config.cluster.comm_paths if node in path.addresses]
                for node in config.cluster.nodes
                if node != self.node
            }
            self.membership = Membership(peers=peers, timers=self._timers)
            self._due_s = {(peer, path): self.now_s for peer, paths in peers.items() for path in paths}
            self._node_states = {}
        kept = {g.name: g for g in self.groups.values()}
        self.groups = {}
        for name, group in groups_of(config).items():
            if name in kept and kept[name].group == group:
                self.groups[name] = kept[name]
                continue
            register, conflict = combine(self._registers, group.tags)
            self.groups[name] = GroupMachine(
                group=group,
                world=self,
                register=register,
                durable=register,
                conflict=conflict,
                since_s=self.now_s,
            )

    @property
    def _timers(self) -> Timers:
        return TIMERS[self.config.cluster.profile if self.config else "normal"]

    # -- heartbeats -----------------------------------------------------------------------------------

    def _beat(self) -> None:
        """Heartbeats go out where they are due, and everywhere when a report has changed."""
        reports = {name: g.report(g.durable) for name, g in self.groups.items()}
        changed = reports != self._told
        self._told = reports
        for (peer, path), due_s in self._due_s.items():
            if not changed and self.now_s < due_s:
                continue
            self._due_s[peer, path] = self.now_s + self._timers.heartbeat_s
            if not self.membership.peers[peer].paths[path].connected:
                continue
            seq = next(self._seqs)
            number, echo, held_s = self.membership.beat(peer, path, seq, self.now_s)
            heartbeat = Heartbeat(
                count=number,
                config_digest=self.digest,
                version=self.version,
                groups=reports,
                echo_seq=echo,
                held_s=round(held_s, 6),
                hears=self.membership.peers[peer].incarnation,
            )
            self.emit(Beat(peer=peer, path=path, seq=seq, heartbeat=heartbeat))

    def _note_nodes(self) -> None:
        for peer in self.membership.peers:
            state = self.membership.state(peer, self.now_s)
            before = self._node_states.get(peer, "unknown")
            if state != before:
                self._node_states[peer] = state
                self.emit(Note(kind="node", group="", text=f"{peer} is {state}, was {before}", fields={"node": peer}))

    def _silent(self, peer: str) -> bool:
        return self.membership.state(peer, self.now_s) in ("dead", "unknown")
