# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which node should have a group next, and why the others should not.

The same function decides where a failed group moves, which node takes an orphan, and what people are told would happen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..values.graph import Group

TURN_S = 0.3
"""By how much each candidate waits longer than the one before it, so that only one of them claims an orphan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """Why a node is no candidate now; ``until_s`` is when that ends by itself, infinite when it does not."""

    reason: str
    until_s: float = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A node with a priority for the group. ``why_not`` is empty when it may have it.

    ``last``: it may have it when no other can.
    """

    node: str
    priority: int
    last: bool = False
    why_not: str = ""
    until_s: float = float("inf")


def candidates(
    group: Group,
    obstacles: Mapping[str, Obstacle | None],
    *,
    without: Iterable[str] = (),
    last: Iterable[str] = (),
) -> tuple[Candidate, ...]:
    """All nodes of the group but those ``without``: first those that may have it, each by priority, 1 first.

    ``obstacles`` has an entry for every node that was asked about; a node that it does not name is not of the cluster.
    Nodes of ``last`` come after all others that may have it.
    """
    left = {node: priority for node, priority in group.priorities.items() if node not in set(without)}
    found = [_candidate(node, priority, obstacles, last=node in set(last)) for node, priority in left.items()]
    return tuple(sorted(found, key=lambda c: (bool(c.why_not), c.last, c.priority, c.node)))


def best(found: Sequence[Candidate]) -> str | None:
    """The node that should have the group; None when none may."""
    return next((candidate.node for candidate in found if not candidate.why_not), None)


def turn_s(found: Sequence[Candidate], node: str) -> float | None:
    """How much longer than the best the node waits before it claims an orphan; None when it may not have it."""
    fit = [candidate.node for candidate in found if not candidate.why_not]
    return fit.index(node) * TURN_S if node in fit else None


def _candidate(node: str, priority: int, obstacles: Mapping[str, Obstacle | None], *, last: bool) -> Candidate:
    obstacle = obstacles.get(node, Obstacle(reason=f"{node} is no node of the cluster"))
    if obstacle is None:
        return Candidate(node=node, priority=priority, last=last)
    return Candidate(node=node, priority=priority, last=last, why_not=obstacle.reason, until_s=obstacle.until_s)
