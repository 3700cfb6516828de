# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Until when a node may serve: only votes that are in count, each from when it was asked for."""

from __future__ import annotations

import pytest

from holdfast.core.cluster.peer import NEVER_S, Peer
from holdfast.core.cluster.permits import Backing, OwnLease, by_arbiter_s, by_peers_s
from holdfast.core.values.arbitration import Claim, Renewal, Verdict
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import GroupReport, Register

LEASE = Lease(light_s=2.9, full_s=3.6)
MINE = Register(epoch=4, holder="n1", promised_epoch=4)
FOR_ME = Register(epoch=3, holder="n2", promised_epoch=4, promised_to="n1")


def _renewal(version: int) -> Renewal:
    return Renewal(node="n1", incarnation=1, lease=LEASE, since=0, version=version, registers={})


def _claim(epoch: int) -> Claim:
    return Claim(node="n1", incarnation=1, lease=LEASE, group="shop", epoch=epoch, volume=True)


def _lease(*renewals: tuple[float, int]) -> OwnLease:
    """Renewals that were sent at these times and acknowledged with these versions."""
    own = OwnLease()
    for number, (sent_s, version) in enumerate(renewals):
        own.ask(number, _renewal(version), sent_s)
        own.judged(number, Verdict(version=version), "", sent_s + 0.5)
    return own


def _peer(register: Register, *, told: int = 7, acked_s: float = 10.0, ground: str = "g", name: str = "n2") -> Peer:
    report = GroupReport(register=register, activity="down", reason="", resources={})
    return Peer(name=name, paths={}, ground=ground, told=told, acked_s=acked_s, groups={"shop": report})


def _by_peers(backing: Backing, *peers: Peer) -> float:
    return by_peers_s(backing, group="shop", epoch=4, node="n1", peers=peers, ground="g")


# -- the arbiter ------------------------------------------------------------------------------------------


def test_a_renewal_counts_from_when_it_was_sent() -> None:
    assert by_arbiter_s(Backing(version=7), epoch=4, own=_lease((10.0, 7))) == 10.0


def test_an_old_answer_that_comes_late_takes_nothing_back() -> None:
    own = OwnLease()
    own.ask(1, _renewal(7), 10.0)
    own.ask(2, _renewal(7), 10.4)
    own.judged(2, Verdict(version=7), "", 10.5)
    own.judged(1, Verdict(version=6), "", 10.9)
    assert (own.renewed_s, own.version) == (10.4, 7)


def test_an_answer_counts_once() -> None:
    own = _lease((10.0, 7))
    assert own.judged(0, Verdict(version=7), "", 99.0) is None
    assert own.renewed_s == 10.0


def test_a_vote_that_was_not_given_is_none() -> None:
    own = OwnLease()
    own.ask(1, _renewal(7), 10.0)
    own.judged(1, Verdict(renewed=False, granted=False, reason="another witness"), "", 10.1)
    own.ask(2, _renewal(7), 10.4)
    own.judged(2, None, "no line to the witness", 10.5)
    assert own.renewed_s == NEVER_S
    assert own.reason == "no line to the witness"
    assert not own.answers(10.5, 1.0)


@pytest.mark.parametrize(
    ("backing", "why"),
    [
        (Backing(version=8), "the arbiter has not heard of the register as it is now"),
        (Backing(version=7, lost=True), "what the arbiter has contradicts it"),
        (Backing(version=0), "the register was not told to anybody yet"),
    ],
)
def test_a_renewal_is_no_vote_for_a_group_when(backing: Backing, why: str) -> None:
    assert by_arbiter_s(backing, epoch=4, own=_lease((10.0, 7))) == NEVER_S, why


def test_a_claim_that_was_granted_is_a_vote_for_its_epoch_only() -> None:
    backing = Backing(claimed=(4, 12.0))
    assert by_arbiter_s(backing, epoch=4, own=OwnLease()) == 12.0
    assert by_arbiter_s(backing, epoch=5, own=OwnLease()) == NEVER_S


def test_a_claim_renews_nothing_else() -> None:
    own = _lease((10.0, 7))
    own.ask(9, _claim(5), 11.0)
    own.judged(9, Verdict(), "", 11.1)
    assert own.renewed_s == 10.0


# -- the peers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("register", [MINE, FOR_ME], ids=["as holder", "as the next one"])
def test_a_peer_votes_when_its_own_register_has_us(register: Register) -> None:
    assert _by_peers(Backing(version=7), _peer(register)) == 10.0


@pytest.mark.parametrize(
    ("peer", "why"),
    [
        (_peer(Register(epoch=5, holder="n2", promised_epoch=5)), "it knows of a later epoch"),
        (_peer(Register(epoch=3, holder="n2", promised_epoch=5, promised_to="n3")), "it promised another one"),
        (_peer(Register(epoch=4, holder=None, revision=1)), "it knows that the group was released"),
        (_peer(MINE, told=6), "it had not heard of our register yet"),
        (_peer(MINE, ground="another"), "it votes about other groups"),
        (Peer(name="n2", paths={}, ground="g", told=7, acked_s=10.0), "it has not reported the group"),
    ],
)
def test_an_echo_is_no_vote_when(peer: Peer, why: str) -> None:
    assert _by_peers(Backing(version=7), peer) == NEVER_S, why


def test_every_peer_has_to_vote_and_the_oldest_vote_counts() -> None:
    peers = (_peer(MINE, acked_s=10.0), _peer(MINE, acked_s=9.4, name="n3"))
    assert _by_peers(Backing(version=7), *peers) == 9.4
    assert _by_peers(Backing(version=7), *peers, _peer(MINE, told=0, name="n4")) == NEVER_S


def test_a_promise_counts_from_what_had_been_echoed_when_it_was_given() -> None:
    backing = Backing(version=9, promised={"n2": (4, 8.0)})
    assert _by_peers(backing, _peer(FOR_ME, acked_s=10.0)) == 8.0


def test_without_peers_nobody_has_voted() -> None:
    """Else a cluster of one node would serve whatever the arbiter says."""
    assert _by_peers(Backing(version=7)) == NEVER_S


def test_what_is_dropped_gives_no_permit_any_more() -> None:
    backing = Backing(claimed=(4, 12.0), promised={"n2": (4, 8.0)}, version=7, until_s=14.0)
    backing.drop()
    assert backing.until_s == NEVER_S
    assert by_arbiter_s(backing, epoch=4, own=OwnLease()) == NEVER_S
    assert _by_peers(backing, _peer(FOR_ME, told=0)) == NEVER_S
