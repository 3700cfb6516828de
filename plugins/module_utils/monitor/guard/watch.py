# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The guard at work: many times a second it compares the permit with the clock, and has taken off what is over.

Rule: the thread that looks at the clock touches memory only. Files, cards, disks and IIS are for other threads, so
nothing that hangs keeps it from resetting the machine when the time for being off has passed.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .. import paths
from ..errors import SurfaceError
from ..surface import Surface
from .clerk import Clerk
from .decision import Rule, Sight
from .hands import AddressHand, DiskHand, Orders, Tools, stop_site
from .page import Page, token
from .plan import Plan, PlannedGroup
from .terms import NO_PLAN, TermsReader

TICK_S = 0.04
"""GUARD_S of the core's timers less what a busy machine may be late by."""

PAUSE_S = 0.5
"""A longer time between two looks is worth a record: the process, or the whole machine, stood still."""

RECORD_S = 0.3
"""How long the record of a reset has for reaching the disk before the machine goes."""


class Guard:
    """``stopped`` ends it; nothing that it took off comes back by that. Raises OSError when nothing can be mapped."""

    def __init__(self, surface: Surface, stopped: threading.Event) -> None:
        self._surface = surface
        self._stopped = stopped
        self._boot = token(surface.boot_id())
        self._page = Page(surface.local_path(paths.PERMIT))
        self._terms = TermsReader(page=self._page, boot=self._boot, file=surface.local_path(paths.PERMIT_PLAN))
        self._plan = NO_PLAN
        self._rule = Rule()
        self._clerk = Clerk(surface)
        self._wake = threading.Event()
        self._tools = Tools(surface=surface, orders=self.orders, tell=self._tell)
        self._addresses = AddressHand(self._tools)
        self._disks: dict[str, DiskHand] = {}
        self._touched: set[str] = set()
        self._resetting = False
        self._last_s = surface.monotonic_s()
        self._gap_s = 0.0

    def run(self) -> None:
        """Watches until it is stopped."""
        while not self._stopped.is_set():
            self._wake.clear()
            self.tick()
            self._wake.wait(TICK_S)
        self._terms.end()
        for lane in (self._addresses.lane, *(hand.lane for hand in self._disks.values())):
            lane.end()

    def tick(self) -> None:
        """What is over at this moment is being taken off: addresses first, then disks, then sites."""
        now_s, terms = self._surface.monotonic_s(), self._terms.now()
        if terms.whole and terms.plan is not self._plan:
            self._take_up(terms.plan)
        decision = self._rule.decide(plan=terms.plan, until_s=terms.until_s, sight=self._sight(), now_s=now_s)
        if decision.fresh:
            self._addresses.lane.ask()
        elif decision.due:
            self._addresses.lane.ask()
            self._ask_disks(decision.due)
        for group in decision.off:
            self._finish(group)
        if decision.overdue:
            self._too_late(decision.overdue, resets=terms.plan.resets)
        self._look_at_the_clock(now_s)

    def orders(self) -> Orders:
        """What is unpermitted now, read anew; for the hands."""
        terms, now_s = self._terms.now(), self._surface.monotonic_s()
        over = [group for group in terms.plan.groups if now_s >= terms.until_s.get(group.name, 0.0)]
        return Orders(
            addresses={address: group.name for group in over for address in group.addresses},
            disks={claim.disk: group.name for group in over for claim in group.disks},
            due=self._rule.due,
        )

    def _take_up(self, plan: Plan) -> None:
        """There is a hand for each disk of the plan."""
        self._plan = plan
        claims = {claim.disk: claim for group in plan.groups for claim in group.disks}
        for disk in [disk for disk in self._disks if disk not in claims]:
            self._disks.pop(disk).lane.end()
        for disk, claim in claims.items():
            if disk not in self._disks:
                self._disks[disk] = DiskHand(self._tools, claim)
            self._disks[disk].lane.ask()
        self._addresses.lane.ask()

    def _sight(self) -> Sight:
        at_s, addresses = self._addresses.seen
        disks = {disk: seen for disk, hand in self._disks.items() if (seen := hand.seen) is not None}
        return Sight(at_s=at_s, addresses=addresses, disks=disks)

    def _ask_disks(self, groups: Sequence[PlannedGroup]) -> None:
        for claim in (claim for group in groups for claim in group.disks):
            self._disks[claim.disk].lane.ask()

    def _finish(self, group: PlannedGroup) -> None:
        """The group is off; its sites are stopped when it was us who took it off."""
        if group.name in self._touched:
            self._touched.discard(group.name)
            for site in group.sites:
                stop_site(self._tools, group.name, site)

    def _too_late(self, groups: Sequence[PlannedGroup], *, resets: bool) -> None:
        names = ", ".join(group.name for group in groups)
        what = "resets this machine" if resets else "may not reset this machine (guard_resets), and goes on trying"
        reason = f"{names} could not be confirmed to be off in time; the guard {what}"
        self._clerk.tell("", reason)
        if resets and not self._resetting:
            self._resetting = True
            threading.Thread(target=self._reset, args=(reason,), name="reset", daemon=True).start()

    def _reset(self, reason: str) -> None:
        self._clerk.written(RECORD_S)
        try:
            self._surface.reset_machine(reason=reason)
        except SurfaceError as error:
            self._clerk.tell("", f"the machine could not be reset: {error}")
        self._resetting = False

    def _tell(self, group: str, text: str) -> None:
        """A hand did something; the next look comes at once."""
        if group:
            self._touched.add(group)
        self._clerk.tell(group, text)
        self._wake.set()

    def _look_at_the_clock(self, now_s: float) -> None:
        gap_s, self._last_s = now_s - self._last_s, now_s
        if gap_s > PAUSE_S:
            self._clerk.tell("", f"the guard, or the whole machine, stood still for {gap_s:.1f} s")
        self._gap_s = max(self._gap_s, gap_s)
        self._page.write_beat(boot=self._boot, at_s=now_s, gap_s=self._gap_s)
