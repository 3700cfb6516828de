# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a node tells of many groups: each change once, and again only when it should have arrived long ago."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest

from holdfast.core.node.machine import Machine
from holdfast.core.values.events import Action, Consult, PathUp, Received, Send, TimePassed
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Envelope, Heartbeat, News
from holdfast.core.values.model import Cluster, CommPath, Config, Ip, Witness

COUNT = 200
PATH = CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"})
WITNESS = Witness(name="w1", addresses={"path-a": "10.77.1.21"}, port=7431)
CLUSTER = Cluster(name="web", arbiter=WITNESS, profile="normal", comm_port=7430, comm_paths=(PATH,))
CARDS = {"n1": "LAN", "n2": "LAN"}
IPS = tuple(
    Ip(tag=f"ip-{n}", address=f"10.78.0.{n}", prefix_length=16, interfaces=CARDS, priorities={"n1": 1, "n2": 2})
    for n in range(COUNT)
)
CONFIG = Config(cluster=CLUSTER, ips=IPS)


@pytest.fixture
def n1() -> Machine:
    """A node with many groups whose peer has heard of it, and of none of them."""
    machine = Machine(
        node="n1", boot_id="b1", incarnation=1, config=CONFIG, registers={}, recorded_boot_id=None, now_s=0.0
    )
    machine.handle(TimePassed(), 0.0)
    machine.handle(PathUp(peer="n2", path="path-a"), 0.0)
    machine.handle(Received(peer="n2", path="path-a", envelope=beat(1, has=0)), 0.0)
    return machine


def beat(seq: int, has: int) -> Envelope:
    heartbeat = Heartbeat(
        count=seq, config_digest=CONFIG.digest, ground=CONFIG.ground, arbiter="witness w1", version="1",
        lease=Lease(light_s=2.9, full_s=3.6), news=0, has=has, echo_seq=None, held_s=0.0, hears=1,
    )  # fmt: skip
    return Envelope(sender="n2", boot_id="b2", incarnation=1, seq=seq, message=heartbeat)


def news_in(actions: Sequence[Action]) -> list[News]:
    return [a.message for a in actions if isinstance(a, Send) and isinstance(a.message, News)]


def change(machine: Machine, number: int, now_s: float) -> list[Action]:
    """One more group is another than before."""
    g = machine.groups[f"ip-{number}"]
    g.become("failed", "a test")
    machine.telling.changed(g)
    return machine.handle(TimePassed(), now_s)


def test_two_hundred_changes_are_told_once_each_while_no_answer_can_be_there(n1: Machine) -> None:
    told = [news for number in range(COUNT) for news in news_in(change(n1, number, 0.001 * number))]
    assert sum(len(news.groups) for news in told) <= COUNT + 1
    assert all(later.since == earlier.number for earlier, later in pairwise(told))


def test_what_the_peer_does_not_have_after_two_heartbeats_is_told_again_from_where_it_is(n1: Machine) -> None:
    for number in range(5):
        change(n1, number, 0.001 * number)
    (again,) = news_in(n1.handle(TimePassed(), 0.6))
    assert again.since == 0
    assert len(again.groups) == COUNT
    has = again.number
    n1.handle(Received(peer="n2", path="path-a", envelope=beat(2, has=has)), 0.7)
    assert news_in(n1.handle(TimePassed(), 1.4)) == []


def test_while_a_renewal_is_on_its_way_changes_set_off_no_other(n1: Machine) -> None:
    asked = []
    for number in range(50):
        g = n1.groups[f"ip-{number}"]
        g.told = None
        asked += [a for a in change(n1, number, 0.001 * number) if isinstance(a, Consult)]
    assert len(asked) <= 1
