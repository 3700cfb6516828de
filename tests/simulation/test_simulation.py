# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real core under random faults: no schedule breaks an invariant. `make simulate` explores many more."""

from __future__ import annotations

import time

import pytest

from holdfast_sim import campaign
from holdfast_sim.explore import failure
from holdfast_sim.mutants import MUTANTS, hunt_all, known_seeds
from holdfast_sim.schedules import FAULTS, schedule

SCHEDULES = 3000
"""About forty seconds of one core."""
WITHIN = 20_000
MATTERS = {
    *("unknown -> up", "unknown -> down", "unknown -> waiting", "unknown -> starting", "unknown -> stopping"),
    *("down -> starting", "starting -> up", "starting -> stopping", "starting -> failed"),
    *("up -> stopping", "stopping -> down", "stopping -> up", "stopping -> starting", "stopping -> failed"),
    *("failed -> starting", "failed -> stopping", "waiting -> starting", "waiting -> down"),
}
"""Changes of a group's activity that schedules have to bring about, or they would prove little."""


@pytest.mark.timeout(600)  # two processes, perhaps on a busy machine
def test_no_random_schedule_breaks_an_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    began_s = time.monotonic()
    outcome = campaign.run(first=0, schedules=SCHEDULES, processes=2)
    with capsys.disabled():
        seconds = time.monotonic() - began_s
        print(f"\n{outcome.done} schedules explored in {seconds:.0f} s, {outcome.done / seconds:.0f} a second", end=" ")
    assert outcome.failures == {}
    assert outcome.done == SCHEDULES
    assert not MATTERS - outcome.covered.keys()


def test_every_kind_of_fault_is_drawn() -> None:
    words = {line.split()[0] for seed in range(300) for line in schedule(seed)}
    assert words >= {"kill", "restart", "power_off", "cut", "cut_one_way", "flap", "weather", "freeze", "sick"}
    assert words >= {"slow_disk", "configure", "begin"}
    assert len(FAULTS) == 11, "a new kind of fault belongs into the line above"


@pytest.mark.parametrize("seed", sorted(set(known_seeds().values())))
def test_what_failed_once_does_not_fail_again(seed: int) -> None:
    assert failure(schedule(seed)) == ""


@pytest.mark.timeout(180)  # each fault has a process of its own, since it is planted before the core is imported
def test_every_planted_fault_is_found() -> None:
    """The judge sees what it is there for. `python -m holdfast_sim --hunt` writes new numbers when schedules change."""
    seeds = known_seeds()
    planted = {mutant.name: [seeds[mutant.name]] for mutant in MUTANTS}
    found = {quarry.name: quarry.why for quarry in hunt_all(planted, processes=2)}
    assert [name for name, why in found.items() if not why] == []
    assert max(number for (number,) in planted.values()) < WITHIN
