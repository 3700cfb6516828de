# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""How often a group may be restarted and moved by itself, and which nodes are to leave it alone for a while.

Counted on all nodes together: incidents travel with the group (see ``history``); ``seen`` says when this node saw each.
Source: 3 restarts and 3 moves in 30 minutes, back-off from 5 s to 10 min, cleared after an hour; after the failover
threshold of Windows Server failover clustering ("maximum failures in the specified period").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..values.history import History, Incident, IncidentKind

BACKOFF_FIRST_S = 5.0
BACKOFF_MAX_S = 600.0
STABLE_S = 3600.0
"""After so long without a failure a node has a clean sheet for the group."""

Seen = Mapping[Incident, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """``used`` of ``allowed`` within the window; ``free_s`` is when there is one again, the past while there is."""

    used: int
    allowed: int
    free_s: float

    @property
    def left(self) -> bool:
        """Whether one more is allowed now."""
        return self.used < self.allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """A node failed a group so many times in a row, and is no candidate for it until then."""

    failures: int
    until_s: float


def backoff_s(failures: int) -> float:
    """How long to wait after having failed so many times: 5 s, doubled each time, at most 10 min."""
    return min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2.0 ** (min(failures, 20) - 1)) if failures > 0 else 0.0


def times(count: int) -> str:
    """The count in words."""
    return "once" if count == 1 else f"{count} times"


def budget(history: History, seen: Seen, kind: IncidentKind, *, allowed: int, window_s: float, now_s: float) -> Budget:
    """What is left of the budget for incidents of this kind."""
    seen_s = [seen[incident] for incident in history.incidents if incident.kind == kind]
    counting = sorted(time_s for time_s in seen_s if time_s + window_s > now_s)
    used = len(counting)
    if used < allowed:
        return Budget(used=used, allowed=allowed, free_s=float("-inf"))
    free_s = counting[used - allowed] + window_s if allowed else float("inf")
    return Budget(used=used, allowed=allowed, free_s=free_s)


def quarantine(history: History, seen: Seen, node: str, *, now_s: float) -> Quarantine:
    """How the node stands to the group after the failures it had with it; an hour without any clears it."""
    failed_s = sorted(seen[i] for i in history.incidents if i.kind == "failure" and i.node == node)
    failures, last_s = 0, float("-inf")
    for time_s in failed_s:
        failures = failures + 1 if time_s < last_s + STABLE_S else 1
        last_s = time_s
    if now_s >= last_s + STABLE_S:
        return Quarantine(failures=0, until_s=float("-inf"))
    return Quarantine(failures=failures, until_s=last_s + backoff_s(failures))


def over(history: History, seen: Seen, *, window_s: float, now_s: float) -> list[Incident]:
    """The incidents that count for nothing any more."""
    kept_s = max(window_s, STABLE_S + BACKOFF_MAX_S)
    return [incident for incident in history.incidents if seen[incident] + kept_s <= now_s]
