# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What happens to the core (events, in the past tense) and what it wants done (actions, imperatives).

The shell executes every action in the order given and feeds outcomes back as events. ``Persist`` is a barrier:
the actions after it in the same list wait until the registers are durable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Union

from .arbitration import Question, Verdict
from .facts import Facts, State
from .lineage import Lineage
from .messages import Envelope, Heartbeat, Message, Register
from .model import Config, Hierarchy, Ip, Volume

Operation = Literal["observe", "inspect", "prepare", "start", "stop", "fence", "verify", "check"]
Resource = Union[Ip, Volume, Hierarchy]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One piece of work on one local resource, executed by its kit. ``timeout_s`` bounds it for the core.

    A step that is late is treated as failed and unconfirmed; its outcome is ignored when it comes after all.
    """

    id: int
    group: str
    operation: Operation
    resource: Resource
    timeout_s: float
    drain_s: float = 0.0


# -- events -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TimePassed:
    """The deadline of the core was reached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathUp:
    """A connection to the peer over this comm path was established and the peer's certificate is right."""

    peer: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathDown:
    """The connection to the peer over this comm path ended; ``reason`` is for people."""

    peer: str
    path: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message came in on a comm path. ``peer`` is the name in the certificate, never the claimed one."""

    peer: str
    path: str
    envelope: Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDone:
    """A step ended. ``state`` comes with observe, ``facts`` with inspect; ``error`` is empty when it succeeded.

    ``network``: it failed since no card of this node reaches the clients, which no restart mends.
    """

    id: int
    error: str = ""
    network: bool = False
    state: State | None = None
    facts: Facts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Commanded:
    """A person or a playbook asks for something: in_service, out_of_service, plan, cluster_info."""

    id: str
    verb: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Persisted:
    """The registers of the Persist with this number are durable."""

    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """The configuration of this node was replaced by this one, and is durable.

    ``lineage`` is None when it was made out of the one before by a description.
    """

    config: Config
    lineage: Lineage | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulted:
    """The arbiter answered the Consult with this number; without a verdict ``error`` says why it cannot be asked."""

    number: int
    verdict: Verdict | None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Windows told of a change that may concern these resources (tags); they are to be looked at now."""

    tags: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShutdownAnnounced:
    """The system is about to shut down and waits a while for us; ReadyToStop ends the wait."""


Event = Union[
    TimePassed,
    PathUp,
    PathDown,
    Received,
    StepDone,
    Persisted,
    Commanded,
    Configured,
    Consulted,
    Noticed,
    ShutdownAnnounced,
]


# -- actions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send to the peer on all paths at once; the first copy to arrive counts."""

    peer: str
    seq: int
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """Send this heartbeat to the peer on this one path."""

    peer: str
    path: str
    seq: int
    heartbeat: Heartbeat


@dataclass(frozen=True, slots=True, kw_only=True)
class Do:
    """Execute the step and report StepDone with its id."""

    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Persist:
    """Make all of it durable before what follows in this list; report Persisted.

    ``agreed`` is the arbiter that all nodes have, ``vouched`` are the nodes that an operator said are off.
    """

    number: int
    registers: Mapping[str, Register]
    agreed: str
    vouched: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Append this record to the ledger. ``fields`` are plain data; the shell adds the wall-clock time."""

    kind: str
    group: str
    text: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """Give the requester of a command news: progress while ``final`` is false, then its result.

    A final result is ``{"ok": true, "changed": bool, "data": {...}}`` or
    ``{"ok": false, "error": {"kind", "message", "problems"}}``, the form of the node's answer.
    """

    command: str
    final: bool
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consult:
    """Ask the arbiter, on every way to it at once, and report Consulted. Never waited for."""

    number: int
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Exactly these groups may be served here, each until its moment of the local monotonic clock.

    The guard enforces it from now on, and addresses that are on get the rest of it as their lifetime. The moments are
    infinite with the manual arbiter.
    """

    until_s: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt:
    """Take this configuration over from another node: durable, then report Configured; not when ``over`` is over."""

    config: Config
    lineage: Lineage
    over: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadyToStop:
    """Nothing is left to do before the system shuts down."""


Action = Union[Send, Beat, Do, Persist, Note, Tell, Consult, Permit, Adopt, ReadyToStop]
