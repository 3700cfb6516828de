# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a command to orders: what its tags mean, where it goes, and what is answered at once. On a simulated cluster."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.core.node.machine import Machine
from holdfast.core.values.events import Commanded, Tell
from holdfast_sim.cluster import STEADY, World


@pytest.fixture
def world() -> World:
    """Two nodes that have met."""
    world = World(STEADY)
    world.run(1.0)
    return world


def _answer(world: World, at: str, verb: str, **args: Any) -> dict[str, Any]:
    id_ = world.command(at, verb, **args)
    assert world.run_until(lambda: id_ in world.answers, 10.0)
    return world.answers[id_]


def _error(answer: dict[str, Any]) -> str:
    assert not answer["ok"]
    return f"{answer['error']['kind']}: {answer['error']['message']}"


def test_a_tag_that_is_not_known_is_answered_with_the_one_that_is_meant(world: World) -> None:
    error = _error(_answer(world, "n1", "in_service", tags=["shpo"], node="n1"))
    assert error == "rule: Nothing with the tag 'shpo' is protected. Did you mean 'shop'?"


def test_a_tag_like_no_other_is_answered_with_all_there_are(world: World) -> None:
    error = _error(_answer(world, "n1", "out_of_service", tags=["zebra"]))
    assert error == (
        "rule: Nothing with the tag 'zebra' is protected. Known tags: docs, ip-docs, ip-shop, shop, vol-shop."
    )


def test_no_tag_at_all_is_an_error(world: World) -> None:
    assert "No tag was given" in _error(_answer(world, "n1", "in_service", tags=[], node="n1"))


@pytest.mark.parametrize("args", [{"node": "n3"}, {"node": "n1", "peers_off": ["n3"]}])
def test_a_node_that_is_not_known_is_answered_with_those_that_are(world: World, args: dict[str, Any]) -> None:
    error = _error(_answer(world, "n1", "in_service", tags=["shop"], **args))
    assert error == "rule: 'n3' is no node of this cluster; its nodes are n1, n2."


@pytest.mark.parametrize("tag", ["shop", "ip-shop", "vol-shop"])
def test_an_address_or_a_volume_means_the_site_that_needs_it(world: World, tag: str) -> None:
    answer = _answer(world, "n2", "in_service", tags=[tag], node="n1")
    assert answer["data"]["moves"][0]["tags"] == ["shop"]
    assert world.computers["n1"].on == {"shop", "ip-shop", "vol-shop"}


def test_without_a_node_each_group_goes_where_it_prefers_to_be(world: World) -> None:
    """Docs prefers n2, shop prefers n1."""
    _answer(world, "n1", "in_service", tags=["shop", "docs"], node=None)
    assert "shop" in world.computers["n1"].on
    assert "docs" in world.computers["n2"].on


def test_initial_placement_leaves_alone_what_was_placed_once(world: World) -> None:
    _answer(world, "n1", "in_service", tags=["shop"], node="n2")
    answer = _answer(world, "n1", "in_service", tags=["shop"], node="n1", initial=True)
    assert (answer["changed"], answer["data"]["moves"][0]["outcome"]) == (False, "unchanged")
    assert "shop" in world.computers["n2"].on


def test_what_nobody_serves_is_out_of_service_already(world: World) -> None:
    answer = _answer(world, "n1", "out_of_service", tags=["shop"])
    assert (answer["ok"], answer["changed"]) == (True, False)


def test_an_order_for_a_node_that_is_not_heard_is_refused_at_once(world: World) -> None:
    world.power_off("n2")
    world.run(5.0)
    error = _error(_answer(world, "n1", "in_service", tags=["docs"], node="n2"))
    assert error.startswith("unreachable: docs stays as it is: n2 is dead, its monitor does not answer")
    assert "Start service Holdfast on n2" in error


def test_an_order_goes_to_the_node_that_it_concerns_whoever_is_asked(world: World) -> None:
    """Given to n2, carried out on n1, answered by n2."""
    assert _answer(world, "n2", "in_service", tags=["shop"], node="n1")["ok"]
    assert _answer(world, "n2", "out_of_service", tags=["shop"])["data"]["stops"][0]["outcome"] == "stopped"
    assert not world.computers["n1"].on


def test_a_node_that_belongs_to_no_cluster_says_what_to_do() -> None:
    machine = Machine(
        node="n1", boot_id="b", incarnation=1, config=None, registers={}, recorded_boot_id=None, now_s=0.0
    )
    told = machine.handle(Commanded(id="c1", verb="in_service", args={"tags": ["shop"]}), 1.0)
    (tell,) = [action for action in told if isinstance(action, Tell)]
    assert tell.final
    assert "belongs to no cluster yet" in tell.data["error"]["message"]
