# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node tells its peers of itself: heartbeats on every path, and News when a report has changed.

A heartbeat renews the sender's lease at the receiver and is small, however many groups there are. News carry what
changed since the latest that the receiver is known to have, at once, and again until its heartbeats say that it has it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..cluster.ownership import abandoned_by, learn
from ..cluster.peer import Peer
from ..moves.group import GroupMachine
from ..values.events import Beat
from ..values.history import merged
from ..values.messages import Envelope, Heartbeat, News

if TYPE_CHECKING:
    from .machine import Machine


class Telling:
    """``number`` is that of the latest News; every group knows in which its report changed last.

    ``registers`` is that of the latest News that tells of a register.
    """

    def __init__(self, machine: Machine) -> None:
        self.number = self.registers = 0
        self._machine = machine
        self._anew_from = 0
        self._due_s: dict[tuple[str, str], float] = {}
        self._first_s: float | None = None

    def begin(self) -> None:
        """The comm paths are those of the machine's membership now."""
        peers = self._machine.membership.peers.values()
        self._due_s = {(peer.name, path): self._machine.now_s for peer in peers for path in peer.paths}
        self._first_s = self._machine.now_s if self._due_s else None

    def all_anew(self, groups: Iterable[GroupMachine]) -> None:
        """With another configuration everything is told from the beginning."""
        self.number += 1
        self._anew_from = self.number
        for g in groups:
            g.told = None
            self.changed(g)

    def changed(self, g: GroupMachine) -> None:
        """If the group's report is another than the one that was told, it is told with the next News."""
        report = g.report(g.durable)
        if report == g.told:
            return
        if g.told is None or g.told.register != report.register:
            g.backing.version = self.registers = self.number + 1
            self._machine.leasing.stale = True
        g.told = report
        self.number += 1
        g.version = self.number

    def beat_now(self, peer: str, path: str) -> None:
        """The next heartbeat on this path is due."""
        if (peer, path) in self._due_s:
            self._due_s[peer, path] = self._first_s = self._machine.now_s

    def deadline_s(self) -> float | None:
        """When the next heartbeat is due."""
        return self._first_s

    def tell(self) -> None:
        """News and heartbeats go out where they are due."""
        for peer in self._machine.membership.peers.values():
            if peer.incarnation and peer.has < self.number:
                self._news(peer)
        now_s = self._machine.now_s
        if self._first_s is None or now_s < self._first_s:
            return
        for (name, path), due_s in self._due_s.items():
            if now_s >= due_s:
                self._due_s[name, path] = now_s + self._machine.timers.heartbeat_s
                self._beat(name, path)
        self._first_s = min(self._due_s.values(), default=None)

    def heard(self, name: str, envelope: Envelope, news: News) -> None:
        """What the peer told is known; later registers of a peer with the same configuration are ours."""
        machine = self._machine
        changed = machine.membership.news(name, envelope, news)
        machine.leasing.stale = True
        peer = machine.membership.peers[name]
        machine.agenda.touch_all(group for group in changed if group in machine.groups)
        if peer.ground == machine.ground:
            for group in changed:
                if group in machine.groups:
                    self._learn(machine.groups[group], peer)

    def _learn(self, g: GroupMachine, peer: Peer) -> None:
        told = peer.groups[g.name]
        if g.conflict and told.activity not in ("up", "down"):
            return
        history = merged(g.register.history, told.register.history)
        if history != g.register.history:
            g.remember(history)
        machine = self._machine
        settled = abandoned_by(g.register, told.register, peer=peer.name)
        register = learn(settled, told.register, node=machine.node, peer=peer.name, votes=not machine.manual)
        if register == g.register:
            return
        g.learn_register(register)
        if g.conflict:
            g.conflict = ""
            g.become("unknown", "its resources belong together again")

    def _news(self, peer: Peer) -> None:
        machine = self._machine
        again = machine.now_s >= peer.sent_due_s
        if peer.sent_number == self.number and not again:
            return
        # What is on its way is not told again with every change, only when it should have arrived long ago.
        told = peer.has if again else max(peer.has, peer.sent_number)
        if again or peer.sent_number <= peer.has:
            peer.sent_due_s = machine.now_s + 2 * machine.timers.heartbeat_s
        peer.sent_number = self.number
        since = told if told >= self._anew_from else 0
        groups = {g.name: g.told for g in machine.groups.values() if g.version > since and g.told is not None}
        news = News(number=self.number, since=since, ground=machine.ground, groups=groups)
        machine.send(peer.name, news)

    def _beat(self, name: str, path: str) -> None:
        machine = self._machine
        peer = machine.membership.peers[name]
        if not peer.paths[path].connected:
            return
        seq = machine.next_seq()
        number, echo, held_s = machine.membership.beat(name, path, seq, machine.now_s)
        heartbeat = Heartbeat(
            count=number,
            config_digest=machine.digest,
            ground=machine.ground,
            arbiter=machine.leasing.identity,
            version=machine.version,
            lease=machine.timers.lease,
            news=self.number,
            has=peer.got,
            echo_seq=echo,
            held_s=round(held_s, 6),
            hears=peer.incarnation,
        )
        machine.emit(Beat(peer=name, path=path, seq=seq, heartbeat=heartbeat))
