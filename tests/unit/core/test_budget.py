# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Budgets and quarantine, reckoned from a history and from when this node saw each incident."""

from __future__ import annotations

import pytest

from holdfast.core.moves.budget import (
    BACKOFF_MAX_S,
    STABLE_S,
    Quarantine,
    Seen,
    backoff_s,
    budget,
    over,
    quarantine,
)
from holdfast.core.values.history import History, IncidentKind, with_incident

WINDOW_S = 1800.0


def _story(*incidents: tuple[float, IncidentKind, str]) -> tuple[History, Seen]:
    history = History()
    seen = {}
    for time_s, kind, node in incidents:
        history = with_incident(history, kind, node)
        seen[history.incidents[-1]] = time_s
    return history, seen


def test_there_is_one_left_until_all_are_used() -> None:
    history, seen = _story((10, "restart", "n1"), (20, "restart", "n2"))

    left = budget(history, seen, "restart", allowed=3, window_s=WINDOW_S, now_s=30)
    spent = budget(history, seen, "restart", allowed=2, window_s=WINDOW_S, now_s=30)

    assert left.left
    assert (spent.left, spent.used) == (False, 2)


def test_restarts_on_all_nodes_count_together_and_moves_apart_from_them() -> None:
    history, seen = _story((10, "restart", "n1"), (20, "failover", "n2"), (30, "restart", "n2"))

    assert budget(history, seen, "restart", allowed=3, window_s=WINDOW_S, now_s=40).used == 2
    assert budget(history, seen, "failover", allowed=3, window_s=WINDOW_S, now_s=40).used == 1


def test_a_spent_budget_says_when_there_is_one_again() -> None:
    history, seen = _story((10, "failover", "n1"), (20, "failover", "n2"), (30, "failover", "n1"))

    assert budget(history, seen, "failover", allowed=3, window_s=WINDOW_S, now_s=40).free_s == 10 + WINDOW_S
    assert budget(history, seen, "failover", allowed=2, window_s=WINDOW_S, now_s=40).free_s == 20 + WINDOW_S


def test_at_that_moment_there_is_one_again() -> None:
    history, seen = _story((10, "failover", "n1"), (20, "failover", "n2"), (30, "failover", "n1"))

    assert not budget(history, seen, "failover", allowed=3, window_s=WINDOW_S, now_s=9.9 + WINDOW_S).left
    assert budget(history, seen, "failover", allowed=3, window_s=WINDOW_S, now_s=10 + WINDOW_S).left


def test_a_budget_of_none_is_never_free() -> None:
    nothing = budget(History(), {}, "restart", allowed=0, window_s=WINDOW_S, now_s=0)

    assert not nothing.left
    assert nothing.free_s == float("inf")


@pytest.mark.parametrize(
    ("times", "seconds"), [(0, 0), (1, 5), (2, 10), (3, 20), (7, 320), (8, 600), (9, 600), (10_000, 600)]
)
def test_the_back_off_doubles_from_5_s_to_10_min(times: int, seconds: float) -> None:
    assert backoff_s(times) == seconds


def test_each_failure_in_a_row_keeps_a_node_away_for_longer() -> None:
    history, seen = _story((100, "failure", "n1"), (200, "failure", "n1"), (300, "failure", "n2"))

    assert quarantine(history, seen, "n1", now_s=201) == Quarantine(failures=2, until_s=210)
    assert quarantine(history, seen, "n2", now_s=301) == Quarantine(failures=1, until_s=305)


def test_a_node_without_failures_is_welcome() -> None:
    history, seen = _story((100, "restart", "n1"), (100, "failover", "n1"))

    assert quarantine(history, seen, "n1", now_s=101).failures == 0
    assert quarantine(history, seen, "n1", now_s=101).until_s < 101


def test_an_hour_without_failures_clears_a_node() -> None:
    history, seen = _story((0, "failure", "n1"), (10, "failure", "n1"))

    assert quarantine(history, seen, "n1", now_s=10 + STABLE_S - 1).failures == 2
    assert quarantine(history, seen, "n1", now_s=10 + STABLE_S).failures == 0


def test_a_failure_after_a_good_hour_is_the_first_again() -> None:
    history, seen = _story((0, "failure", "n1"), (10, "failure", "n1"), (20 + STABLE_S, "failure", "n1"))

    assert quarantine(history, seen, "n1", now_s=21 + STABLE_S) == Quarantine(failures=1, until_s=25 + STABLE_S)


def test_what_is_over_counts_neither_for_a_budget_nor_for_quarantine() -> None:
    history, seen = _story((0, "failure", "n1"), (100, "restart", "n1"), (9000, "failure", "n1"))
    now_s = 100 + STABLE_S + BACKOFF_MAX_S

    assert over(history, seen, window_s=WINDOW_S, now_s=now_s) == list(history.incidents[:2])
    assert over(history, seen, window_s=86_400, now_s=now_s) == []
