# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The laws of the register: an epoch never goes back, and a promise is kept or outranked, never forgotten."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.cluster.ownership import (
    adopt,
    change_out,
    combine,
    give_up,
    keep,
    learn,
    next_epoch,
    pass_on,
    promise,
    promised_away,
    refusal,
    suspend,
    take,
    vouched_epoch,
)
from holdfast.core.values.messages import Register

NODES = ("n1", "n2", "n3")


@st.composite
def registers(draw: st.DrawFn) -> Register:
    epoch = draw(st.integers(0, 9))
    promised = draw(st.integers(epoch, 12))
    return Register(
        epoch=epoch,
        revision=draw(st.integers(0, 3)),
        holder=draw(st.sampled_from((*NODES, None))),
        promised_epoch=promised,
        promised_to=draw(st.sampled_from(NODES)) if promised > epoch else None,
        out=draw(st.frozensets(st.sampled_from(("shop", "docs")))),
    )


@given(registers(), registers())
def test_adopting_never_goes_back_and_gives_the_later_of_the_two(mine: Register, theirs: Register) -> None:
    after = adopt(mine, theirs)
    assert (after.epoch, after.revision) == max((mine.epoch, mine.revision), (theirs.epoch, theirs.revision))
    assert after.promised_epoch >= after.epoch


@given(registers(), registers())
def test_a_promise_above_the_adopted_epoch_is_kept(mine: Register, theirs: Register) -> None:
    after = adopt(mine, theirs)
    if mine.promised_epoch > after.epoch:
        assert (after.promised_epoch, after.promised_to) == (mine.promised_epoch, mine.promised_to)


@given(registers(), st.integers(0, 14), st.sampled_from(NODES))
def test_what_is_promised_is_above_all_that_was_and_to_one_node_only(
    register: Register, epoch: int, candidate: str
) -> None:
    if refusal(register, epoch=epoch, candidate=candidate):
        return
    after = promise(register, epoch=epoch, candidate=candidate)
    assert epoch > register.epoch
    assert epoch >= register.promised_epoch
    assert not refusal(after, epoch=epoch, candidate=candidate), "asked again, the same node gets the same answer"
    for other in NODES:
        if other != candidate:
            assert refusal(after, epoch=epoch, candidate=other)


@given(st.lists(registers(), min_size=1), st.integers(0, 4))
def test_new_epochs_are_above_all_that_were_held_or_promised(known: list[Register], rank: int) -> None:
    highest = max(max(r.epoch, r.promised_epoch) for r in known)
    assert next_epoch(known) == highest + 1
    assert vouched_epoch(known, rank=rank) > highest


def test_two_nodes_that_were_vouched_for_at_once_do_not_meet() -> None:
    register = Register(epoch=7, holder="n3")
    assert vouched_epoch([register], rank=0) != vouched_epoch([register], rank=1)


def test_a_move_step_by_step() -> None:
    """Promise, confirmed stop, taking: one epoch further, and what was out of service stays so."""
    held = Register(epoch=4, holder="n1", promised_epoch=4, out=frozenset({"docs"}))
    promised = promise(held, epoch=5, candidate="n2")
    assert promised_away(promised, "n1")
    passed = pass_on(promised)
    assert (passed.epoch, passed.holder, passed.out) == (5, "n2", frozenset({"docs"}))
    assert take(epoch=5, node="n2", out=passed.out, revision=0) == passed


def test_a_hand_over_that_could_not_be_done_leaves_no_grant_that_counts() -> None:
    promised = promise(Register(epoch=4, holder="n1", promised_epoch=4), epoch=5, candidate="n2")
    kept = keep(promised, "n1")
    assert (kept.epoch, kept.holder) == (5, "n1")
    assert refusal(kept, epoch=5, candidate="n2") == "epoch 5 is over: the group is at epoch 5, held by n1"


def test_giving_up_and_taking_out_are_later_than_what_was() -> None:
    held = Register(epoch=4, holder="n1", promised_epoch=4)
    changed = change_out(held, frozenset({"docs"}))
    free = give_up(epoch=5, out=frozenset({"docs", "shop"}))
    assert adopt(held, changed) == changed
    assert adopt(changed, free) == free
    assert free.holder is None


@pytest.mark.parametrize(
    ("epoch", "candidate", "said"),
    [
        (4, "n2", "epoch 4 is over: the group is at epoch 4, held by n1"),
        (5, "n2", "epoch 6 is promised to n3 already"),
        (6, "n2", "epoch 6 is promised to n3 already"),
        (6, "n3", ""),
        (7, "n2", ""),
    ],
)
def test_refusals_say_why(epoch: int, candidate: str, said: str) -> None:
    register = Register(epoch=4, holder="n1", promised_epoch=6, promised_to="n3")
    assert refusal(register, epoch=epoch, candidate=candidate) == said


def test_a_group_is_where_its_placed_members_are_and_new_ones_follow() -> None:
    held = Register(epoch=3, holder="n1", promised_epoch=3)
    register, conflict = combine({"ip": held, "vol": held, "shop": Register()}, ("vol", "ip", "shop"))
    assert (register, conflict) == (held, "")


def test_members_with_different_holders_are_a_conflict() -> None:
    known = {"ip": Register(epoch=3, holder="n1", promised_epoch=3), "vol": Register(epoch=5, holder="n2")}
    register, conflict = combine(known, ("ip", "vol"))
    assert conflict == "its resources are held by n1 and n2"
    assert register.epoch == 5


def test_a_rebooted_holder_that_waits_has_no_claim_against_the_node_that_serves() -> None:
    serving = Register(epoch=4, holder="n2", promised_epoch=4)
    waiting = suspend(Register(epoch=9, holder="n1", promised_epoch=9))
    after = learn(serving, waiting, node="n2", peer="n1")
    assert (after.epoch, after.holder) == (10, "n2")
    assert learn(serving, replace(waiting, suspended=False), node="n2", peer="n1").holder == "n1"


def test_a_node_that_has_forgotten_everything_waits_before_it_serves_what_others_say_it_holds() -> None:
    """An emptied disk is worse than a reboot: it knows neither what it promised nor what was taken from it since."""
    theirs = take(epoch=7, node="n2", out=frozenset({"docs"}))

    assert learn(Register(), theirs, node="n2", peer="n1") == suspend(theirs)
    assert learn(Register(), theirs, node="n1", peer="n2") == theirs, "what others hold it may know at once"
    promised = promise(Register(), epoch=7, candidate="n2")
    assert not learn(promised, theirs, node="n2", peer="n1").suspended, "it asked for it itself"
    assert learn(Register(), theirs, node="n2", peer="n1", votes=True).holder is None, "it has to claim it"
