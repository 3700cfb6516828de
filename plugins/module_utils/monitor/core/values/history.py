# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What befell a group lately, told from node to node with its register.

Clocks of two nodes have nothing to do with each other, so an incident has no time: every node counts its age from when
it saw it first, a monitor that restarts from its start. That makes incidents younger than they are, never older.

Histories are merged, not replaced: any two nodes that have told each other what they know have the same history,
whatever their registers say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

IncidentKind = Literal["restart", "failover", "failure"]
INCIDENTS_MAX = 256
"""Older ones are forgotten; more than the largest budgets and the back-off of a day can need."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """``node`` restarted the group, took it over unplanned, or failed it. ``number`` grows within the group."""

    number: int
    kind: IncidentKind
    node: str


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """The incidents that count still, by number; those up to ``closed`` do not any more."""

    closed: int = 0
    incidents: tuple[Incident, ...] = ()


def with_incident(history: History, kind: IncidentKind, node: str, *, over: Iterable[Incident] = ()) -> History:
    """The history with one more; incidents that are ``over`` are closed as far as none that counts is before them."""
    past = set(over)
    counting = [incident.number for incident in history.incidents if incident not in past]
    before = [incident.number for incident in past if incident.number < min(counting, default=_next(history))]
    kept = _shortened(max(before, default=history.closed), history.incidents)
    return _shortened(kept.closed, (*kept.incidents, Incident(number=_next(history), kind=kind, node=node)))


def clean(history: History) -> History:
    """Nothing of the past counts any more."""
    return History(closed=_next(history) - 1)


def merged(mine: History, theirs: History) -> History:
    """What either of the two knows, less what either has closed."""
    if mine == theirs:
        return mine
    return _shortened(max(mine.closed, theirs.closed), {*mine.incidents, *theirs.incidents})


def _next(history: History) -> int:
    return 1 + max((incident.number for incident in history.incidents), default=history.closed)


def _shortened(closed: int, incidents: Iterable[Incident]) -> History:
    counting = [incident for incident in incidents if incident.number > closed]
    counting.sort(key=lambda incident: (incident.number, incident.node, incident.kind))
    return History(closed=closed, incidents=tuple(counting[-INCIDENTS_MAX:]))
