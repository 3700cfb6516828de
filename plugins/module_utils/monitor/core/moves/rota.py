# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""When a group is looked at next. The turns of many groups are spread evenly, so that they never all come at once.

Each group has its place within the interval, by its name; a look that came for another reason moves no turn.
"""

from __future__ import annotations

from math import floor
from zlib import crc32

from .failover import bereft
from .group import GroupMachine

NOTICE_S = 0.1
"""At least so long after a look comes the next, however often Windows tells of changes."""
RECHECK_S = 0.5
"""Between a deep check that failed and the one that decides: longer than most spikes of load, and either check has
patience of its own."""
PLACES = 20
"""Turns in an interval. The groups of one turn are looked at together, by one look at the system for all of them."""
READY_S = 120.0
"""Between two looks of a standby at whether it could serve; also as soon as the holder is silent."""
SILENT_S = 10.0
"""The same while no address of ``ping`` answers there: a holder whose own list is silent waits for that to end."""


def turn_s(name: str, last_s: float, every_s: float) -> float:
    """The first turn of this name after that moment."""
    place_s = crc32(name.encode()) % PLACES / PLACES * every_s
    turn = place_s + every_s * (floor((last_s - place_s) / every_s) + 1)
    return turn if turn > last_s + every_s / 1000 else turn + every_s


def observe_s(g: GroupMachine) -> float | None:
    """When a standby looks next whether anything of the group is on."""
    if g.observed_s is None:
        return None
    return g.observed_s + NOTICE_S if g.care.noticed else _turn_s(g, g.observed_s, g.world.membership.timers.observe_s)


def quick_s(g: GroupMachine) -> float | None:
    """When the holder looks next whether everything runs."""
    if g.observed_s is None:
        return None
    return g.observed_s + NOTICE_S if g.care.noticed else _turn_s(g, g.observed_s, g.recovery.quick_check_s)


def deep_s(g: GroupMachine) -> float | None:
    """When the holder uses everything as a client does next."""
    care = g.care
    if not g.recovery.deep_check_s or care.trouble is not None or not g.group.needed(g.register.out):
        return None
    if care.strikes and care.checked_s is not None:
        return care.checked_s + RECHECK_S
    return _turn_s(g, max(g.since_s, care.checked_s or g.since_s), g.recovery.deep_check_s)


def ready_s(g: GroupMachine) -> float | None:
    """When a standby looks next whether it could serve: now and then, and at once when nobody may serve."""
    register, judged_s = g.register, g.care.judged_s
    if g.activity != "down" or g.conflict or register.holder == g.world.node or not g.group.needed(register.out):
        return None
    if register.epoch == 0 or g.world.node not in g.group.priorities:
        return None
    if bereft(g):
        return g.world.now_s if judged_s is None else judged_s + g.world.membership.timers.dead_s
    return _turn_s(g, g.since_s if judged_s is None else judged_s, SILENT_S if g.care.silent else READY_S)


def _turn_s(g: GroupMachine, last_s: float, every_s: float) -> float | None:
    return turn_s(g.name, last_s, every_s) if every_s else None
