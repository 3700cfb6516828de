# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From heartbeats to alive, suspect and dead; what is not to be believed is refused and counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from holdfast.core.cluster.membership import Membership
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Envelope, GroupReport, Heartbeat, Look, Message, News, Register
from holdfast.core.values.profiles import TAKE_MAX_S, TIMERS

NORMAL = TIMERS["normal"]


def _membership() -> Membership:
    known = Membership(peers={"n2": ["a", "b"]}, timers=NORMAL, incarnation=3)
    for path in ("a", "b"):
        known.connected("n2", path, up=True)
    return known


def _beat(count: int = 1, **given: object) -> Heartbeat:
    told = {"config_digest": "d", "ground": "g", "arbiter": "manual", "version": "1"}
    fields: dict[str, object] = {**told, "lease": NORMAL.lease, "news": 0, "has": 0, **given}
    return Heartbeat(count=count, **fields)  # type: ignore[arg-type]  # the fields are those of the class


def _from(message: Message, *, seq: int = 1, incarnation: int = 5, sender: str = "n2") -> Envelope:
    return Envelope(sender=sender, boot_id="b", incarnation=incarnation, seq=seq, message=message)


def test_a_node_that_was_never_heard_is_unknown() -> None:
    assert _membership().state("n2", 10.0) == "unknown"


@pytest.mark.parametrize(
    ("silence_s", "state"),
    [(0.0, "alive"), (0.99, "alive"), (1.0, "suspect"), (3.99, "suspect"), (4.0, "dead")],
)
def test_silence_on_all_paths_makes_a_node_suspect_and_then_dead(silence_s: float, state: str) -> None:
    known = _membership()
    known.accept("n2", "a", _from(_beat()), 10.0)
    assert known.state("n2", 10.0 + silence_s) == state


def test_one_path_is_enough_to_be_alive() -> None:
    known = _membership()
    known.accept("n2", "a", _from(_beat(), seq=1), 10.0)
    known.connected("n2", "b", up=False, reason="unplugged")
    assert known.alive("n2", 10.5)


def test_without_any_connection_a_node_is_suspect_at_once() -> None:
    known = _membership()
    known.accept("n2", "a", _from(_beat()), 10.0)
    for path in ("a", "b"):
        known.connected("n2", path, up=False, reason="closed")
    assert known.state("n2", 10.01) == "suspect"


def test_the_copy_that_came_over_the_other_path_is_dropped() -> None:
    known = _membership()
    question = _from(Look(request="r", group="shop"), seq=7)
    assert known.accept("n2", "a", question, 10.0)
    assert not known.accept("n2", "b", question, 10.1)
    assert known.peers["n2"].refused.total() == 0


@pytest.mark.parametrize(
    ("envelope", "kind"),
    [
        (_from(_beat(), incarnation=4, seq=9), "stale"),
        (_from(_beat(), sender="n3", seq=9), "foreign"),
        (_from(_beat()), "replayed"),
    ],
    ids=["of a monitor that is gone", "in another node's name", "heard before on this path"],
)
def test_what_is_not_to_be_believed_is_refused_and_counted(envelope: Envelope, kind: str) -> None:
    known = _membership()
    known.accept("n2", "a", _from(_beat()), 10.0)
    assert not known.accept("n2", "a", envelope, 10.1)
    assert known.peers["n2"].refused == {kind: 1}


def test_the_same_heartbeat_on_another_path_is_none_that_was_heard_before() -> None:
    known = _membership()
    assert known.accept("n2", "a", _from(_beat()), 10.0)
    assert known.accept("n2", "b", _from(_beat()), 10.0)
    assert not known.peers["n2"].refused


def test_a_machine_that_goes_on_under_the_name_of_one_started_later_is_a_clone() -> None:
    """Two boot ids by turns: the later run counts, the other is refused, counted and shown."""
    known = _membership()
    known.accept("n2", "a", _from(_beat()), 10.0)
    copy = replace(_from(_beat(), incarnation=9), boot_id="of the copy")
    for second in range(6):
        assert known.accept("n2", "a", replace(copy, seq=100 + second), 11.0 + second)
        assert not known.accept("n2", "b", _from(_beat(), seq=200 + second), 11.5 + second)
    peer = known.peers["n2"]
    assert peer.boot_id == "of the copy"
    assert peer.refused == {"stale": 3, "cloned": 3}
    assert peer.has_clone(20.0)
    assert not peer.has_clone(120.0)


def test_a_restarted_peer_starts_without_the_reports_of_before() -> None:
    known = _membership()
    known.accept("n2", "a", _from(_beat(config_digest="old"), seq=500), 10.0)
    known.accept("n2", "a", _from(Look(request="r", group="shop"), seq=1, incarnation=6), 10.1)
    assert known.peers["n2"].groups == {}
    assert known.peers["n2"].newest_seq == -1


def test_gaps_in_the_count_are_losses() -> None:
    known = _membership()
    for seq, count in enumerate((1, 2, 4, 5), start=1):
        known.accept("n2", "a", _from(_beat(count), seq=seq), 10.0)
    assert known.peers["n2"].paths["a"].loss_percent() == 20.0


def test_heartbeats_out_of_order_are_no_losses() -> None:
    known = _membership()
    for seq, count in enumerate((2, 1, 3), start=1):
        known.accept("n2", "a", _from(_beat(count), seq=seq), 10.0)
    assert known.peers["n2"].paths["a"].loss_percent() == 0.0


def test_the_round_trip_is_measured_without_the_time_the_peer_held_the_echo() -> None:
    known = _membership()
    known.beat("n2", "a", 41, 10.0)
    known.accept("n2", "a", _from(_beat(echo_seq=41, held_s=0.2, hears=3)), 10.25)
    rtt_s = known.peers["n2"].paths["a"].rtt_s
    assert rtt_s is not None
    assert rtt_s == pytest.approx(0.05)


def test_the_jitter_of_a_path_is_how_much_its_round_trip_varies() -> None:
    known = _membership()
    path = known.peers["n2"].paths["a"]
    for rtt_s in (0.010, 0.010, 0.010):
        path.tripped(rtt_s)
    assert path.jitter_s == 0.0
    for number in range(200):
        path.tripped(0.010 if number % 2 else 0.030)
    assert path.jitter_s == pytest.approx(0.020, rel=0.01)


def _news(number: int, since: int, *groups: str, ground: str = "g") -> News:
    report = GroupReport(register=Register(epoch=number, holder="n2"), activity="up", reason="", resources={})
    return News(number=number, since=since, ground=ground, groups=dict.fromkeys(groups, report))


def _told(known: Membership, news: News, seq: int) -> list[str]:
    envelope = _from(news, seq=seq)
    known.accept("n2", "a", envelope, 10.0)
    return known.news("n2", envelope, news)


def test_news_are_put_together_from_what_changed() -> None:
    known = _membership()
    assert _told(known, _news(2, 0, "docs", "shop"), seq=1) == ["docs", "shop"]
    assert _told(known, _news(3, 2, "shop"), seq=2) == ["shop"]
    assert {name: report.register.epoch for name, report in known.peers["n2"].groups.items()} == {"docs": 2, "shop": 3}


@pytest.mark.parametrize(
    "news",
    [_news(2, 0, "shop"), _news(5, 3, "shop"), _news(5, 2, "shop", ground="another")],
    ids=["old", "with a gap before it", "about other groups than before, but not all of them"],
)
def test_news_that_do_not_follow_what_is_known_change_nothing(news: News) -> None:
    known = _membership()
    _told(known, _news(2, 0, "docs", "shop"), seq=5)
    assert _told(known, news, seq=4) == []
    assert known.peers["n2"].got == 2


def test_reports_about_other_groups_are_forgotten_when_the_ground_changes() -> None:
    known = _membership()
    _told(known, _news(2, 0, "shop"), seq=1)
    known.accept("n2", "a", _from(_beat(ground="another"), seq=2), 10.0)
    assert known.peers["n2"].groups == {}
    assert known.peers["n2"].got == 0


def test_an_echo_is_a_vote_from_when_its_heartbeat_was_sent() -> None:
    known = _membership()
    known.beat("n2", "a", 41, 10.0)
    known.accept("n2", "a", _from(_beat(echo_seq=41, held_s=0.2, hears=3)), 10.25)
    assert known.peers["n2"].acked_s == 10.0


@pytest.mark.parametrize("hears", [0, 2], ids=["nothing of us", "a monitor of ours that is gone"])
def test_an_echo_of_what_another_run_of_this_monitor_sent_is_no_vote(hears: int) -> None:
    known = _membership()
    known.beat("n2", "a", 41, 10.0)
    known.accept("n2", "a", _from(_beat(echo_seq=41, hears=hears)), 10.25)
    assert known.peers["n2"].acked_s == float("-inf")


def test_an_echo_counts_only_once_we_have_all_that_the_peer_knew_then() -> None:
    """Its register may speak against us in News that are still on their way."""
    known = _membership()
    known.beat("n2", "a", 41, 10.0)
    known.accept("n2", "a", _from(_beat(echo_seq=41, hears=3, news=2, has=7)), 10.1)
    peer = known.peers["n2"]
    assert (peer.acked_s, peer.told) == (float("-inf"), 0)
    _told(known, _news(2, 0, "shop"), seq=2)
    assert (peer.acked_s, peer.told) == (10.0, 7)


def test_a_peers_votes_are_exclusive_for_the_time_that_it_announced() -> None:
    known = _membership()
    known.accept("n2", "a", _from(_beat(lease=Lease(light_s=7.0, full_s=7.9))), 10.0)
    known.accept("n2", "a", _from(_beat(lease=Lease(light_s=1.7, full_s=2.1)), seq=2), 11.0)
    assert known.lease_s("n2", volume=True) == pytest.approx(17.9)
    assert known.lease_s("n2", volume=False) == pytest.approx(17.0)


def test_what_a_peer_was_promised_before_we_started_is_waited_for() -> None:
    assert Membership(peers={"n2": ["a"]}, timers=NORMAL, now_s=5.0).lease_s("n2", volume=False) == 5.0 + TAKE_MAX_S


def test_a_node_that_is_no_peer_is_not_listened_to() -> None:
    assert not _membership().accept("n9", "a", _from(_beat(), sender="n9"), 10.0)
