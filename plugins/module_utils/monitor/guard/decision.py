# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The rule of the guard: plan + permit + what was seen + the time -> what is to be taken off. Pure.

A group is *due* from the moment when its permit is found to be over, or when something of it is seen up without one.
It is off when a look that began after that moment found nothing of it. What is still due after ``fence_s`` costs the
machine its life: whoever takes the group over counts on that. Sites are not looked for: without its address nobody
reaches one, and IIS may take minutes to stop it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from .plan import Plan, PlannedGroup


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskSight:
    """``at_s``: when the look began. ``up``: the disk is reserved under our key, online or mounted here."""

    at_s: float
    up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was found at the last looks. ``at_s``: when the look at the addresses began."""

    at_s: float = -math.inf
    addresses: frozenset[str] = frozenset()
    disks: Mapping[str, DiskSight] = field(default_factory=dict)

    def up(self, group: PlannedGroup) -> list[str]:
        """The addresses and disks of the group that were up."""
        disks = [claim.disk for claim in group.disks if (seen := self.disks.get(claim.disk)) and seen.up]
        return [address for address in group.addresses if address in self.addresses] + disks

    def shows_off(self, group: PlannedGroup, *, since_s: float) -> bool:
        """Everything of the group was looked for after that moment, and nothing was up."""
        looks = [self.at_s] if group.addresses else []
        looks += [seen.at_s if (seen := self.disks.get(claim.disk)) else -math.inf for claim in group.disks]
        return all(at_s >= since_s for at_s in looks) and not self.up(group)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``due``: must be off and are not known to be. ``fresh`` became due now, ``off`` are known to be off now.

    ``overdue``: those of ``due`` whose time for being off has passed.
    """

    due: tuple[PlannedGroup, ...] = ()
    fresh: tuple[PlannedGroup, ...] = ()
    off: tuple[PlannedGroup, ...] = ()
    overdue: tuple[PlannedGroup, ...] = ()


class Rule:
    """Remembers which groups had a permit, and since when which are due."""

    def __init__(self) -> None:
        self._permitted: frozenset[str] = frozenset()
        self._due_s: dict[str, float] = {}
        self._until_s: Mapping[str, float] = {}
        self._next_s = -math.inf

    @property
    def due(self) -> frozenset[str]:
        """The groups that are to be off and are not known to be. From any thread."""
        return frozenset(self._due_s)

    def decide(self, *, plan: Plan, until_s: Mapping[str, float], sight: Sight, now_s: float) -> Decision:
        """What is to be done now. ``until_s`` must not be changed between two calls, only replaced."""
        if self._nothing_new(until_s, sight, now_s):
            return Decision()
        permitted = frozenset(group.name for group in plan.groups if now_s < until_s.get(group.name, 0.0))
        unpermitted = [group for group in plan.groups if group.name not in permitted]
        since_s = {group.name: self._due_s[group.name] for group in unpermitted if group.name in self._due_s}
        fresh = [
            group
            for group in unpermitted
            if group.name not in since_s and (group.name in self._permitted or sight.up(group))
        ]
        since_s.update(dict.fromkeys((group.name for group in fresh), now_s))
        concerned = [group for group in unpermitted if group.name in since_s]
        off = [group for group in concerned if sight.shows_off(group, since_s=since_s[group.name])]
        gone = {group.name for group in off}
        due = [group for group in concerned if group.name not in gone]
        overdue = [group for group in due if now_s > since_s[group.name] + group.fence_s]
        # Replaced, never changed: other threads read them.
        self._due_s = {group.name: since_s[group.name] for group in due}
        self._permitted = permitted
        self._until_s = until_s
        self._next_s = min((until_s[name] for name in permitted), default=math.inf)
        return Decision(due=tuple(due), fresh=tuple(fresh), off=tuple(off), overdue=tuple(overdue))

    def _nothing_new(self, until_s: Mapping[str, float], sight: Sight, now_s: float) -> bool:
        """The same permit, not over yet, nothing due and nothing seen: what most looks find."""
        quiet = not self._due_s and not sight.addresses and not any(seen.up for seen in sight.disks.values())
        return quiet and until_s is self._until_s and now_s < self._next_s
