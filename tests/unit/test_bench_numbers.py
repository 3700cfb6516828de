# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the switchover benchmark, and when it must not give a verdict."""

from __future__ import annotations

from holdfast_bench.numbers import Move, Row, doubts, phase_table, row, table, together, verdict
from holdfast_lab.client.samples import Sample, Summary, summarise

FLOOR = Row(name="floor", outages_ms=(4.0, 6.0, 5.0))
LOCAL = Row(name="own disk", outages_ms=(10.0, 30.0, 12.0, 14.0), spoiled=1)
STEADY = Row(name="floor", outages_ms=(5.0,) * 6)
ENOUGH = Row(name="own disk", outages_ms=(9.0,) * 12)


def asked_at(*starts_ms: float, failed: tuple[float, ...] = ()) -> Summary:
    samples = [
        Sample(
            number=number,
            start_s=start_ms / 1000,
            end_s=start_ms / 1000,
            status=None if start_ms in failed else 200,
            node="n1",
            error="timeout" if start_ms in failed else None,
        )
        for number, start_ms in enumerate(starts_ms)
    ]
    return summarise(samples, every_s=0.002)


def test_a_row_has_minimum_median_maximum_and_its_ratio_to_the_floor() -> None:
    _, floor, local = table(FLOOR, [LOCAL])
    assert floor.split()[-6:] == ["3", "0", "4.0", "5.0", "6.0", "1.00"]
    assert local.split()[-6:] == ["4", "1", "10.0", "13.0", "30.0", "2.60"]


def test_a_move_in_a_stall_of_the_client_is_counted_and_not_read_as_no_outage() -> None:
    """The client slept through the whole outage: nothing failed, and yet nothing was seen."""
    asleep = asked_at(0, 2, 4, 34, 36)
    assert asleep.longest_outage_ms == 0.0
    assert row("x", [Move(around=asleep, during=asleep)]) == Row(name="x", outages_ms=(), spoiled=1)


def test_a_move_that_an_awake_client_saw_counts() -> None:
    awake = asked_at(0, 2, 4, 6, 8, 10, failed=(4, 6))
    made = row("x", [Move(around=awake, during=awake)])
    assert made.spoiled == 0
    assert [round(outage_ms, 6) for outage_ms in made.outages_ms] == [4.0]


def test_a_row_without_a_measured_move_has_no_numbers() -> None:
    assert table(FLOOR, [Row(name="none", outages_ms=(), spoiled=12)])[-1].split()[-4:] == ["-"] * 4


def test_steady_numbers_raise_no_doubt() -> None:
    assert doubts(STEADY, STEADY, [ENOUGH]) == []


def test_too_few_or_too_many_spoiled_moves_raise_a_doubt() -> None:
    assert doubts(STEADY, STEADY, [LOCAL]) == ["own disk: 4 moves could be measured, 10 are needed"]
    spoiled = Row(name="own disk", outages_ms=(9.0,) * 12, spoiled=5)
    assert doubts(STEADY, STEADY, [spoiled]) == ["own disk: the client itself stalled in 5 of 17 moves"]


def test_a_floor_that_drifts_raises_a_doubt() -> None:
    slower = Row(name="floor", outages_ms=(17.0,) * 6)
    assert doubts(STEADY, slower, [ENOUGH]) == ["the floor drifted: median 5.0 ms before, 17.0 ms after"]


def test_the_goal_is_three_times_the_floor() -> None:
    assert "reached (2.60x)" in verdict(FLOOR, LOCAL, [])[0]
    assert "MISSED (3.20x)" in verdict(FLOOR, Row(name="slow", outages_ms=(16.0,)), [])[0]


def test_with_a_doubt_there_is_no_verdict_however_good_the_numbers() -> None:
    first, reason = verdict(FLOOR, Row(name="fast", outages_ms=(1.0,)), ["the floor drifted"])
    assert "NO VERDICT" in first
    assert "reached" not in first
    assert reason == "  the floor drifted"


def test_both_parts_of_the_floor_are_one_row() -> None:
    joined = together("floor", Row(name="a", outages_ms=(1.0,), spoiled=1), Row(name="b", outages_ms=(2.0,), spoiled=2))
    assert joined == Row(name="floor", outages_ms=(1.0, 2.0), spoiled=3)


def test_phases_are_listed_in_order_with_their_median_over_the_moves() -> None:
    moves = [
        {"phases": [{"name": "stop", "resource": "shop", "seconds": s}, {"name": "announce", "seconds": 0.001}]}
        for s in (0.002, 0.004, 0.009)
    ]
    first, second = phase_table(moves)
    assert first.split() == ["stop", "shop", "4.0", "ms"]
    assert second.split() == ["announce", "1.0", "ms"]
