# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The laws of a voter that serves nothing: one exclusive vote per group, bounded in time, never forgotten."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.core.cluster.acceptor import Acceptor
from holdfast.core.cluster.ownership import release
from holdfast.core.values.arbitration import Claim, Question, Renewal, Verdict
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Register
from holdfast.core.values.profiles import TAKE_MAX_S

LIGHT_S, FULL_S = 2.9, 3.6
LEASE = Lease(light_s=LIGHT_S, full_s=FULL_S)
NODES = ("n1", "n2", "n3")
OLD_S = 1000.0
"""A moment at which the acceptors here have been running for long."""


def held(node: str, epoch: int = 1, **more: Any) -> Register:
    return replace(Register(epoch=epoch, holder=node, promised_epoch=epoch), **more)


def acceptor(now_s: float = OLD_S - 2 * TAKE_MAX_S, **registers: Register) -> Acceptor:
    return Acceptor(registers=registers, now_s=now_s)


def renewal(
    node: str, version: int = 0, since: int = 0, incarnation: int = 1, lease: Lease = LEASE, **registers: Register
) -> Renewal:
    return Renewal(node=node, incarnation=incarnation, lease=lease, since=since, version=version, registers=registers)


def claim(
    node: str,
    epoch: int,
    consent_of: str | None = None,
    incarnation: int = 1,
    volume: bool = False,
    group: str = "shop",
) -> Claim:
    return Claim(
        node=node,
        incarnation=incarnation,
        lease=LEASE,
        group=group,
        epoch=epoch,
        volume=volume,
        consent_of=consent_of,
    )


# -- a vote is exclusive until it runs out --------------------------------------------------------


def test_a_free_group_is_given_to_who_asks() -> None:
    voter = acceptor(shop=Register(epoch=3, revision=1, promised_epoch=3, out=frozenset({"docs"})))

    verdict = voter.hear(claim("n1", 4), OLD_S)

    assert verdict.granted
    assert voter.registers["shop"] == held("n1", 4, out=frozenset({"docs"}))
    assert verdict.registers == {"shop": held("n1", 4, out=frozenset({"docs"}))}
    assert voter.changed


def test_it_is_given_to_another_when_the_holders_lease_has_run_out_and_not_before() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1"), OLD_S)

    early = voter.hear(claim("n2", 2), OLD_S + LIGHT_S - 0.001)
    late = voter.hear(claim("n2", 2), OLD_S + LIGHT_S)

    assert not early.granted
    assert early.renewed
    assert "n1 holds it at epoch 1, and its lease runs" in early.reason
    assert early.registers == {"shop": held("n1")}
    assert late.granted


def test_a_group_with_a_volume_takes_the_longer_lease() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1"), OLD_S)

    assert not voter.hear(claim("n2", 2, volume=True), OLD_S + LIGHT_S).granted
    assert voter.hear(claim("n2", 2, volume=True), OLD_S + FULL_S).granted


def test_a_claim_renews_the_lease_too_granted_or_not() -> None:
    voter = acceptor(shop=held("n1"), docs=held("n2"))
    voter.hear(renewal("n1"), OLD_S)
    voter.hear(claim("n1", 2, group="docs"), OLD_S + 2.0)

    assert not voter.hear(claim("n2", 2), OLD_S + 2.0 + LIGHT_S - 0.001).granted


def test_a_shorter_lease_does_not_shorten_what_was_agreed_before() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1", lease=Lease(light_s=7.0, full_s=7.9)), OLD_S)
    voter.hear(renewal("n1", lease=Lease(light_s=1.7, full_s=2.1)), OLD_S + 1.0)

    assert not voter.hear(claim("n2", 2), OLD_S + 6.9).granted
    assert voter.hear(claim("n2", 2), OLD_S + 7.0).granted


def test_a_lease_longer_than_the_wait_after_a_restart_is_refused() -> None:
    voter = acceptor(shop=held("n1"))

    verdict = voter.hear(renewal("n1", lease=Lease(light_s=1.0, full_s=TAKE_MAX_S + 0.1)), OLD_S)

    assert not verdict.renewed
    assert "upgrade this arbiter before the nodes" in verdict.reason
    assert voter.lapsed("n1", OLD_S, volume=True)


def test_the_holder_may_raise_its_own_epoch() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1"), OLD_S)

    assert voter.hear(claim("n1", 2), OLD_S).granted


@pytest.mark.parametrize("epoch", [0, 1, 2])
def test_an_epoch_never_goes_back(epoch: int) -> None:
    voter = acceptor(shop=held("n1", 3))

    assert not voter.hear(claim("n2", epoch), OLD_S).granted
    assert voter.registers["shop"] == held("n1", 3)
    assert not voter.changed


# -- promises -------------------------------------------------------------------------------------


def test_with_the_holders_consent_the_epoch_is_promised_and_the_holder_stays() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1"), OLD_S)

    assert voter.hear(claim("n2", 2, consent_of="n1"), OLD_S).granted
    assert voter.registers["shop"] == held("n1", promised_epoch=2, promised_to="n2")


def test_consent_of_another_than_the_holder_counts_for_nothing() -> None:
    voter = acceptor(shop=held("n3"))
    voter.hear(renewal("n3"), OLD_S)

    verdict = voter.hear(claim("n2", 2, consent_of="n1"), OLD_S)

    assert not verdict.granted
    assert "n3 holds it" in verdict.reason


def test_what_is_promised_to_one_is_not_given_to_another_while_its_lease_runs() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(claim("n2", 2, consent_of="n1"), OLD_S)

    for question in (claim("n3", 2), claim("n3", 3), claim("n3", 3, consent_of="n1")):
        assert not voter.hear(question, OLD_S + LIGHT_S - 0.001).granted
    assert voter.hear(claim("n3", 3), OLD_S + LIGHT_S).granted


def test_after_a_promise_the_group_is_taken_at_a_higher_epoch_only_when_the_holder_is_gone() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1"), OLD_S)
    voter.hear(claim("n2", 2, consent_of="n1"), OLD_S)

    assert not voter.hear(claim("n2", 2), OLD_S + 1.0).granted
    assert voter.hear(claim("n2", 2), OLD_S + LIGHT_S).granted


def test_who_lost_a_promise_is_told_with_its_next_renewal() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(claim("n2", 2, consent_of="n1"), OLD_S)
    own_vote = held("n1", promised_epoch=2, promised_to="n2")
    voter.hear(renewal("n2", version=1, shop=own_vote), OLD_S)
    assert voter.hear(renewal("n2", version=1), OLD_S).registers == {}

    assert voter.hear(claim("n3", 3, consent_of="n1"), OLD_S + LIGHT_S).granted
    verdict = voter.hear(renewal("n2", version=1), OLD_S + LIGHT_S)

    assert verdict.registers == {"shop": held("n1", promised_epoch=3, promised_to="n3")}


def test_a_promise_that_only_others_gave_is_told_as_not_given_here() -> None:
    voter = acceptor(shop=held("n1"))

    verdict = voter.hear(renewal("n2", version=1, shop=held("n1", promised_epoch=2, promised_to="n2")), OLD_S)

    assert verdict.registers == {"shop": held("n1")}


# -- what nodes tell ------------------------------------------------------------------------------


def test_what_a_node_tells_is_learned_when_it_is_later() -> None:
    voter = acceptor(shop=held("n1", 3))

    verdict = voter.hear(renewal("n1", version=5, shop=held("n1", 3, revision=1, out=frozenset({"x"}))), OLD_S)

    assert verdict.version == 5
    assert voter.registers["shop"].out == {"x"}
    assert voter.hear(renewal("n2", version=1, shop=held("n1", 2)), OLD_S).registers == {
        "shop": voter.registers["shop"]
    }


def test_a_planned_move_is_learned_from_whoever_tells_it_first() -> None:
    for teller in ("n1", "n2"):
        voter = acceptor(shop=held("n1"))
        voter.hear(claim("n2", 2, consent_of="n1"), OLD_S)
        voter.hear(renewal(teller, version=1, shop=held("n2", 2)), OLD_S)
        assert voter.registers["shop"] == held("n2", 2)


def test_what_others_tell_takes_no_vote_from_a_holder_whose_lease_runs() -> None:
    """Who told it may know of the group by another grouping; it tells it again until it is settled."""
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1"), OLD_S)

    heard = voter.hear(renewal("n3", version=1, shop=held("n2", 4)), OLD_S + 0.1)

    assert (heard.renewed, heard.version) == (True, 0)
    assert voter.registers == {"shop": held("n1")}
    assert voter.hear(renewal("n3", version=1, shop=held("n2", 4)), OLD_S + FULL_S).version == 1
    assert voter.registers == {"shop": held("n2", 4)}


def test_the_holder_itself_tells_that_it_has_passed_the_group_on() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n2"), OLD_S)

    assert voter.hear(renewal("n1", version=1, shop=held("n2", 2)), OLD_S).version == 1

    assert voter.registers == {"shop": held("n2", 2)}


def test_what_is_promised_to_a_node_is_taken_from_it_by_nobodys_telling() -> None:
    voter = acceptor(shop=Register(epoch=3, revision=1, promised_epoch=4, promised_to="n2"))
    voter.hear(renewal("n2"), OLD_S)

    assert voter.hear(renewal("n3", version=1, shop=held("n1", 5)), OLD_S).version == 0

    assert voter.registers["shop"].promised_to == "n2"


def test_a_renewal_with_a_gap_before_it_teaches_nothing_and_says_from_where_on() -> None:
    voter = acceptor()

    verdict = voter.hear(renewal("n1", since=4, version=5, shop=held("n1")), OLD_S)

    assert verdict.renewed
    assert verdict.version == 0
    assert voter.registers == {}
    assert not voter.changed


def test_renewals_that_come_twice_or_late_teach_nothing_new() -> None:
    voter = acceptor()
    first = renewal("n1", version=1, shop=held("n1", 1))
    second = renewal("n1", since=1, version=2, shop=held("n2", 2))
    voter.hear(first, OLD_S)
    voter.hear(second, OLD_S)
    voter.changed = False

    for question in (first, second, first):
        assert voter.hear(question, OLD_S).version == 2
    assert voter.registers == {"shop": held("n2", 2)}
    assert not voter.changed


def test_a_renewal_that_changes_nothing_needs_no_write() -> None:
    voter = acceptor(shop=held("n1"))

    voter.hear(renewal("n1", version=1, shop=held("n1")), OLD_S)
    voter.hear(renewal("n1", since=1, version=1), OLD_S)

    assert not voter.changed


def test_a_group_that_another_took_is_told_to_who_held_it() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1", version=1, shop=held("n1")), OLD_S)
    voter.hear(claim("n2", 2), OLD_S + LIGHT_S)

    taken = held("n2", 2, former="n1")
    assert voter.hear(renewal("n1", version=1), OLD_S + LIGHT_S).registers == {"shop": taken}
    # Once it has told that it knows, it is left in peace.
    voter.hear(renewal("n1", since=1, version=2, shop=taken), OLD_S + LIGHT_S)
    assert voter.hear(renewal("n1", version=2), OLD_S + LIGHT_S).registers == {}


def test_who_had_a_group_before_a_claim_that_came_to_nothing_is_waited_for() -> None:
    """The claimant's own vote may have failed because it heard the holder, which serves by the votes of its peers."""
    voter = acceptor(shop=held("n1"))
    voter.hear(claim("n2", 2), OLD_S + FULL_S)
    voter.hear(renewal("n1", version=1, shop=held("n1")), OLD_S + FULL_S)
    gave_up = held("n1", promised_epoch=2)
    voter.hear(renewal("n2", version=1, shop=gave_up), OLD_S + FULL_S)
    assert voter.registers["shop"] == held("n2", 2, holder=None, revision=1, former="n1")

    verdict = voter.hear(claim("n3", 3), OLD_S + FULL_S)
    assert verdict.reason == "n1 may hold it still, for a claim came to nothing, and its lease runs"
    assert voter.hear(claim("n1", 3), OLD_S + FULL_S).granted


def test_whoever_has_voted_itself_leaves_nobody_behind() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(claim("n2", 2), OLD_S + FULL_S)
    voter.hear(renewal("n2", version=1, shop=held("n2", 2, revision=1)), OLD_S + FULL_S)
    voter.hear(renewal("n2", since=1, version=2, shop=release(held("n2", 2, revision=1))), OLD_S + FULL_S)
    voter.hear(renewal("n1", version=1, shop=held("n1")), OLD_S + FULL_S)
    assert voter.hear(claim("n3", 3), OLD_S + FULL_S).granted


# -- abandoned epochs -----------------------------------------------------------------------------


def test_what_a_node_abandons_is_free_at_once() -> None:
    voter = acceptor(shop=held("n1"))
    assert voter.hear(claim("n2", 2), OLD_S).granted
    voter.hear(renewal("n2", version=1, shop=held("n1", promised_epoch=2)), OLD_S)

    assert voter.registers["shop"].holder is None
    assert voter.hear(claim("n1", 3), OLD_S).granted


def test_a_promise_that_is_abandoned_is_nobodys() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1"), OLD_S)
    voter.hear(claim("n2", 2, consent_of="n1"), OLD_S)
    voter.hear(renewal("n2", version=1, shop=held("n1", promised_epoch=2)), OLD_S)

    assert voter.hear(claim("n3", 3, consent_of="n1"), OLD_S).granted


def test_a_claim_that_was_overtaken_by_its_abandonment_comes_to_nothing() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n2", version=1, shop=held("n1", promised_epoch=2)), OLD_S)

    verdict = voter.hear(claim("n2", 2), OLD_S)

    assert not verdict.granted
    assert "n2 has abandoned epoch 2 since" in verdict.reason
    assert voter.registers["shop"].holder == "n1"


# -- repeated and late claims ---------------------------------------------------------------------


def test_a_claim_that_comes_twice_has_the_same_answer() -> None:
    voter = acceptor(shop=held("n1"))
    first = voter.hear(claim("n2", 2), OLD_S)
    voter.changed = False

    assert voter.hear(claim("n2", 2), OLD_S) == first
    assert not voter.changed

    promised = voter.hear(claim("n1", 3, consent_of="n2"), OLD_S)
    voter.changed = False
    assert voter.hear(claim("n1", 3, consent_of="n2"), OLD_S) == promised
    assert not voter.changed


def test_a_claim_that_comes_after_another_took_the_group_is_refused() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(claim("n2", 2), OLD_S)
    voter.hear(claim("n3", 3), OLD_S + LIGHT_S)

    verdict = voter.hear(claim("n2", 2), OLD_S + LIGHT_S)

    assert not verdict.granted
    assert verdict.registers == {"shop": held("n3", 3, former="n2")}


# -- runs of a node -------------------------------------------------------------------------------


def test_an_earlier_run_of_a_node_is_not_heard() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1", incarnation=5), OLD_S)

    for question in (renewal("n1", incarnation=4, version=9, shop=held("n1", 9)), claim("n1", 9, incarnation=4)):
        verdict = voter.hear(question, OLD_S + 1.0)
        assert not verdict.renewed
        assert "started again since" in verdict.reason
    assert voter.registers["shop"] == held("n1")
    assert voter.lapsed("n1", OLD_S + LIGHT_S, volume=False)


def test_a_new_run_has_told_nothing_and_keeps_the_lease_of_the_last() -> None:
    voter = acceptor(shop=held("n1"))
    voter.hear(renewal("n1", version=7, lease=Lease(light_s=7.0, full_s=7.9)), OLD_S)

    verdict = voter.hear(renewal("n1", since=7, version=8, incarnation=2, lease=Lease(light_s=1.0, full_s=1.0)), OLD_S)

    assert verdict.version == 0
    assert not voter.lapsed("n1", OLD_S + 6.9, volume=False)


# -- a restart of the voter -----------------------------------------------------------------------


def test_after_a_restart_every_lease_runs_for_the_longest_time_there_is() -> None:
    voter = Acceptor(registers={"shop": held("n1")}, now_s=OLD_S)

    assert not voter.hear(claim("n2", 2), OLD_S + TAKE_MAX_S - 0.001).granted
    assert voter.hear(claim("n2", 2), OLD_S + TAKE_MAX_S).granted


def test_after_a_restart_a_renewal_does_not_shorten_the_wait() -> None:
    voter = Acceptor(registers={"shop": held("n1")}, now_s=OLD_S)
    voter.hear(renewal("n1", lease=Lease(light_s=1.0, full_s=1.0)), OLD_S)

    assert not voter.hear(claim("n2", 2), OLD_S + TAKE_MAX_S - 0.001).granted


def test_promises_outlive_a_restart() -> None:
    before = acceptor(shop=held("n1"))
    before.hear(claim("n2", 2, consent_of="n1"), OLD_S)
    voter = Acceptor(registers=before.registers, now_s=OLD_S)

    assert not voter.hear(claim("n3", 2, consent_of="n1"), OLD_S).granted
    assert voter.hear(claim("n2", 2, consent_of="n1"), OLD_S).granted


@pytest.mark.parametrize("consent_of", [None, "n1"])
def test_who_has_just_started_gives_no_vote_for_a_group_that_it_does_not_know(consent_of: str | None) -> None:
    voter = Acceptor(registers={}, now_s=OLD_S)

    verdict = voter.hear(claim("n2", 2, consent_of), OLD_S + TAKE_MAX_S - 0.001)

    assert not verdict.granted
    assert verdict.renewed
    assert "does not know shop" in verdict.reason
    assert voter.hear(claim("n2", 2, consent_of), OLD_S + TAKE_MAX_S).granted


def test_what_it_does_not_know_it_learns_meanwhile_from_the_holder() -> None:
    voter = Acceptor(registers={}, now_s=OLD_S)
    voter.hear(renewal("n1", version=1, shop=held("n1", 5)), OLD_S + 7.0)

    verdict = voter.hear(claim("n2", 6), OLD_S + TAKE_MAX_S)

    assert not verdict.granted
    assert "n1 holds it at epoch 5" in verdict.reason


# -- everything at once ---------------------------------------------------------------------------


@st.composite
def questions(draw: st.DrawFn) -> Question:
    node = draw(st.sampled_from(NODES))
    if draw(st.booleans()):
        return renewal(node)
    return claim(node, draw(st.integers(0, 8)), consent_of=draw(st.sampled_from([None, *NODES])))


@settings(max_examples=300)
@given(st.lists(st.tuples(questions(), st.floats(0.0, 2.0)), max_size=30), st.data())
def test_two_nodes_never_have_the_vote_for_a_group_at_once(
    heard: list[tuple[Question, float]], data: st.DataObject
) -> None:
    """Whatever is asked, and whenever the voter restarts: what is taken is nobody's who could still use it."""
    voter, now_s = acceptor(shop=held("n1")), OLD_S
    used_until = dict.fromkeys(NODES, 0.0)
    holder, epoch = "n1", 1
    for question, pause_s in heard:
        now_s += pause_s
        verdict = voter.hear(question, now_s)
        if verdict.renewed:
            used_until[question.node] = now_s + LIGHT_S
        register = voter.registers["shop"]
        assert register.epoch >= epoch
        if register.holder != holder and holder is not None:
            assert now_s >= used_until[holder], f"{register.holder} took it while {holder} could still serve"
        holder, epoch = register.holder or holder, register.epoch
        if data.draw(st.booleans()):
            voter = Acceptor(registers=voter.registers, now_s=now_s)


def test_the_order_of_copies_does_not_matter_for_what_is_known_in_the_end() -> None:
    told = [
        renewal("n1", version=1, shop=held("n1", 3)),
        renewal("n2", version=1, shop=held("n2", 5)),
        renewal("n3", version=1, shop=held("n1", 4)),
    ]
    later = renewal("n1", version=2, shop=held("n2", 5))
    for order in itertools.permutations([*told, told[0]]):
        voter = acceptor()
        answers: list[Verdict] = [voter.hear(question, OLD_S) for question in (*order, later)]
        assert voter.registers == {"shop": held("n2", 5)}
        assert all(answer.renewed for answer in answers)
