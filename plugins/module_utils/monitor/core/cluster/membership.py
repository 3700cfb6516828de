# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""From heartbeats to what we know of each peer: its paths, whether it is alive, and its latest reports.

A peer is alive while any comm path brings heartbeats; suspect after ``suspect_s`` of silence on all of them, dead
after ``dead_s``. Neither moves anything: only a promise or a confirmed stop does (see ``ownership``).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..values.messages import Envelope, GroupReport, Heartbeat
from ..values.profiles import Timers

NodeState = Literal["alive", "suspect", "dead", "unknown"]
LOSS_WINDOW = 40
"""Heartbeats over which the loss of a path is reckoned: ten seconds at four a second."""
SEEN_REQUESTS = 1024
"""How many message numbers of a peer are remembered to drop the copies that came over its other paths."""


@dataclass(slots=True, kw_only=True)
class Path:
    """One comm path to one peer. ``heard_s`` is None until the first heartbeat of this connection."""

    name: str
    connected: bool = False
    reason: str = "not connected yet"
    heard_s: float | None = None
    last_seq: int | None = None
    count: int = 0
    rtt_s: float | None = None
    sent: dict[int, float] = field(default_factory=dict)
    arrivals: deque[int] = field(default_factory=lambda: deque(maxlen=LOSS_WINDOW))

    def loss_percent(self) -> float:
        """Share of the latest heartbeats that did not arrive, judged by the gaps in their count on this path."""
        if len(self.arrivals) < 2:
            return 0.0
        arrived = set(self.arrivals)
        expected = max(arrived) - min(arrived) + 1
        return round(100.0 * (1 - len(arrived) / expected), 1)


@dataclass(slots=True, kw_only=True)
class Peer:
    """Everything known of another node. Reports of an earlier incarnation are gone.

    ``hears`` is the incarnation of this node that the peer had heard when it sent its newest heartbeat.
    """

    name: str
    paths: dict[str, Path]
    boot_id: str = ""
    incarnation: int = 0
    hears: int = 0
    version: str = ""
    config_digest: str = ""
    newest_seq: int = -1
    groups: Mapping[str, GroupReport] = field(default_factory=dict)
    heard_s: float | None = None
    seen: deque[int] = field(default_factory=lambda: deque(maxlen=SEEN_REQUESTS))
    refused: int = 0

    def state(self, now_s: float, timers: Timers) -> NodeState:
        """Alive, suspect or dead by the time since any path brought a heartbeat; unknown before the first.

        A peer to which no path is connected any more is suspect at once.
        """
        if self.heard_s is None:
            return "unknown"
        silence_s = now_s - self.heard_s
        if silence_s >= timers.dead_s:
            return "dead"
        connected = any(path.connected for path in self.paths.values())
        return "alive" if connected and silence_s < timers.suspect_s else "suspect"

    def path_up(self, path: Path, now_s: float, timers: Timers) -> bool:
        """Whether heartbeats come in on this path."""
        return path.connected and path.heard_s is not None and now_s - path.heard_s < timers.suspect_s


class Membership:
    """All peers of a node."""

    def __init__(self, *, peers: Mapping[str, Iterable[str]], timers: Timers) -> None:
        """Peers by name, each with the names of the comm paths that lead to it."""
        self.timers = timers
        self.peers = {
            name: Peer(name=name, paths={path: Path(name=path) for path in paths}) for name, paths in peers.items()
        }

    def connected(self, peer: str, path: str, *, up: bool, reason: str = "") -> None:
        """The connection over the path is up or down; a new connection starts without history."""
        known = self._path(peer, path)
        if known is not None:
            fresh = Path(name=path, connected=up, reason=reason, rtt_s=known.rtt_s if up else None)
            self.peers[peer].paths[path] = fresh

    def accept(self, peer: str, path: str, envelope: Envelope, now_s: float) -> bool:
        """Whether the message is to be acted on; if so the peer was heard.

        Refused and counted: a sender that is not the certificate's, an incarnation before the latest. Dropped without
        counting: a copy of a message that came over another path.
        """
        known = self.peers.get(peer)
        if known is None or path not in known.paths:
            return False
        if envelope.sender != peer or envelope.incarnation < known.incarnation:
            known.refused += 1
            return False
        if envelope.incarnation != known.incarnation:
            self._reborn(known, envelope)
        known.heard_s = now_s
        if isinstance(envelope.message, Heartbeat):
            self._heartbeat(known, known.paths[path], envelope, envelope.message, now_s)
            return True
        if envelope.seq in known.seen:
            return False
        known.seen.append(envelope.seq)
        return True

    def beat(self, peer: str, path: str, seq: int, now_s: float) -> tuple[int, int | None, float]:
        """Notes that heartbeat ``seq`` goes out now; returns its count and what to echo (number, seconds held)."""
        known = self.peers[peer].paths[path]
        known.count += 1
        known.sent[seq] = now_s
        while len(known.sent) > LOSS_WINDOW:
            known.sent.pop(next(iter(known.sent)))
        held_s = now_s - known.heard_s if known.heard_s is not None else 0.0
        return known.count, known.last_seq, held_s

    def state(self, peer: str, now_s: float) -> NodeState:
        """The peer's state; unknown for a node that is no peer."""
        known = self.peers.get(peer)
        return known.state(now_s, self.timers) if known else "unknown"

    def alive(self, peer: str, now_s: float) -> bool:
        """Whether heartbeats of the peer come in."""
        return self.state(peer, now_s) == "alive"

    def _path(self, peer: str, path: str) -> Path | None:
        known = self.peers.get(peer)
        return known.paths.get(path) if known else None

    @staticmethod
    def _reborn(peer: Peer, envelope: Envelope) -> None:
        peer.incarnation = envelope.incarnation
        peer.boot_id = envelope.boot_id
        peer.newest_seq = -1
        peer.hears = 0
        peer.groups = {}
        peer.seen.clear()

    @staticmethod
    def _heartbeat(peer: Peer, path: Path, envelope: Envelope, heartbeat: Heartbeat, now_s: float) -> None:
        path.heard_s = now_s
        path.last_seq = envelope.seq
        path.arrivals.append(heartbeat.count)
        sent_s = path.sent.get(heartbeat.echo_seq) if heartbeat.echo_seq is not None else None
        if sent_s is not None:
            path.rtt_s = max(0.0, now_s - sent_s - heartbeat.held_s)
        if envelope.seq > peer.newest_seq:
            peer.newest_seq = envelope.seq
            peer.hears = heartbeat.hears
            peer.version = heartbeat.version
            peer.config_digest = heartbeat.config_digest
            peer.groups = heartbeat.groups
