# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the switchover benchmark."""

from __future__ import annotations

from holdfast_bench.numbers import Row, phase_table, table, verdict

FLOOR = Row(name="floor", outages_ms=(4.0, 6.0, 5.0))
LOCAL = Row(name="own disk", outages_ms=(10.0, 30.0, 12.0, 14.0))


def test_a_row_has_minimum_median_maximum_and_its_ratio_to_the_floor() -> None:
    _, floor, local = table(FLOOR, [LOCAL])
    assert floor.split()[-5:] == ["3", "4.0", "5.0", "6.0", "1.00"]
    assert local.split()[-5:] == ["4", "10.0", "13.0", "30.0", "2.60"]


def test_the_goal_is_three_times_the_floor() -> None:
    assert "reached (2.60x)" in verdict(FLOOR, LOCAL)
    assert "MISSED (3.20x)" in verdict(FLOOR, Row(name="slow", outages_ms=(16.0,)))


def test_phases_are_listed_in_order_with_their_median_over_the_moves() -> None:
    moves = [
        {"phases": [{"name": "stop", "resource": "shop", "seconds": s}, {"name": "announce", "seconds": 0.001}]}
        for s in (0.002, 0.004, 0.009)
    ]
    first, second = phase_table(moves)
    assert first.split() == ["stop", "shop", "4.0", "ms"]
    assert second.split() == ["announce", "1.0", "ms"]
