# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The guard's side of the channel: which groups there are, and until when each is permitted, as of this moment."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .lane import Lane
from .page import Page, Permit
from .plan import Plan, read_plan

NO_PLAN = Plan(groups=(), resets=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The groups, and until when each may be served; a group that is not in ``until_s`` may not.

    ``whole``: false while the plan lacks groups of which nothing can be said now.
    """

    plan: Plan = NO_PLAN
    until_s: Mapping[str, float] = field(default_factory=dict)
    whole: bool = True


class TermsReader:
    """Reads the mapped permit at every call, and the plan's file in a thread when the permit speaks of another plan.

    Hands ask right before they act: a permit counts from the moment when the monitor has published it.
    """

    def __init__(self, *, page: Page, boot: bytes, file: Path) -> None:
        self._page = page
        self._boot = boot
        self._file = file
        self._lock = threading.Lock()
        self._known = Terms()
        self._serial = 0
        self._read: Plan | None = None
        self._lane = Lane("plan", self._read_plan, lambda: None)

    def now(self) -> Terms:
        """What holds at this moment. Touches memory only.

        A permit of another start of the machine says nothing. While a new plan is still being read, or cannot be, the
        deadlines that were known stand and run out, and of groups without one nothing is said.
        """
        with self._lock:
            permit = self._page.permit()
            if permit is None or permit.boot != self._boot or permit.serial == self._serial:
                return self._known
            plan = self._plan_of(permit)
            if plan is None:
                self._lane.ask()
                return self._deadlines_alone()
            names = (group.name for group in plan.groups)
            self._known = Terms(plan=plan, until_s=dict(zip(names, permit.until_s, strict=False)))
            self._serial = permit.serial
            return self._known

    def end(self) -> None:
        """Nothing is read any more."""
        self._lane.end()

    def _plan_of(self, permit: Permit) -> Plan | None:
        return next((plan for plan in (self._known.plan, self._read) if plan and plan.id == permit.plan), None)

    def _deadlines_alone(self) -> Terms:
        known = self._known
        groups = tuple(group for group in known.plan.groups if known.until_s.get(group.name, 0.0) > 0)
        return replace(known, plan=Plan(groups=groups, resets=known.plan.resets), whole=False)

    def _read_plan(self) -> None:
        self._read = read_plan(self._file)
