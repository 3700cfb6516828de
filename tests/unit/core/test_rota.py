# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When groups are looked at: each in its turn, and never all at once."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.moves.rota import turn_s

NAMES = [f"site-{number}" for number in range(1000)]


@given(st.text(min_size=1), st.floats(0, 1e6), st.sampled_from([0.1, 5.0, 10.0, 120.0, 3600.0]))
def test_the_next_turn_is_within_one_interval(name: str, last_s: float, every_s: float) -> None:
    assert last_s < turn_s(name, last_s, every_s) <= last_s + every_s * 1.002


def test_a_look_for_another_reason_moves_no_turn() -> None:
    first_s = turn_s("shop", 100.0, 5.0)

    assert turn_s("shop", first_s - 1, 5.0) == first_s
    assert turn_s("shop", first_s + 0.05, 5.0) == first_s + 5.0


def test_a_look_that_took_no_time_is_not_repeated_at_once() -> None:
    first_s = turn_s("shop", 100.0, 5.0)

    assert turn_s("shop", first_s, 5.0) == first_s + 5.0


def test_a_thousand_groups_are_spread_over_the_interval() -> None:
    tenths = Counter(int(turn_s(name, 50.0, 10.0) - 50.0) for name in NAMES)

    assert len(tenths) >= 10
    assert max(tenths.values()) < 200
