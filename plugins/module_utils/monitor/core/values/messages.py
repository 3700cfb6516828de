# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What nodes say to each other. Values only; ``wire`` turns them into bytes and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Union

from .facts import Facts, State
from .history import History
from .lease import Lease
from .lineage import Lineage

Activity = Literal["unknown", "down", "up", "starting", "stopping", "waiting", "failed"]
"""What a node does with a group: unknown until it has looked; waiting: holds it, but has to hear its peers first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """Who holds a group, as one node knows it; durable.

    ``epoch`` only grows; ``holder`` may serve at that epoch, None when nobody may. ``revision`` counts what the
    holder changed within the epoch. ``promised_epoch``, when greater than ``epoch``, is one this node has agreed
    that ``promised_to`` may have next. ``former`` had it before a claim that was granted and may come to nothing: until
    the claimant has voted itself, that one's lease counts too. ``out`` are the hierarchies an operator took out of
    service. ``suspended``: the holder was rebooted, and does not know yet whether another node was given the group
    meanwhile. ``stays``: the holder was shut down and keeps the group; nobody takes it over by itself. ``history`` is
    merged with every register heard.
    """

    epoch: int = 0
    revision: int = 0
    holder: str | None = None
    promised_epoch: int = 0
    promised_to: str | None = None
    former: str | None = None
    out: frozenset[str] = frozenset()
    suspended: bool = False
    stays: bool = False
    history: History = field(default_factory=History)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupReport:
    """A group as its sender runs it: the register, what its resources do there, and why.

    ``unready`` is why the sender could not take it over now; empty when it could, for all it knows. ``silent`` is why
    it should have the group only when nobody else can: no address of ``ping`` answers there.
    """

    register: Register
    activity: Activity
    reason: str
    resources: Mapping[str, State]
    unready: str = ""
    silent: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """I am alive, and renew my lease. Sent on every comm path of a peer at the profile's interval.

    ``count`` numbers the heartbeats of this path, so that gaps are losses. ``echo_seq`` and ``held_s`` answer the
    last heartbeat received on that path: its round trip time, and that the lease was renewed. ``hears`` is the
    incarnation of the receiver that the sender heard last, 0 before. ``news`` is the number of the sender's latest
    News, ``has`` how far the sender has those of the receiver. ``ground`` tells what is voted about, ``arbiter`` which
    one the sender has (model.Config.ground, agreement.identity).
    """

    count: int
    config_digest: str
    ground: str
    arbiter: str
    version: str
    lease: Lease
    news: int
    has: int
    echo_seq: int | None = None
    held_s: float = 0.0
    hears: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """The reports of the sender's groups that changed after News ``since``, up to ``number``; all of them when it is 0.

    Sent at once when a report changes, and again until the receiver's heartbeats say that it has it.
    """

    number: int
    since: int
    ground: str
    groups: Mapping[str, GroupReport]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """Tell me what you find when you look at this group's resources on your node."""

    request: str
    group: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The answer to Look: facts by resource tag, or why there are none."""

    request: str
    group: str
    facts: Mapping[str, Facts]
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """May I have this group at this epoch? The holder stops everything first; others only promise.

    ``off`` are nodes of which an operator said that they are switched off, ``consent_of`` is the holder that will be
    asked itself.
    """

    request: str
    group: str
    epoch: int
    off: tuple[str, ...] = ()
    consent_of: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PhaseTime:
    """How long one phase of a move took; ``start_s`` counts from the beginning of the work on that node."""

    name: str
    node: str
    resource: str
    start_s: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Granted: the sender holds nothing of the group and has promised the epoch. Else ``reason`` says why not."""

    request: str
    group: str
    epoch: int
    granted: bool
    reason: str = ""
    out: frozenset[str] = frozenset()
    phases: tuple[PhaseTime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Carry out this command for me; you are the node that it concerns."""

    request: str
    verb: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """News of a forwarded command: progress while ``final`` is false, then its result."""

    request: str
    final: bool
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigQuestion:
    """Mine is this configuration; which is yours? Asked of a peer whose heartbeats tell another one."""

    lineage: Lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigAnswer:
    """Which configuration the sender has, and all of it (``model.as_data``) where it descends from the asker's."""

    lineage: Lineage
    config: Mapping[str, Any] | None = None


Message = Union[Heartbeat, News, Look, Seen, Ask, Answer, Forward, Report, ConfigQuestion, ConfigAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message with its sender's identity.

    ``incarnation`` grows with every start of the sender's monitor, ``boot_id`` changes with every start of its system.
    ``seq`` grows within an incarnation; the same message sent on several paths has the same number.
    """

    sender: str
    boot_id: str
    incarnation: int
    seq: int
    message: Message
    protocol: int = field(default=1)
