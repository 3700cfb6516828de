# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The monitor's side: what it may serve, told to the guard at every renewal.

A monitor that was restarted takes over the deadlines of the one before it, resource by resource: until it has a permit
of its own for a group, the old one counts to its end, and nothing is fenced before. The same holds for a group whose
name or content is changed by a new configuration.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from .. import paths
from ..core.values.model import Config
from ..core.values.profiles import TIMERS
from ..surface import Surface
from .page import Page, token
from .plan import Plan, plan_of, read_plan, write_plan

NO_PERMIT = 0.0
LATE_S = 1.0
"""After how long without a look the guard counts as hung; it looks many times a second."""

SILENT = f"start the service {paths.GUARD_SERVICE}; until then nothing but this monitor ends a permit in time"


class PermitFile:
    """Opened once by the monitor. ``publish``, ``permit_s`` and ``warnings`` touch memory only, from any thread.

    Raises:
        OSError: the file cannot be made or mapped.
    """

    def __init__(self, surface: Surface) -> None:
        self._clock = surface.monotonic_s
        self._boot = token(surface.boot_id())
        self._page = Page(surface.local_path(paths.PERMIT))
        self._file = surface.local_path(paths.PERMIT_PLAN)
        self._plan = Plan(groups=(), resets=False)
        self._group_of: dict[str, str] = {}
        self._inherited = self._left_behind()
        self._until_s: dict[str, float] = {}
        self._published: set[str] = set()

    def plan(self, *, node: str, config: Config) -> None:
        """The guard knows what belongs to each group of this configuration. Blocks.

        Call it before the core hears of the configuration. Raises OSError (the file cannot be written) and
        RequestError.
        """
        plan = plan_of(node=node, config=config)
        # What was permitted for ever by another arbiter is so no longer than a renewal is trusted.
        latest_s = self._latest_s(config)
        inherited = {tag: min(self._until_of(tag), latest_s) for tag in self._tags()}
        write_plan(self._file, plan)
        self._inherited, self._plan, self._published = inherited, plan, set()
        self._group_of = {tag: group.name for group in plan.groups for tag in group.tags}
        self._put({})

    def publish(self, until_s: Mapping[str, float]) -> None:
        """These groups may be served until these moments of the machine's monotonic clock, and no others."""
        self._published.update(until_s)
        self._put(until_s)

    def permit_s(self, tag: str) -> float | None:
        """Seconds for which the resource may still be served; None for ever, 0 or less not at all."""
        until_s = self._until_of(tag)
        return None if until_s == math.inf else until_s - self._clock()

    def warnings(self) -> list[str]:
        """What a person has to know of the guard; empty while it looks, or no permit can run out."""
        if not any(0 < until_s < math.inf for until_s in self._until_s.values()):
            return []
        beat = self._page.beat()
        if beat is None or beat.boot != self._boot:
            return [f"the guard has not run since this machine was started: {SILENT}"]
        late_s = self._clock() - beat.at_s
        return [f"the guard has not looked for {late_s:.0f} s: {SILENT}"] if late_s > LATE_S else []

    def close(self) -> None:
        """The file is left as it is: what was permitted stays so to its end."""
        self._page.close()

    def _put(self, until_s: Mapping[str, float]) -> None:
        self._until_s = {
            group.name: until_s.get(group.name, NO_PERMIT)
            if group.name in self._published
            else max((self._inherited[tag] for tag in group.tags if tag in self._inherited), default=NO_PERMIT)
            for group in self._plan.groups
        }
        self._page.write(plan=self._plan.id, boot=self._boot, until_s=tuple(self._until_s.values()))

    def _latest_s(self, config: Config) -> float:
        manual = config.cluster.arbiter.kind == "manual"
        return math.inf if manual else self._clock() + TIMERS[config.cluster.profile].own_s

    def _tags(self) -> set[str]:
        return set(self._inherited) | set(self._group_of)

    def _until_of(self, tag: str) -> float:
        if tag in self._group_of:
            return self._until_s.get(self._group_of[tag], NO_PERMIT)
        return self._inherited.get(tag, NO_PERMIT)

    def _left_behind(self) -> dict[str, float]:
        """The deadlines by resource that a monitor wrote before us in this boot."""
        permit, plan = self._page.permit(), read_plan(self._file)
        if permit is None or plan is None or permit.boot != self._boot or permit.plan != plan.id:
            return {}
        deadlines = zip(plan.groups, permit.until_s, strict=True)
        return {tag: until_s for group, until_s in deadlines for tag in group.tags}
