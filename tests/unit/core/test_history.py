# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What befell a group, known alike on every node in the end, whoever told whom first."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.values.history import INCIDENTS_MAX, History, Incident, IncidentKind, clean, merged, with_incident

NODES = ("n1", "n2", "n3")


def _of(*kinds: IncidentKind, node: str = "n1") -> History:
    history = History()
    for kind in kinds:
        history = with_incident(history, kind, node)
    return history


def test_incidents_are_numbered_within_the_group() -> None:
    history = with_incident(_of("restart", "restart"), "failover", "n2")

    assert [(i.number, i.kind, i.node) for i in history.incidents] == [
        (1, "restart", "n1"),
        (2, "restart", "n1"),
        (3, "failover", "n2"),
    ]


def test_two_nodes_that_told_each_other_know_the_same() -> None:
    common = _of("restart")
    one = with_incident(common, "failure", "n1")
    other = with_incident(common, "failover", "n2")

    assert merged(one, other) == merged(other, one)
    assert len(merged(one, other).incidents) == 3


def test_the_same_incident_told_twice_is_one() -> None:
    history = _of("restart", "failure")

    assert merged(history, history) == history


def test_what_a_person_pardoned_does_not_come_back_from_a_node_that_missed_it() -> None:
    before = _of("restart", "failure", "failover")

    assert merged(clean(before), before).incidents == ()
    assert merged(before, clean(before)).incidents == ()


def test_what_happens_after_a_pardon_counts() -> None:
    before = _of("restart", "restart")
    after = with_incident(clean(before), "restart", "n2")

    assert merged(before, after).incidents == (Incident(number=3, kind="restart", node="n2"),)


def test_incidents_that_are_over_are_closed_when_the_next_comes() -> None:
    history = _of("restart", "restart", "failure")

    later = with_incident(history, "restart", "n1", over=history.incidents[:2])

    assert later.closed == 2
    assert [i.number for i in later.incidents] == [3, 4]


def test_an_incident_that_is_over_stays_while_an_older_one_still_counts() -> None:
    """Numbers are closed from below; what is over above them does no harm, for its age does not count."""
    history = _of("restart", "failure", "restart")

    later = with_incident(history, "restart", "n1", over=[history.incidents[1]])

    assert later.closed == 0
    assert len(later.incidents) == 4


def test_a_history_is_bounded() -> None:
    many: list[IncidentKind] = ["restart"] * (INCIDENTS_MAX + 10)
    history = _of(*many)

    assert len(history.incidents) == INCIDENTS_MAX
    assert history.incidents[-1].number == INCIDENTS_MAX + 10


histories = st.builds(
    lambda closed, rows: merged(
        History(closed=closed),
        History(incidents=tuple(Incident(number=n, kind=kind, node=node) for n, kind, node in rows)),
    ),
    st.integers(0, 6),
    st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from(["restart", "failover", "failure"]), st.sampled_from(NODES)),
        max_size=8,
    ),
)


@given(st.lists(histories, min_size=3, max_size=3))
def test_the_order_of_telling_does_not_matter(told: list[History]) -> None:
    ends = {merged(merged(a, b), c) for a, b, c in permutations(told)}

    assert len(ends) == 1
