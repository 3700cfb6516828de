# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one run of a monitor asked for and was answered: from when its permits may be counted, by an eye of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from holdfast.core.values.events import Beat, Consult, Consulted, Received
from holdfast.core.values.messages import Heartbeat

NEVER_S = float("-inf")
Key = TypeVar("Key")
KEPT = 400
"""Questions remembered; answers to older ones come too late to matter."""


class Votes:
    """Times are local. A vote counts from when it was asked for: the newest question that was answered."""

    def __init__(self) -> None:
        self._asked: dict[int, float] = {}
        self._beats: dict[tuple[str, int], float] = {}
        self._arbiter_s = NEVER_S
        self._peers_s: dict[str, float] = {}

    def asked(self, consult: Consult, now_s: float) -> None:
        """A question goes to the arbiter."""
        _keep(self._asked, consult.number, now_s)

    def beat(self, beat: Beat, now_s: float) -> None:
        """A heartbeat goes to a peer."""
        _keep(self._beats, (beat.peer, beat.seq), now_s)

    def heard(self, event: Received | Consulted, incarnation: int) -> None:
        """Something has arrived that may be an answer."""
        if isinstance(event, Consulted):
            if event.verdict is not None and event.verdict.renewed:
                self._arbiter_s = max(self._arbiter_s, self._asked.get(event.number, NEVER_S))
            return
        message = event.envelope.message
        if isinstance(message, Heartbeat) and message.hears == incarnation and message.echo_seq is not None:
            asked_s = self._beats.get((event.peer, message.echo_seq), NEVER_S)
            self._peers_s[event.peer] = max(self._peers_s.get(event.peer, NEVER_S), asked_s)

    def from_s(self, peers: Iterable[str]) -> float:
        """Since when a quorum has voted: the arbiter, or every peer."""
        return max(self._arbiter_s, min((self._peers_s.get(peer, NEVER_S) for peer in peers), default=NEVER_S))


def _keep(times: dict[Key, float], key: Key, now_s: float) -> None:
    times[key] = now_s
    if len(times) > KEPT:
        del times[next(iter(times))]
