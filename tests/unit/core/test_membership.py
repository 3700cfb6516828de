# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From heartbeats to alive, suspect and dead; what is not to be believed is refused and counted."""

from __future__ import annotations

import pytest

from holdfast.core.cluster.membership import Membership
from holdfast.core.values.messages import Envelope, Heartbeat, Look, Message
from holdfast.core.values.profiles import TIMERS

NORMAL = TIMERS["normal"]


def _membership() -> Membership:
    known = Membership(peers={"n2": ["a", "b"]}, timers=NORMAL)
    for path in ("a", "b"):
        known.connected("n2", path, up=True)
    return known


def _beat(count: int = 1, **given: object) -> Heartbeat:
    fields: dict[str, object] = {"config_digest": "d", "version": "1", "groups": {}, **given}
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
    assert known.peers["n2"].refused == 0


@pytest.mark.parametrize(
    "envelope",
    [_from(_beat(), incarnation=4, seq=9), _from(_beat(), sender="n3", seq=9)],
    ids=["of a monitor that is gone", "in another node's name"],
)
def test_what_is_not_to_be_believed_is_refused_and_counted(envelope: Envelope) -> None:
    known = _membership()
    known.accept("n2", "a", _from(_beat()), 10.0)
    assert not known.accept("n2", "a", envelope, 10.1)
    assert known.peers["n2"].refused == 1


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
    known.accept("n2", "a", _from(_beat(echo_seq=41, held_s=0.2)), 10.25)
    rtt_s = known.peers["n2"].paths["a"].rtt_s
    assert rtt_s is not None
    assert rtt_s == pytest.approx(0.05)


def test_a_node_that_is_no_peer_is_not_listened_to() -> None:
    assert not _membership().accept("n9", "a", _from(_beat(), sender="n9"), 10.0)
