# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trials as data: what is chosen, what is told, and the tables of the failover benchmark."""

from __future__ import annotations

import random

import pytest

from holdfast_bench.outages import Row, goals, table
from holdfast_lab.scene import NODES
from holdfast_lab.trials.catalogue import TRIALS
from holdfast_lab.trials.episode import Episode, Seen
from holdfast_lab.trials.soak import LESSER, Plan, Round, choose
from holdfast_lab.trials.soak import table as soak_table
from holdfast_lab.world.faults import FAULTS


def seen(shop_s: float, docs_s: float, *, double_s: float = 0.0) -> Seen:
    return Seen(
        without_s={"shop": shop_s, "docs": docs_s}, double_s=double_s, thaw_s=0.0, thaw_disk_s=0.0, stall_s=0.01
    )


def episode(shop_s: float, docs_s: float, *, back: bool = True, double_s: float = 0.0) -> Episode:
    fault = seen(shop_s, docs_s, double_s=double_s)
    return Episode(fault=fault, healing=seen(0, 0), back=back, double_s=double_s, thaw_s=0.0, thaw_disk_s=0.0)


def test_a_seed_repeats_the_rounds_of_a_soak_and_another_does_not() -> None:
    first, again, other = ([choose(random.Random(seed), arbiter="witness")] for seed in (7, 7, 8))
    assert first == again
    assert first != other


@pytest.mark.parametrize("arbiter", ["witness", "etcd"])
def test_a_soak_keeps_to_the_machines_there_are_and_to_one_serious_fault_at_a_time(arbiter: str) -> None:
    chance = random.Random(1)
    plans = [choose(chance, arbiter=arbiter) for _unused in range(2000)]
    kinds = {name for plan in plans for name, _node in plan.faults}
    assert kinds == {name for name, trial in TRIALS.items() if trial.needs in ("", arbiter)}
    assert {node for plan in plans for _name, node in plan.faults} == set(NODES)
    seconds = {plan.faults[1][0] for plan in plans if len(plan.faults) == 2}
    assert seconds == set(LESSER) | {name for name, trial in TRIALS.items() if trial.needs == arbiter}
    assert not any(all(TRIALS[name].needs for name, _node in plan.faults) for plan in plans if len(plan.faults) > 1)


def test_the_table_of_a_soak_has_a_line_for_each_kind_that_came() -> None:
    rounds = [
        Round(plan=Plan(faults=(("power cut", "n1"),), apart_s=0.0), episode=episode(3.5, 2.9)),
        Round(plan=Plan(faults=(("power cut", "n2"), ("one path cut", "n1")), apart_s=1.0), episode=episode(0, 0)),
    ]
    lines = [line.split()[:4] for line in soak_table(rounds)]
    assert ["power", "cut", "1", "3.50"] in lines
    assert ["two", "at", "once", "1"] in lines


def test_a_goal_is_missed_by_one_run_of_one_site_or_by_service_that_did_not_come_back() -> None:
    good = Row(name="power cut", episodes=(episode(3.9, 3.1), episode(4.0, 3.2)))
    slow = Row(name="power cut", episodes=(episode(3.9, 3.1), episode(4.1, 3.2)))
    gone = Row(name="power cut", episodes=(episode(3.9, 3.1, back=False),))
    assert "reached (longest 4.00 s)" in goals("normal", [good])[0]
    assert "MISSED (longest 4.10 s)" in goals("normal", [slow])[0]
    assert "MISSED" in goals("normal", [gone])[0]
    assert "MISSED (longest 4.00 s)" in goals("fast", [good])[0]


def test_double_service_is_never_lost_in_the_table() -> None:
    row = Row(name="freeze", episodes=(episode(3.9, 3.1, double_s=0.25), episode(3.8, 3.0, double_s=0.5)))
    assert any("0.750" in line for line in table("normal", [row]))
    assert any("no double service: MISSED (0.750 s)" in line for line in goals("normal", [row]))


def test_every_trial_of_a_fault_of_the_lab_names_one_that_there_is() -> None:
    assert {"heal", "freeze", "thaw", "stop_ours", "crash_site", "hang_site", "break_primitive"} <= set(FAULTS)
    assert all(trial.does for trial in TRIALS.values())
