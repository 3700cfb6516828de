# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Reading what is done by itself when a group fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from ..values.model import Recovery, ShutdownStrategy, Switchback
from . import rulebook as rule
from .reading import Reader, shown

SHUTDOWNS = ("switchover", "stay")
SWITCHBACKS = ("intelligent", "automatic")
_KEYS = tuple(Recovery.__dataclass_fields__)
_DAY_S = 86_400.0
_NEVER = "means never"


def recovery_of(outer: Reader) -> Recovery:
    """The recovery of the cluster; what is not written is as in ``Recovery``."""
    written = outer.raw("recovery")
    usual = Recovery()
    if written is None:
        return usual
    if not isinstance(written, Mapping):
        cure = "Write its keys below it, one per line: " + ", ".join(_KEYS) + "."
        outer.report(rule.WRONG_TYPE, "recovery", written, f"recovery is {shown(written)}, not a mapping.", cure)
        return usual
    reader = outer.within("recovery", written, _KEYS)
    shutdown = reader.choice("shutdown", options=SHUTDOWNS, rule=rule.SHUTDOWN_KNOWN, default=usual.shutdown)
    switchback = reader.choice("switchback", options=SWITCHBACKS, rule=rule.SWITCHBACK_KNOWN, default=usual.switchback)
    recovery = Recovery(
        local=reader.boolean("local", default=usual.local),
        shutdown=cast(ShutdownStrategy, shutdown),
        switchback=cast(Switchback, switchback),
        stable_s=reader.seconds("stable_s", low=1, high=_DAY_S, rule=rule.SWITCHBACK_STABLE, default=usual.stable_s),
        restarts=reader.integer("restarts", low=0, high=100, rule=rule.BUDGET, default=usual.restarts),
        failovers=reader.integer("failovers", low=0, high=100, rule=rule.BUDGET, default=usual.failovers),
        window_s=reader.seconds("window_s", low=60, high=_DAY_S, rule=rule.BUDGET_WINDOW, default=usual.window_s),
        quick_check_s=_check_s(reader, "quick_check_s", usual.quick_check_s),
        deep_check_s=_check_s(reader, "deep_check_s", usual.deep_check_s),
        guard_resets=reader.boolean("guard_resets", default=usual.guard_resets),
    )
    _check_order(reader, recovery)
    return recovery


def _check_s(reader: Reader, key: str, usual_s: float) -> float:
    return reader.seconds(key, low=0.1, high=3600, rule=rule.CHECK_TIME, default=usual_s, zero=_NEVER)


def _check_order(reader: Reader, recovery: Recovery) -> None:
    """A deep check does what a quick check does and more, so one that comes more often makes the other pointless."""
    quick_s, deep_s = recovery.quick_check_s, recovery.deep_check_s
    if 0 < deep_s < quick_s:
        message = f"deep_check_s is {deep_s:g}, less than quick_check_s, {quick_s:g}."
        cure = f"Write deep_check_s of at least {quick_s:g}, or 0 for no deep checks."
        reader.report(rule.CHECK_ORDER, "deep_check_s", deep_s, message, cure)
