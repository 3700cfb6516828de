# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is done about a group that fails, case by case. Source: guide chapters 1 and 6, IIS Failover."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.cluster.candidates import Candidate
from holdfast.core.moves.budget import Budget, Quarantine
from holdfast.core.moves.decision import RULES, Case, decide, values

NOW_S = 1000.0
FREE = Budget(used=0, allowed=3, free_s=float("-inf"))
SPENT = Budget(used=3, allowed=3, free_s=NOW_S + 900)
CLEAR = Quarantine(failures=0, until_s=float("-inf"))
READY = (Candidate(node="n2", priority=2), Candidate(node="n3", priority=3))
NOBODY = (Candidate(node="n2", priority=2, why_not="n2 is dead"),)
SERVING = Case(
    kind="serving",
    network=False,
    local=True,
    automatic=True,
    restarts=FREE,
    failovers=FREE,
    quarantine=CLEAR,
    found=READY,
    now_s=NOW_S,
)
START = replace(SERVING, kind="start")


def test_what_fails_in_service_is_restarted_first() -> None:
    assert decide(SERVING).remedy == "restart"


def test_without_local_recovery_it_moves_at_once() -> None:
    decision = decide(replace(SERVING, local=False))

    assert (decision.remedy, decision.to, decision.rule.id) == ("move", "n2", "HF802")


def test_a_network_that_fails_is_no_matter_for_a_restart() -> None:
    decision = decide(replace(SERVING, network=True))

    assert (decision.remedy, decision.to, decision.rule.id) == ("move", "n2", "HF810")


def test_where_no_network_is_better_nothing_is_stopped_or_moved() -> None:
    silent = (Candidate(node="n2", priority=2, why_not="none of 10.77.0.1 answers"),)
    decision = decide(replace(START, network=True, found=silent))

    assert (decision.remedy, decision.rule.id) == ("wait", "HF809")
    assert decision.reason == "is left as it is, for a restart mends no network: none of 10.77.0.1 answers"


def test_when_restarts_are_used_up_it_moves() -> None:
    assert decide(replace(SERVING, restarts=SPENT)).to == "n2"


def test_what_failed_to_start_for_the_first_time_is_tried_once_more_here() -> None:
    assert decide(START).remedy == "restart"


def test_what_failed_to_start_again_moves() -> None:
    assert decide(replace(START, quarantine=Quarantine(failures=1, until_s=NOW_S + 5))).to == "n2"


def test_what_failed_to_start_and_nobody_can_have_is_tried_here_after_a_pause() -> None:
    paused = replace(START, quarantine=Quarantine(failures=2, until_s=NOW_S + 10), found=NOBODY)
    over = replace(paused, quarantine=Quarantine(failures=2, until_s=NOW_S))

    assert (decide(paused).remedy, decide(paused).again_s) == ("wait", NOW_S + 10)
    assert decide(over).remedy == "start"


def test_a_start_is_tried_again_although_the_budgets_are_spent() -> None:
    """Nothing is lost by it, and the pauses between the tries grow."""
    case = replace(START, restarts=SPENT, failovers=SPENT, quarantine=Quarantine(failures=3, until_s=NOW_S - 1))

    assert decide(case).remedy == "start"


def test_with_both_budgets_spent_a_serving_group_is_left_as_it_is_until_one_is_free() -> None:
    decision = decide(replace(SERVING, restarts=SPENT, failovers=replace(SPENT, free_s=NOW_S + 600)))

    assert (decision.remedy, decision.rule.id, decision.again_s) == ("wait", "HF803", NOW_S + 600)


def test_with_arbiter_manual_nothing_moves() -> None:
    decision = decide(replace(SERVING, automatic=False, local=False))

    assert (decision.remedy, decision.rule.id) == ("wait", "HF805")
    assert decision.again_s == float("inf")


def test_it_never_moves_to_a_node_that_may_not_have_it() -> None:
    decision = decide(replace(SERVING, local=False, found=NOBODY))

    assert (decision.remedy, decision.rule.id) == ("wait", "HF809")
    assert "n2 is dead" in decision.reason


def test_a_group_with_one_node_only_waits_for_it() -> None:
    assert "no other node has a priority for it" in decide(replace(SERVING, local=False, found=())).reason


def test_it_is_decided_anew_when_the_first_candidate_is_out_of_quarantine() -> None:
    found = (
        Candidate(node="n2", priority=2, why_not="n2 failed it once lately", until_s=NOW_S + 5),
        Candidate(node="n3", priority=3, why_not="n3 refused it", until_s=NOW_S + 3),
    )

    assert decide(replace(SERVING, local=False, found=found)).again_s == NOW_S + 3


def test_a_decision_rests_on_values_that_can_be_written_down() -> None:
    rows = values(replace(SERVING, restarts=SPENT, found=NOBODY))

    assert rows["restarts"] == [3, 3]
    assert rows["candidates"] == [{"node": "n2", "priority": 2, "why_not": "n2 is dead"}]


budgets = st.builds(
    lambda used, allowed, wait_s: Budget(
        used=used, allowed=allowed, free_s=float("-inf") if used < allowed else NOW_S + wait_s
    ),
    st.integers(0, 4),
    st.integers(0, 3),
    st.floats(1, 2000),
)
cases = st.builds(
    Case,
    kind=st.sampled_from(["serving", "start"]),
    network=st.booleans(),
    local=st.booleans(),
    automatic=st.booleans(),
    restarts=budgets,
    failovers=budgets,
    quarantine=st.builds(Quarantine, failures=st.integers(0, 9), until_s=st.floats(0, 2000)),
    found=st.sampled_from([(), READY, NOBODY, (*READY[1:], *NOBODY)]),
    now_s=st.just(NOW_S),
)


@given(cases)
def test_whatever_the_case_no_budget_is_overdrawn_and_no_unready_node_asked(case: Case) -> None:
    decision = decide(case)

    assert decision.rule in RULES
    if case.network:
        assert decision.remedy in ("move", "wait")
    if decision.remedy == "restart":
        assert case.local
        assert case.restarts.left
    if decision.remedy == "move":
        assert case.automatic
        assert case.failovers.left
        assert decision.to in [c.node for c in case.found if not c.why_not]
    if decision.remedy in ("restart", "start"):
        assert case.quarantine.until_s <= NOW_S
    if decision.remedy == "wait":
        assert decision.again_s > NOW_S
