# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people are told of why a group is where it is, and that it comes true when a node dies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from holdfast.cli.explain_text import explain_lines
from holdfast.cli.table import Paint
from holdfast.core.cluster.ownership import release
from holdfast.core.node.explain import RULES
from holdfast.core.values.graph import groups_of
from holdfast_sim.cluster import World

SHOP = ("in_service", {"tags": ["shop"], "node": "n1"})


def _world(*, arbiter: str = "witness", nodes: tuple[str, ...] = ("n1", "n2")) -> World:
    world = World(1, nodes, arbiter=arbiter)
    world.run(10.0)
    verb, args = SHOP
    _told(world, "n1", verb, **args)
    return world


def _told(world: World, at: str, verb: str, **args: Any) -> dict[str, Any]:
    number = world.command(at, verb, **args)
    world.run(5.0)
    answer = world.answers[number]
    assert answer["ok"], answer
    data: dict[str, Any] = answer["data"]
    return data


def _explained(world: World, at: str = "n1") -> dict[str, Any]:
    return _told(world, at, "explain", tag="ip-shop")


def _if(explained: dict[str, Any], dies: str) -> dict[str, Any]:
    fate: dict[str, Any] = next(row for row in explained["if"] if row["dies"] == dies)
    return fate


def _why(explained: dict[str, Any]) -> list[str]:
    return [link["text"] for link in explained["why"]]


def test_the_holder_says_why_it_has_the_group_and_by_whose_votes() -> None:
    explained = _explained(_world())
    assert (explained["group"], explained["holder"], explained["epoch"]) == ("shop", "n1", 1)
    first, home, votes = explained["why"]
    assert first["text"] == "n1 holds it: brought into service by command"
    assert first["values"] == {"holder": "n1", "epoch": 1}
    assert home["text"] == "n1 is its preferred node"
    assert "renewed every 0.4 s: votes of witness w, n2" in votes["text"]
    assert 1.0 < explained["permit"]["seconds_left"] <= 2.2


def test_a_standby_knows_no_permit_but_the_same_reasons() -> None:
    explained = _explained(_world(), "n2")
    assert explained["permit"] is None
    assert _why(explained) == ["n1 holds it: brought into service by command", "n1 is its preferred node"]


@pytest.mark.parametrize("asked", ["n1", "n2"])
def test_what_is_said_to_happen_when_the_holder_dies_happens(asked: str) -> None:
    world = _world()
    fate = _if(_explained(world, asked), "n1")
    assert (fate["to"], fate["down"], fate["rule"]) == ("n2", False, "HF903")

    world.power_off("n1")
    world.run(fate["after_s"] + 0.8)
    assert _explained(world, "n2")["holder"] == fate["to"]


def test_after_a_failover_it_says_where_the_group_belongs_and_that_nobody_else_is_left() -> None:
    world = _world()
    world.power_off("n1")
    world.run(6.0)
    explained = _explained(world, "n2")
    assert "its preferred node is n1; it returns by command (switchback: intelligent)" in _why(explained)
    fate = _if(explained, "n2")
    assert fate["down"]
    assert fate["text"] == "nobody takes it over: n1 is dead"
    assert _if(explained, "witness w")["text"] == "n2 has to stop it within 2.2 s: n1 cannot vote"


def test_while_the_arbiter_is_away_the_death_of_any_node_ends_the_service() -> None:
    world = _world()
    assert _if(_explained(world), "n2")["text"].startswith("nothing changes: n1 goes on by the vote of witness w")
    assert not _if(_explained(world), "witness w")["down"]

    assert world.witness is not None
    world.witness.stop()
    world.run(3.0)
    explained = _explained(world)
    assert explained["voting"]["answers"] is False
    assert _if(explained, "n1")["text"].startswith("nobody takes it over: witness w does not vote")
    assert _if(explained, "n2")["text"] == "n1 has to stop it within 2.2 s: without witness w all nodes vote"
    assert _if(explained, "n2")["down"]


def test_with_arbiter_manual_only_commands_move() -> None:
    explained = _explained(_world(arbiter="manual"))
    assert [row["dies"] for row in explained["if"]] == ["n1", "n2"]
    assert _if(explained, "n1")["rule"] == "HF805"
    assert _if(explained, "n1")["down"]
    assert "with arbiter manual it may serve until a command moves it" in _why(explained)


def test_what_an_operator_stopped_stays_stopped() -> None:
    world = _world()
    _told(world, "n1", "out_of_service", tags=["shop"])
    explained = _explained(world, "n2")
    assert explained["holder"] is None
    assert "shop was taken out of service by command" in _why(explained)
    assert not any(row["down"] for row in explained["if"] if row["dies"] != "witness w")


def test_a_group_that_nobody_takes_says_why() -> None:
    world = _world()
    assert _why(_told(world, "n2", "explain", tag="docs")) == [
        "no node holds it",
        "it has never been brought into service",
    ]

    assert world.witness is not None
    world.witness.stop()
    world.power_off("n2")
    world.run(10.0)
    first, second = _why(_explained(world))
    assert first == "no node holds it"
    assert second == (
        "no node takes shop by itself: witness w does not vote (the witness does not answer: connection refused). "
        "Bring witness w or n2 back, or make sure that n2 is switched off, and run: "
        "holdfast in-service shop n1 --peer-off n2"
    )


def test_after_the_arbiter_and_the_holder_died_people_are_told_the_command_and_it_works() -> None:
    world = _world()
    assert world.witness is not None
    world.witness.stop()
    world.run(5.0)
    world.power_off("n1")
    world.run(10.0)
    cure = (
        "Bring witness w or n1 back, or make sure that n1 is switched off, and run: "
        "holdfast in-service shop n2 --peer-off n1"
    )
    view = world.processes["n2"].machine.view()
    assert view is not None
    assert view["warnings"][-1].endswith(cure)
    assert any(text.endswith(cure) for text in _why(_explained(world, "n2")))
    without = world.command("n2", "in_service", tags=["shop"], node="n2")
    world.run(5.0)
    assert world.answers[without]["error"]["message"] == (
        "shop was not moved: the arbiter does not answer; "
        "bring it back, or make sure that n1 is switched off and add peers_off: [n1]"
    )
    _told(world, "n2", "in_service", tags=["shop"], node="n2", peers_off=["n1"])
    view = world.processes["n2"].machine.view()
    assert view is not None
    assert "n1 counts as switched off until it is heard, as a person said" in view["warnings"]
    assert not any("no node takes" in text for text in view["warnings"])
    assert "it may serve without end: an operator vouches for all other nodes" in _why(_explained(world, "n2"))


def test_without_an_arbiter_that_votes_a_group_is_not_commanded_where_all_nodes_are_heard() -> None:
    """A command would be refused, so none is told."""
    world = _world()
    world.processes["n1"].machine.group_of["shop"].register = release(
        world.processes["n1"].machine.group_of["shop"].register
    )
    assert world.witness is not None
    world.witness.stop()
    world.run(2.0)
    texts = _why(_explained(world, "n1"))
    assert texts[-1].endswith("Bring witness w back.")


def test_settings_of_its_own_are_shown() -> None:
    own = {"local": False, "deep_check_s": 30.0}
    world = _world()
    config = world.configs["n1"]
    sites = tuple(replace(h, recovery=own) if h.tag == "shop" else h for h in config.hierarchies)
    group = groups_of(replace(config, hierarchies=sites))["shop"]
    world.processes["n1"].machine.group_of["shop"].group = group
    explained = _explained(world)
    assert explained["settings"] == own
    assert "It has its own settings: local false, deep_check_s 30.0" in explain_lines(explained, Paint(on=False))


def test_the_next_of_three_is_named_and_the_one_after_it() -> None:
    explained = _explained(_world(nodes=("n1", "n2", "n3")))
    assert [candidate["node"] for candidate in explained["candidates"]] == ["n2", "n3"]
    assert _if(explained, "n1")["to"] == "n2"
    assert _if(explained, "n2")["text"].endswith("n3 could take it over then")


def test_an_unknown_tag_is_refused_with_what_is_meant() -> None:
    world = _world()
    number = world.command("n1", "explain", tag="shpo")
    world.run(1.0)
    assert world.answers[number]["error"]["message"] == "Nothing with the tag 'shpo' is protected. Did you mean 'shop'?"


def test_the_status_shows_the_arbiter_and_the_permits() -> None:
    world = _world()
    view = world.processes["n1"].machine.view()
    assert view is not None
    assert view["voting"]["arbiter"] == "witness w"
    assert view["voting"]["answers"]
    permits = {row["name"]: row["permit"] for row in view["groups"]}
    assert permits["shop"]["seconds_left"] > 0
    assert permits["docs"] is None
    assert view["warnings"] == []


def test_every_rule_has_its_own_id() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
