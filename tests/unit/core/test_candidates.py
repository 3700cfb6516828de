# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which node should have a group next."""

from __future__ import annotations

from holdfast.core.cluster.candidates import TURN_S, Obstacle, best, candidates, turn_s
from holdfast.core.values.graph import Group
from holdfast.core.values.model import Ip

ORDER = {"n1": 2, "n2": 1, "n3": 3, "n4": 4}
LAN = dict.fromkeys(ORDER, "LAN")
IP = Ip(tag="ip", address="10.0.0.1", prefix_length=24, interfaces=LAN, priorities=ORDER)
GROUP = Group(name="ip", hierarchies=(), ips=(IP,), volumes=())
NONE: dict[str, Obstacle | None] = dict.fromkeys(ORDER)


def test_the_best_priority_comes_first() -> None:
    found = candidates(GROUP, NONE)

    assert [c.node for c in found] == ["n2", "n1", "n3", "n4"]
    assert best(found) == "n2"


def test_a_node_with_an_obstacle_comes_after_all_others_and_says_why() -> None:
    found = candidates(GROUP, {**NONE, "n2": Obstacle(reason="n2 is dead"), "n3": Obstacle(reason="n3 failed it once")})

    assert [(c.node, c.why_not) for c in found] == [
        ("n1", ""),
        ("n4", ""),
        ("n2", "n2 is dead"),
        ("n3", "n3 failed it once"),
    ]
    assert best(found) == "n1"


def test_when_nobody_may_have_it_nobody_is_best() -> None:
    assert best(candidates(GROUP, {node: Obstacle(reason=f"{node} is dead") for node in ORDER})) is None


def test_what_would_happen_if_a_node_died() -> None:
    found = candidates(GROUP, NONE, without=["n2", "n1"])

    assert [c.node for c in found] == ["n3", "n4"]


def test_a_node_that_left_the_cluster_is_no_candidate() -> None:
    found = candidates(GROUP, {node: None for node in ORDER if node != "n2"})

    assert best(found) == "n1"
    assert found[-1].why_not == "n2 is no node of the cluster"


def test_each_candidate_waits_for_those_before_it() -> None:
    found = candidates(GROUP, {**NONE, "n1": Obstacle(reason="n1 is dead")})

    assert [turn_s(found, node) for node in ("n2", "n3", "n4")] == [0.0, TURN_S, 2 * TURN_S]


def test_who_may_not_have_it_has_no_turn() -> None:
    found = candidates(GROUP, {**NONE, "n1": Obstacle(reason="n1 is dead")})

    assert turn_s(found, "n1") is None
    assert turn_s(found, "n9") is None


def test_a_node_that_is_the_last_resort_comes_after_all_that_may_have_it_and_waits_its_turn() -> None:
    found = candidates(GROUP, {**NONE, "n3": Obstacle(reason="n3 is dead")}, last=["n2"])

    assert [c.node for c in found] == ["n1", "n4", "n2", "n3"]
    assert (best(found), turn_s(found, "n2")) == ("n1", 2 * TURN_S)
    assert best(candidates(GROUP, NONE, without=["n1", "n3", "n4"], last=["n2"])) == "n2"
