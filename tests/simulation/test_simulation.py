# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real core under random faults: no schedule breaks an invariant. `make simulate` explores many more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from holdfast.errors import HoldfastError
from holdfast_sim import campaign
from holdfast_sim.explore import explore
from holdfast_sim.planted import PLANTED

PLANTED_WITHIN = 200
SCHEDULES = 1000
"""About forty seconds on two cores."""


@pytest.mark.timeout(400)  # two processes on a busy machine
def test_no_random_schedule_breaks_an_invariant() -> None:
    outcome = campaign.run(first=0, schedules=SCHEDULES, processes=2)
    assert outcome.failures == {}
    assert outcome.done == SCHEDULES


def test_the_schedules_reach_every_activity() -> None:
    """Otherwise the exploration would prove little."""
    outcome = campaign.run(first=0, schedules=100, processes=2)
    reached = {word for what in outcome.covered if "->" in what for word in what.split(" -> ")}
    assert {"up", "down", "starting", "stopping", "waiting", "failed"} <= reached


@pytest.mark.parametrize(("plant", "first"), PLANTED, ids=[plant.__name__ for plant, _first in PLANTED])
def test_a_planted_fault_is_found(
    plant: Callable[[pytest.MonkeyPatch], None], first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge sees what it is there for: each of these is found within a few hundred schedules."""
    plant(monkeypatch)
    assert any(_complains(seed) for seed in range(first, first + PLANTED_WITHIN))


def _complains(seed: int) -> bool:
    """Whether anything at all objects: an invariant, or the core's own check of itself."""
    try:
        explore(seed)
    except (AssertionError, HoldfastError):
        return True
    return False
