# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Reading what is done by itself when a group fails: for the cluster, and of its own for a site and its group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from ..values.graph import groups_of
from ..values.model import Config, Hierarchy, Recovery, ShutdownStrategy, Switchback
from ..values.problems import Problem
from . import rulebook as rule
from .reading import Reader, shown

SHUTDOWNS = ("switchover", "stay")
SWITCHBACKS = ("intelligent", "automatic")
_KEYS = tuple(Recovery.__dataclass_fields__)
OWN_KEYS = tuple(key for key in _KEYS if key not in ("shutdown", "guard_resets"))
"""What a site can have of its own; the other two are about servers (guide chapter 2, step 1)."""
_DAY_S = 86_400.0
_NEVER = "means never"


def recovery_of(outer: Reader) -> Recovery:
    """The recovery of the cluster; what is not written is as in ``Recovery``."""
    reader = _reader(outer, _KEYS)
    recovery = _read(reader)
    _check_order(reader, recovery)
    return recovery


def own_recovery_of(outer: Reader) -> dict[str, Any]:
    """What is written of it for one site."""
    reader = _reader(outer, OWN_KEYS)
    recovery = _read(reader)
    return {key: getattr(recovery, key) for key in OWN_KEYS if reader.has(key)}


def check_recovery(config: Config, paths: Mapping[str, str]) -> list[Problem]:
    """No two sites of a group contradict each other, and its checks are in order with what the cluster says.

    ``paths`` tells where each hierarchy is written, by tag.
    """
    problems: list[Problem] = []
    for group in groups_of(config).values():
        said: dict[str, Hierarchy] = {}
        for hierarchy in group.hierarchies:
            path = paths.get(hierarchy.tag, f"{shown(hierarchy.tag)} on the node")
            reader = Reader({}, path=f"{path}.recovery", known=(), problems=problems)
            for key, value in hierarchy.recovery.items():
                _check_same(reader, key, value, hierarchy, said.setdefault(key, hierarchy))
            if {"quick_check_s", "deep_check_s"} & set(hierarchy.recovery):
                _check_order(reader, replace(config.cluster.recovery, **group.recovery))
    return problems


def _check_same(reader: Reader, key: str, value: object, hierarchy: Hierarchy, first: Hierarchy) -> None:
    other = first.recovery[key]
    if value != other:
        message = f"{key} is {shown(value)} for {hierarchy.tag} and {shown(other)} for {first.tag}, which move as one."
        cure = f"Write the same {key} for both, or for one of them only: it holds for the group."
        reader.report(rule.RECOVERY_OF_GROUP, key, value, message, cure)


def _reader(outer: Reader, known: Sequence[str]) -> Reader:
    written = outer.raw("recovery")
    if written is not None and not isinstance(written, Mapping):
        cure = "Write its keys below it, one per line: " + ", ".join(known) + "."
        outer.report(rule.WRONG_TYPE, "recovery", written, f"recovery is {shown(written)}, not a mapping.", cure)
    return outer.within("recovery", written if isinstance(written, Mapping) else {}, known)


def _read(reader: Reader) -> Recovery:
    usual = Recovery()
    shutdown = reader.choice("shutdown", options=SHUTDOWNS, rule=rule.SHUTDOWN_KNOWN, default=usual.shutdown)
    switchback = reader.choice("switchback", options=SWITCHBACKS, rule=rule.SWITCHBACK_KNOWN, default=usual.switchback)
    return Recovery(
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


def _check_s(reader: Reader, key: str, usual_s: float) -> float:
    return reader.seconds(key, low=0.1, high=3600, rule=rule.CHECK_TIME, default=usual_s, zero=_NEVER)


def _check_order(reader: Reader, recovery: Recovery) -> None:
    """A deep check does what a quick check does and more, so one that comes more often makes the other pointless."""
    quick_s, deep_s = recovery.quick_check_s, recovery.deep_check_s
    if 0 < deep_s < quick_s:
        message = f"deep_check_s is {deep_s:g}, less than quick_check_s, {quick_s:g}."
        cure = f"Write deep_check_s of at least {quick_s:g}, or 0 for no deep checks."
        reader.report(rule.CHECK_ORDER, "deep_check_s", deep_s, message, cure)
