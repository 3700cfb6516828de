# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The status that a node shows of groups it has nothing to do with."""

from __future__ import annotations

from typing import Any

from holdfast_sim.cluster import World


def _commanded(*commands: dict[str, Any]) -> World:
    world = World(1)
    world.run(1.0)
    for command in commands:
        id_ = world.command("n1", **command)
        world.run(5.0)
        assert world.answers[id_]["ok"]
    return world


def _shop(world: World, node: str) -> dict[str, Any]:
    view = world.processes[node].machine.view()
    assert view is not None
    return next(group for group in view["groups"] if group["name"] == "shop")


def test_every_node_says_that_an_operator_took_the_group_out_of_service() -> None:
    world = _commanded(
        {"verb": "in_service", "tags": ["shop"], "node": "n1"}, {"verb": "out_of_service", "tags": ["shop"]}
    )
    for node in ("n1", "n2"):
        shop = _shop(world, node)
        assert (shop["holder"], shop["state"]) == (None, "out_of_service")
        assert shop["reason"] == "taken out of service by command"


def test_the_time_since_a_change_is_told_only_by_the_node_where_it_happened() -> None:
    world = _commanded(
        {"verb": "in_service", "tags": ["shop"], "node": "n1"}, {"verb": "out_of_service", "tags": ["shop"]}
    )
    assert _shop(world, "n1")["since_s"] is not None
    assert _shop(world, "n2")["since_s"] is None


def test_a_group_that_was_never_placed_is_served_by_nobody() -> None:
    assert _shop(_commanded(), "n2")["reason"] == "nobody serves it"
