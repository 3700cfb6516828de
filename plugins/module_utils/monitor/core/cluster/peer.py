# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""One other node as its messages show it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..values.messages import Envelope, GroupReport, Heartbeat, News
from ..values.profiles import Timers

NodeState = Literal["alive", "suspect", "dead", "unknown"]
LOSS_WINDOW = 40
"""Heartbeats over which the loss of a path is reckoned: ten seconds at four a second."""
SEEN_REQUESTS = 1024
"""How many message numbers of a peer are remembered to drop the copies that came over its other paths."""
CLONE_S = 3.0
"""What an earlier run of a peer's monitor had sent is in by then; what still comes is from another machine."""
CLONE_SHOWN_S = 60.0
NEVER_S = float("-inf")
Refusal = Literal["foreign", "stale", "cloned", "replayed"]
"""Of another sender than the certificate's; of a run before the latest; of one that goes on all the same, on a machine
that was started apart; and heard before on the same path."""


@dataclass(slots=True, kw_only=True)
class Path:
    """One comm path to one peer. ``heard_s`` is None until the first heartbeat of this connection.

    ``jitter_s`` is how much the round trip time varies from one heartbeat to the next, smoothed as in RFC 3550, 6.4.1.
    """

    name: str
    connected: bool = False
    reason: str = "not connected yet"
    heard_s: float | None = None
    last_seq: int | None = None
    count: int = 0
    rtt_s: float | None = None
    jitter_s: float = 0.0
    sent: dict[int, float] = field(default_factory=dict)
    arrivals: deque[int] = field(default_factory=lambda: deque(maxlen=LOSS_WINDOW))

    def beat(self, seq: int, now_s: float) -> tuple[int, int | None, float]:
        """Heartbeat ``seq`` goes out now; its count and what it echoes (number, seconds held)."""
        self.count += 1
        self.sent[seq] = now_s
        while len(self.sent) > LOSS_WINDOW:
            self.sent.pop(next(iter(self.sent)))
        held_s = now_s - self.heard_s if self.heard_s is not None else 0.0
        return self.count, self.last_seq, held_s

    def tripped(self, rtt_s: float) -> None:
        """A heartbeat and its echo took this long."""
        if self.rtt_s is not None:
            self.jitter_s += (abs(rtt_s - self.rtt_s) - self.jitter_s) / 16
        self.rtt_s = rtt_s

    def loss_percent(self) -> float:
        """Share of the latest heartbeats that did not arrive, judged by the gaps in their count on this path."""
        if len(self.arrivals) < 2:
            return 0.0
        arrived = set(self.arrivals)
        expected = max(arrived) - min(arrived) + 1
        return round(100.0 * (1 - len(arrived) / expected), 1)


@dataclass(slots=True, kw_only=True)
class Peer:
    """Everything known of another node. What an earlier incarnation said is gone, but its lease runs on.

    ``hears`` is the incarnation of this node that the peer had heard when it sent its newest heartbeat. ``got`` is how
    far its News are here, ``has`` how far ours are there. ``acked_s`` is when the newest heartbeat that it echoed was
    sent, ``told`` how much of ours it had then, and ``arbiter`` which one it had: as of a moment of which we know all
    that it knew, for its register may speak against us. Its votes are exclusive here until ``light_until_s`` and
    ``full_until_s``.
    """

    name: str
    paths: dict[str, Path]
    light_until_s: float = 0.0
    full_until_s: float = 0.0
    boot_id: str = ""
    incarnation: int = 0
    hears: int = 0
    version: str = ""
    config_digest: str = ""
    ground: str = ""
    arbiter: str = ""
    newest_seq: int = -1
    groups: Mapping[str, GroupReport] = field(default_factory=dict)
    got: int = 0
    has: int = 0
    told: int = 0
    acked_s: float = NEVER_S
    heard_s: float | None = None
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=SEEN_REQUESTS))
    refused: Counter[Refusal] = field(default_factory=Counter)
    born_s: float = NEVER_S
    cloned_s: float = NEVER_S
    sent_number: int = 0
    sent_due_s: float = NEVER_S
    _says: tuple[int, int, float, str] = (0, 0, NEVER_S, "")

    def state(self, now_s: float, timers: Timers) -> NodeState:
        """Alive, suspect or dead by the time since any path brought a heartbeat; unknown before the first.

        A peer to which no path is connected any more is suspect at once.
        """
        if self.heard_s is None:
            return "unknown"
        silence_s = now_s - self.heard_s
        if silence_s >= timers.dead_s:
            return "dead"
        if silence_s < timers.suspect_s:
            for path in self.paths.values():
                if path.connected:
                    return "alive"
        return "suspect"

    def path_up(self, path: Path, now_s: float, timers: Timers) -> bool:
        """Whether heartbeats come in on this path."""
        return path.connected and path.heard_s is not None and now_s - path.heard_s < timers.suspect_s

    def refuse(self, envelope: Envelope, now_s: float) -> None:
        """The message is of no run that counts, and counted."""
        if envelope.sender != self.name:
            self.refused["foreign"] += 1
        elif envelope.boot_id != self.boot_id and now_s >= self.born_s + CLONE_S:
            self.refused["cloned"] += 1
            self.cloned_s = now_s
        else:
            self.refused["stale"] += 1

    def has_clone(self, now_s: float) -> bool:
        """Whether another machine goes by its name, with its certificate."""
        return now_s < self.cloned_s + CLONE_SHOWN_S

    def replayed(self, path: Path, envelope: Envelope) -> bool:
        """Whether this heartbeat, or a later one, was heard on this path: a connection delivers in order."""
        again = path.last_seq is not None and envelope.seq <= path.last_seq
        if again:
            self.refused["replayed"] += 1
        return again

    def reborn(self, envelope: Envelope, now_s: float) -> None:
        """Its monitor was started again: it has told nothing yet, and knows nothing of us."""
        self.born_s = now_s
        self.incarnation = envelope.incarnation
        self.boot_id = envelope.boot_id
        self.newest_seq = -1
        self.hears = 0
        self.groups = {}
        self.got = self.has = self.told = self.sent_number = 0
        self.acked_s = self.sent_due_s = NEVER_S
        self.arbiter = ""
        self._says = (0, 0, NEVER_S, "")
        self.seen.clear()
        for path in self.paths.values():
            path.last_seq = None

    def heartbeat(self, path: Path, envelope: Envelope, heartbeat: Heartbeat, now_s: float, incarnation: int) -> None:
        """The peer lives, has renewed its lease, and says how much of us it has heard."""
        path.heard_s = now_s
        path.last_seq = envelope.seq
        path.arrivals.append(heartbeat.count)
        self.light_until_s = max(self.light_until_s, now_s + heartbeat.lease.light_s)
        self.full_until_s = max(self.full_until_s, now_s + heartbeat.lease.full_s)
        sent_s = path.sent.get(heartbeat.echo_seq) if heartbeat.echo_seq is not None else None
        if sent_s is not None and heartbeat.hears == incarnation:
            path.tripped(max(0.0, now_s - sent_s - heartbeat.held_s))
        if envelope.seq > self.newest_seq:
            self._newest(envelope.seq, heartbeat.ground)
            self.config_digest = heartbeat.config_digest
            self.hears = heartbeat.hears
            self.version = heartbeat.version
            self.has = heartbeat.has if heartbeat.hears == incarnation else 0
            echoed_s = sent_s if sent_s is not None and heartbeat.hears == incarnation else NEVER_S
            self._says = (self.has, heartbeat.news, echoed_s, heartbeat.arbiter)
            self._agree()

    def learn(self, envelope: Envelope, news: News) -> list[str]:
        """The groups of which the peer told something new; none when it is old, or something before it is missing."""
        if news.number <= self.got or news.since > self.got:
            return []
        if envelope.seq > self.newest_seq:
            self._newest(envelope.seq, news.ground)
        if news.ground != self.ground:
            return []
        self.groups = {**self.groups, **news.groups} if news.since else dict(news.groups)
        self.got = news.number
        self._agree()
        return list(news.groups)

    def _newest(self, seq: int, ground: str) -> None:
        """Reports of another ground mean other groups, whatever their names: they are forgotten."""
        self.newest_seq = seq
        if ground != self.ground:
            self.ground = ground
            self.groups = {}
            self.got = self.told = 0

    def _agree(self) -> None:
        """What it has of ours counts once we have all that it knew when it said so: it may know better than we."""
        has, news, echoed_s, arbiter = self._says
        if news <= self.got:
            self.arbiter = arbiter
            self.told = max(self.told, has)
            self.acked_s = max(self.acked_s, echoed_s)
