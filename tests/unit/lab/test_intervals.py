# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the oracles saw to the number that must be zero."""

from __future__ import annotations

from holdfast_lab.oracle.intervals import (
    Interval,
    Overlap,
    after_thaw,
    answered,
    double_answers,
    double_service_s,
    handovers,
    held,
    holders_at,
    overlaps,
    subtract,
    thaws,
    together_s,
)
from holdfast_lab.oracle.records import Kind, Record, from_lines, to_line

SHOP = "10.77.0.113"


def seen(t_s: float, holder: str, present: bool, *, kind: Kind = "address", subject: str = SHOP) -> Record:
    return Record(t_s=t_s, kind=kind, subject=subject, holder=holder, present=present, source="event")


def machine(t_s: float, holder: str, *, going: bool) -> Record:
    return Record(t_s=t_s, kind="machine", subject="", holder=holder, present=going, source="world")


def answer(t_s: float, holder: str, ask: int) -> Record:
    return Record(t_s=t_s, kind="arp", subject=SHOP, holder=holder, present=True, source="answer", ask=ask)


def spans(intervals: list[Interval]) -> list[tuple[str, float, float]]:
    return [(interval.holder, interval.start_s, interval.end_s) for interval in intervals]


def test_an_address_that_moves_is_held_by_one_after_the_other() -> None:
    records = [seen(1.0, "n1", True), seen(2.0, "n1", False), seen(2.5, "n2", True)]
    assert spans(held(records, "address", end_s=4.0)) == [("n1", 1.0, 2.0), ("n2", 2.5, 4.0)]
    assert double_service_s(held(records, "address", end_s=4.0)) == 0.0


def test_an_address_on_two_nodes_counts_for_as_long_as_both_had_it() -> None:
    records = [seen(1.0, "n1", True), seen(1.75, "n2", True), seen(2.0, "n1", False)]
    intervals = held(records, "address", end_s=3.0)
    assert double_service_s(intervals) == 0.25
    assert overlaps(intervals)[0].holders == ("n1", "n2")


def test_going_at_the_very_moment_at_which_the_other_comes_is_no_overlap() -> None:
    records = [seen(1.0, "n1", True), seen(2.0, "n1", False), seen(2.0, "n2", True)]
    assert overlaps(held(records, "address", end_s=3.0)) == []


def test_two_addresses_on_two_nodes_are_no_overlap() -> None:
    records = [seen(1.0, "n1", True), seen(1.0, "n2", True, subject="10.77.0.114")]
    assert overlaps(held(records, "address", end_s=3.0)) == []


def test_disks_are_counted_apart_from_addresses() -> None:
    records = [seen(1.0, "n1", True), seen(1.0, "n2", True, kind="disk", subject="d")]
    assert spans(held(records, "disk", end_s=2.0)) == [("n2", 1.0, 2.0)]


def test_what_a_frozen_machine_has_does_not_count_while_it_is_frozen() -> None:
    records = [
        seen(1.0, "n1", True),
        machine(2.0, "n1", going=False),
        seen(3.0, "n2", True),
        machine(4.0, "n1", going=True),
        seen(4.5, "n1", False),
    ]
    intervals = held(records, "address", end_s=5.0)
    assert spans(intervals) == [("n1", 1.0, 2.0), ("n2", 3.0, 5.0), ("n1", 4.0, 4.5)]
    assert double_service_s(intervals) == 0.5


def test_a_machine_that_stays_frozen_holds_nothing_to_the_end() -> None:
    records = [seen(1.0, "n1", True), machine(2.0, "n1", going=False)]
    assert spans(held(records, "address", end_s=9.0)) == [("n1", 1.0, 2.0)]


def test_being_told_twice_of_an_address_changes_nothing() -> None:
    records = [seen(1.0, "n1", True), seen(1.5, "n1", True), seen(2.0, "n1", False), seen(2.1, "n1", False)]
    assert spans(held(records, "address", end_s=3.0)) == [("n1", 1.0, 2.0)]


def test_pauses_cut_an_interval_into_parts() -> None:
    whole = Interval(subject=SHOP, holder="n1", start_s=0.0, end_s=10.0)
    assert spans(subtract(whole, [(-1.0, 1.0), (4.0, 5.0), (9.0, 12.0)])) == [("n1", 1.0, 4.0), ("n1", 5.0, 9.0)]
    assert subtract(whole, [(-1.0, 11.0)]) == []
    assert subtract(whole, [(20.0, 21.0)]) == [whole]


def test_answers_close_together_are_one_interval_and_a_gap_begins_another() -> None:
    records = [answer(t_s, "n1", 0) for t_s in (1.00, 1.02, 1.04, 1.50, 1.52)]
    assert spans(answered(records, gap_s=0.1)) == [("n1", 1.00, 1.04), ("n1", 1.50, 1.52)]


def test_a_question_that_two_machines_answered_is_named() -> None:
    records = [answer(1.0, "n1", 1), answer(1.02, "n1", 2), answer(1.0201, "n2", 2), answer(1.04, "n2", 3)]
    assert double_answers(records) == [(SHOP, 2, ("n1", "n2"))]


def test_an_announcement_is_no_answer() -> None:
    record = Record(t_s=1.0, kind="arp", subject=SHOP, holder="n2", present=True, source="announcement")
    assert answered([record], gap_s=1.0) == []
    assert double_answers([record, answer(1.0, "n1", 0)]) == []


def test_who_held_an_address_at_a_moment() -> None:
    intervals = held([seen(1.0, "n1", True), seen(2.0, "n1", False)], "address", end_s=3.0)
    assert holders_at(intervals, subject=SHOP, t_s=1.5) == {"n1"}
    assert holders_at(intervals, subject=SHOP, t_s=2.5) == set()


def test_records_survive_being_written_and_read() -> None:
    records = [seen(1.25, "n1", True), answer(2.0, "n2", 7)]
    assert from_lines([to_line(record) for record in records]) == records


def test_a_handover_is_from_when_one_lost_it_to_when_the_next_had_it() -> None:
    records = [
        seen(1.0, "n1", True),
        seen(2.0, "n1", False),
        seen(2.25, "n2", True),
        seen(3.0, "n2", False),
        seen(3.5, "n2", True),
        seen(4.0, "n2", False),
        seen(4.5, "n1", True),
    ]
    intervals = held(records, "address", end_s=5.0)
    assert handovers(intervals, subject=SHOP) == [(2.0, 2.25), (4.0, 4.5)]
    assert handovers(intervals, subject="10.77.0.114") == []


def test_double_service_in_the_instant_after_a_thaw_is_told_apart_from_any_other() -> None:
    records = [
        seen(0.0, "n1", True),
        machine(1.0, "n1", going=False),
        seen(5.0, "n2", True),
        machine(9.0, "n1", going=True),
        seen(9.1, "n1", False),
        seen(11.0, "n1", True),
        seen(11.2, "n1", False),
    ]
    first, second = overlaps(held(records, "address", end_s=12.0))
    assert (first.start_s, first.end_s, after_thaw(first, thaws(records))) == (9.0, 9.1, True)
    assert (second.start_s, after_thaw(second, thaws(records))) == (11.0, False)


def test_time_in_which_several_subjects_are_held_twice_counts_once() -> None:
    spans_s = [(0.0, 2.0), (1.0, 3.0), (5.0, 6.0), (5.2, 5.4)]
    found = [Overlap(subject=SHOP, holders=("n1", "n2"), start_s=a, end_s=b) for a, b in spans_s]
    assert together_s(found) == 4.0
