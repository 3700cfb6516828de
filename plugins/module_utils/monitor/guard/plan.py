# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What belongs to each group, in the words of the guard: addresses, disks, sites, and how soon they are to be off.

The file is replaced as a whole, and the permit names the plan that it was written for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from ..core.values.graph import Group, groups_of
from ..core.values.model import Config
from ..core.values.profiles import TIMERS, Timers
from ..errors import RequestError
from ..store.disk import RealDisk
from ..windows.storage import Claim, reservation_key
from .page import GROUPS_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedGroup:
    """What is taken off when the group has no permit, and within how many seconds; ``tags`` are its resources."""

    name: str
    tags: tuple[str, ...]
    fence_s: float
    addresses: tuple[str, ...]
    disks: tuple[Claim, ...]
    sites: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All groups, in the order in which a permit lists them. ``resets``: what stays on costs the machine its life."""

    groups: tuple[PlannedGroup, ...]
    resets: bool

    @cached_property
    def text(self) -> str:
        """The plan as its file holds it."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @cached_property
    def id(self) -> bytes:
        """Eight bytes that are equal exactly when the plans are."""
        return hashlib.sha256(self.text.encode()).digest()[:8]


def plan_of(*, node: str, config: Config) -> Plan:
    """The plan of this node.

    Raises:
        RequestError: there are more groups than a permit has room for.
    """
    groups = groups_of(config)
    if len(groups) > GROUPS_MAX:
        raise RequestError("refused", f"{len(groups)} groups are more than the {GROUPS_MAX} that the guard can watch")
    timers, key = TIMERS[config.cluster.profile], reservation_key(cluster=config.cluster.name, node=node)
    planned = tuple(_planned(group, timers, key) for group in groups.values())
    return Plan(groups=planned, resets=config.cluster.recovery.guard_resets)


def _planned(group: Group, timers: Timers, key: str) -> PlannedGroup:
    return PlannedGroup(
        name=group.name,
        tags=group.tags,
        fence_s=timers.fence_s if group.volumes else timers.fence_light_s,
        addresses=tuple(str(ip_address(ip.address)) for ip in group.ips),
        disks=tuple(Claim(disk=volume.disk, letter=volume.drive, key=key) for volume in group.volumes),
        sites=tuple(hierarchy.site for hierarchy in group.hierarchies),
    )


def write_plan(path: Path, plan: Plan) -> None:
    """The file holds the plan. Nothing is written when it does already. Raises OSError."""
    disk, wanted = RealDisk(), plan.text.encode()
    if disk.read(path) == wanted:
        return
    fresh = path.with_name(f"{path.name}.new")
    disk.write(fresh, wanted)
    disk.replace(fresh, path)


def read_plan(path: Path) -> Plan | None:
    """The plan in the file; None when there is none that can be read."""
    try:
        return _plan(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _plan(raw: Mapping[str, Any]) -> Plan:
    return Plan(resets=bool(raw["resets"]), groups=tuple(_group(one) for one in raw["groups"]))


def _group(raw: Mapping[str, Any]) -> PlannedGroup:
    return PlannedGroup(
        name=str(raw["name"]),
        tags=tuple(raw["tags"]),
        fence_s=float(raw["fence_s"]),
        addresses=tuple(raw["addresses"]),
        disks=tuple(Claim(**claim) for claim in raw["disks"]),
        sites=tuple(raw["sites"]),
    )
