# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""From heartbeats to what we know of each peer: its paths, whether it is alive, its lease, and its latest reports.

A peer is alive while any comm path brings heartbeats; suspect after ``suspect_s`` of silence on all of them, dead
after ``dead_s``. Neither moves anything: only a confirmed stop, a promise, or a lease that has run out does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..values.messages import Envelope, Heartbeat, News
from ..values.profiles import TAKE_MAX_S, Timers
from .peer import NodeState, Path, Peer


class Membership:
    """All peers of a node. ``incarnation`` is the node's own: older echoes are of an earlier run."""

    def __init__(
        self, *, peers: Mapping[str, Iterable[str]], timers: Timers, incarnation: int = 0, now_s: float = 0.0
    ) -> None:
        """Peers by name, each with the names of the comm paths that lead to it.

        What they were promised before is not known: their leases run for the longest time there is.
        """
        self.timers = timers
        self._incarnation = incarnation
        self.peers = {
            name: Peer(
                name=name,
                paths={path: Path(name=path) for path in paths},
                light_until_s=now_s + TAKE_MAX_S,
                full_until_s=now_s + TAKE_MAX_S,
            )
            for name, paths in peers.items()
        }

    def connected(self, peer: str, path: str, *, up: bool, reason: str = "") -> None:
        """The connection over the path is up or down; a new connection starts without history."""
        known = self._path(peer, path)
        if known is not None:
            fresh = Path(name=path, connected=up, reason=reason)
            if up:
                fresh.rtt_s, fresh.jitter_s = known.rtt_s, known.jitter_s
            self.peers[peer].paths[path] = fresh

    def accept(self, peer: str, path: str, envelope: Envelope, now_s: float) -> bool:
        """Whether the message is to be acted on; if so the peer was heard.

        Refused and counted: a sender that is not the certificate's, an incarnation before the latest, a heartbeat heard
        before on the same path. Dropped without counting: a copy of a message that came over another path.
        """
        known = self.peers.get(peer)
        if known is None or path not in known.paths:
            return False
        if envelope.sender != peer or envelope.incarnation < known.incarnation:
            known.refuse(envelope, now_s)
            return False
        if envelope.incarnation != known.incarnation:
            known.reborn(envelope, now_s)
        if isinstance(envelope.message, Heartbeat):
            if known.replayed(known.paths[path], envelope):
                return False
            known.heard_s = now_s
            known.heartbeat(known.paths[path], envelope, envelope.message, now_s, self._incarnation)
            return True
        known.heard_s = now_s
        if envelope.seq in known.seen:
            return False
        known.seen.append(envelope.seq)
        return True

    def news(self, peer: str, envelope: Envelope, news: News) -> list[str]:
        """The groups of which the peer told something new; none when it is old, or something before it is missing."""
        return self.peers[peer].learn(envelope, news)

    def beat(self, peer: str, path: str, seq: int, now_s: float) -> tuple[int, int | None, float]:
        """Notes that heartbeat ``seq`` goes out now; returns its count and what to echo (number, seconds held)."""
        known = self.peers[peer].paths[path]
        return known.beat(seq, now_s)

    def state(self, peer: str, now_s: float) -> NodeState:
        """The peer's state; unknown for a node that is no peer."""
        known = self.peers.get(peer)
        return known.state(now_s, self.timers) if known else "unknown"

    def alive(self, peer: str, now_s: float) -> bool:
        """Whether heartbeats of the peer come in."""
        return self.state(peer, now_s) == "alive"

    def silent(self, peer: str, now_s: float) -> bool:
        """Whether nothing is to be expected of the node: it is dead, or was never heard."""
        return self.state(peer, now_s) in ("dead", "unknown")

    def lease_s(self, node: str, *, volume: bool) -> float:
        """Until when the node's votes are exclusive here; for ever past when it is no peer (it left the cluster)."""
        known = self.peers.get(node)
        if known is None:
            return float("-inf")
        return known.full_until_s if volume else known.light_until_s

    def _path(self, peer: str, path: str) -> Path | None:
        known = self.peers.get(peer)
        return known.paths.get(path) if known else None
