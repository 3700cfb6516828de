# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Until when a node may serve what it has: the arithmetic of permits, and its own lease as voters acknowledged it.

A permit needs the node's own vote and that of the arbiter, or of every peer. A vote counts from the moment at which
it was asked for, never from the moment of the answer. Any two such quorums share a voter, and that voter gives the
vote to another only when the lease has run out by its own clock, which is later (``profiles.unsafe``).
Source: docs/decisions/0011-permits.md; PaxosLease (arXiv 1209.4187).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ..values.arbitration import Question, Renewal, Verdict
from .peer import NEVER_S, Peer

ASKED_MAX = 4096
"""Questions to the arbiter that are remembered; answers to older ones are dropped."""


@dataclass(slots=True, kw_only=True)
class Backing:
    """Who knows that this node has a group, or is to have it, and at which epoch; and the permit that follows.

    ``claimed`` is the epoch that the arbiter granted, and when it was asked; ``promised`` the epoch that each peer
    promised, and when the heartbeat was sent that it had echoed last by then. ``version`` is the News that first told
    of the register as it is now, ``lost`` whether the arbiter's own contradicts it.
    """

    claimed: tuple[int, float] = (-1, NEVER_S)
    promised: dict[str, tuple[int, float]] = field(default_factory=dict)
    version: int = 0
    lost: bool = False
    until_s: float = NEVER_S

    def drop(self) -> None:
        """No permit, and nothing that was said once counts for a new one."""
        self.forget()
        self.until_s = NEVER_S

    def forget(self) -> None:
        """What was granted or promised is not used."""
        self.claimed = (-1, NEVER_S)
        self.promised = {}


def by_arbiter_s(backing: Backing, *, epoch: int, own: OwnLease) -> float:
    """When the newest vote of the arbiter was asked for: the claim itself, or a renewal of what it knows to be ours."""
    claimed, asked_s = backing.claimed
    knows = own.version >= backing.version > 0 and not backing.lost
    return max(asked_s if claimed == epoch else NEVER_S, own.renewed_s if knows else NEVER_S)


def by_peers_s(backing: Backing, *, group: str, epoch: int, node: str, peers: Iterable[Peer], ground: str) -> float:
    """When the oldest of the newest votes of all peers was asked for; those that vote about something else are silent.

    ``peers`` are all of them, less those for which an operator vouches.
    """
    votes = (_vote_s(backing, peer, group=group, epoch=epoch, node=node, ground=ground) for peer in peers)
    return min(votes, default=NEVER_S)


def _vote_s(backing: Backing, peer: Peer, *, group: str, epoch: int, node: str, ground: str) -> float:
    if peer.ground != ground:
        return NEVER_S
    promised, asked_s = backing.promised.get(peer.name, (-1, NEVER_S))
    stands = peer.told >= backing.version > 0 and _stands(peer, group=group, epoch=epoch, node=node)
    return max(asked_s if promised == epoch else NEVER_S, peer.acked_s if stands else NEVER_S)


def _stands(peer: Peer, *, group: str, epoch: int, node: str) -> bool:
    """Whether the peer's own register has the node at this epoch, as holder or as the one that may have it next."""
    report = peer.groups.get(group)
    if report is None:
        return False
    register = report.register
    return (register.epoch, register.holder) == (epoch, node) or (
        register.epoch < epoch and (register.promised_epoch, register.promised_to) == (epoch, node)
    )


class OwnLease:
    """The node's lease at the arbiter. ``renewed_s`` is when the newest acknowledged renewal was sent, ``sent_s`` when
    the question that was answered last.

    ``version`` is how much of our registers the arbiter has, ``told`` how much was sent to it, ``hears`` the
    nodes whose leases run there; ``reason`` says why it does not vote for us, and is empty when it does.
    """

    def __init__(self) -> None:
        self.renewed_s = self.sent_s = NEVER_S
        self.answered_s: float | None = None
        self.version = 0
        self.hears: frozenset[str] = frozenset()
        self.told = 0
        self.due_s = NEVER_S
        self.reason = "the arbiter has not answered yet"
        self._renewal = 0
        self._asked: dict[int, tuple[float, Question]] = {}

    @property
    def renewing(self) -> bool:
        """Whether the newest renewal is still to be answered: what changed meanwhile is told with the next."""
        return self._renewal in self._asked

    def ask(self, number: int, question: Question, now_s: float) -> None:
        """The question with this number goes out now."""
        if isinstance(question, Renewal):
            self._renewal = number
        self._asked[number] = (now_s, question)
        while len(self._asked) > ASKED_MAX:
            self._asked.pop(next(iter(self._asked)))

    def judged(self, number: int, verdict: Verdict | None, error: str, now_s: float) -> Question | None:
        """The question that was answered, its answer counted; None when it is unknown or was not answered."""
        sent_s, question = self._asked.pop(number, (0.0, None))
        if question is None:
            return None
        if verdict is None or not verdict.renewed:
            self.reason = error if verdict is None else verdict.reason
            return None
        self.reason = ""
        self.answered_s = now_s
        if isinstance(question, Renewal) and sent_s >= self.renewed_s:
            self.renewed_s = sent_s
            self.version = verdict.version
            self.hears = frozenset(verdict.alive)
        self.sent_s = sent_s
        return question

    def answers(self, now_s: float, within_s: float) -> bool:
        """Whether the arbiter has voted for us of late."""
        return self.answered_s is not None and now_s - self.answered_s < within_s
