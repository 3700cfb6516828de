# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node keeps in mind about a group between two looks: what fails, what was asked of others, what was refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..cluster.candidates import Obstacle
from ..values.history import Incident
from .budget import backoff_s
from .decision import Decision, TroubleKind

Cause = Literal["command", "failure", "switchback", "shutdown", "reboot"]
"""Why a group is to move; all but a command come from a node's own decision."""


@dataclass(slots=True, kw_only=True)
class Trouble:
    """What fails of a group that this node holds. ``blamed``: this node has been recorded as having failed it.

    ``network``: no card of this node reaches the clients. ``seen_s`` is when it was found so last.
    """

    kind: TroubleKind
    text: str
    tags: frozenset[str]
    network: bool = False
    seen_s: float = 0.0
    blamed: bool = False


@dataclass(slots=True, kw_only=True)
class Errand:
    """An order to take the group over that another node was given. ``result`` is its answer, as of any command."""

    group: str
    node: str
    cause: Cause
    given_s: float
    result: Mapping[str, Any] | None = None


@dataclass(slots=True, kw_only=True)
class Refusal:
    """A node refused to take the group over, so many times in a row."""

    times: int
    until_s: float
    reason: str


@dataclass(slots=True, kw_only=True)
class Care:
    """Times are None before the first. ``seen`` is when each incident of the group's history was first seen here.

    ``noticed``: look at once. ``doubts`` could not be told at the last look, ``strikes`` failed the last deep check.
    ``unready`` is why this node could not take the group over, ``silent`` why it should only as a last resort.
    ``home_s``: since when the preferred node could have it, ``away`` why it may not have it now.
    ``hands_off``: a person stopped it, and not all of it stopped; nothing is done by itself. ``barred``: why this node
    does not take a group that nobody serves, as noted last. ``given_up``: it could not be stopped for the shutdown.
    ``prepared``: sites may run here for a take-over that did not come about.
    """

    seen: dict[Incident, float] = field(default_factory=dict)
    noticed: bool = False
    checked_s: float | None = None
    judged_s: float | None = None
    unready: str = ""
    silent: str = ""
    doubts: frozenset[str] = frozenset()
    strikes: frozenset[str] = frozenset()
    trouble: Trouble | None = None
    decision: Decision | None = None
    errand: Errand | None = None
    refusals: dict[str, Refusal] = field(default_factory=dict)
    home_s: float | None = None
    away: str = ""
    hands_off: bool = False
    barred: str = ""
    given_up: bool = False
    prepared: bool = False

    def forget(self) -> None:
        """What was in the way does not count any more: the group works, is elsewhere, or a person has spoken."""
        self.doubts = self.strikes = frozenset()
        self.trouble = self.decision = self.errand = self.home_s = None
        self.refusals.clear()
        self.away = ""
        self.hands_off = False

    def refused(self, node: str, reason: str, now_s: float) -> Refusal:
        """The node does not want it now; it is asked again after a time that doubles."""
        times = self.refusals[node].times + 1 if node in self.refusals else 1
        self.refusals[node] = Refusal(times=times, until_s=now_s + backoff_s(times), reason=reason)
        return self.refusals[node]

    def refusal_of(self, node: str, now_s: float) -> Obstacle | None:
        """Why the node is not asked now."""
        refusal = self.refusals.get(node)
        if refusal is None or now_s >= refusal.until_s:
            return None
        return Obstacle(reason=f"{node} refused it: {refusal.reason}", until_s=refusal.until_s)
