# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node that missed a change of the configuration: on simulated clusters, where the shell is only a delay."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.node.catching_up import SETTLE_S
from holdfast.core.values.events import Configured
from holdfast.core.values.lineage import FOREBEARS_MAX, Lineage, relation
from holdfast_sim.cluster import STEADY, World

SOON_S = SETTLE_S + 3.0
A = Lineage(digest="a")
B = A.followed_by("b")
C = B.followed_by("c")


@pytest.mark.parametrize(
    ("mine", "theirs", "is_mine"),
    [
        (A, A, "same"),
        (replace(C, version=9, forebears=()), C, "same"),
        (A, C, "older"),
        (C, B, "newer"),
        (C, B.followed_by("d"), "conflict"),
        (Lineage(digest="x"), C, "conflict"),
        (C.followed_by("a"), B, "newer"),
        (B, B.followed_by("a"), "older"),
        (A.followed_by("c").followed_by("a"), C, "conflict"),
    ],
)
def test_what_a_configuration_is_beside_another(mine: Lineage, theirs: Lineage, is_mine: str) -> None:
    assert relation(mine, theirs) == is_mine
    turned = {"older": "newer", "newer": "older"}
    assert relation(theirs, mine) == turned.get(is_mine, is_mine)


def test_a_configuration_that_changes_nothing_is_no_new_one() -> None:
    assert C.followed_by("c") is C


def test_the_forebears_are_bounded() -> None:
    lineage = A
    for number in range(FOREBEARS_MAX + 10):
        lineage = lineage.followed_by(f"d{number}")
    assert len(lineage.forebears) == FOREBEARS_MAX
    assert relation(A, lineage) == "conflict", "a node that was away for so long is told to people"


# -- clusters -------------------------------------------------------------------------------------------------------


def cluster(*nodes: str, sites: str = "apart") -> World:
    world = World(STEADY, nodes or ("n1", "n2"), sites=sites)
    world.run(1.0)
    return world


def sites_of(world: World, node: str) -> list[str]:
    return [hierarchy.tag for hierarchy in world.configs[node].hierarchies]


def warnings(world: World, node: str) -> str:
    view = world.processes[node].machine.view()
    assert view is not None
    return "\n".join(view["warnings"])


def conflict(world: World, node: str) -> bool:
    view: Any = world.processes[node].machine.view()
    return bool(view["config_conflict"])


def off(world: World, node: str) -> None:
    world.power_off(node)
    world.run(6.0)


def on(world: World, node: str) -> None:
    world.start(node)
    for peer in world.computers:
        if peer != node and not world.processes[peer].dead:
            for path in world.paths:
                world.connect(node, peer, path)


def changed(world: World, node: str, sites: str) -> None:
    assert world.configure(node, sites, by_force=True)


def test_a_node_that_was_off_catches_up_by_itself() -> None:
    world = cluster()
    off(world, "n2")
    changed(world, "n1", "sharing")
    changed(world, "n1", "turned")
    on(world, "n2")
    world.run(SOON_S)
    assert world.configs["n2"].digest == world.configs["n1"].digest
    assert [world.processes[node].machine.catching_up.version for node in ("n1", "n2")] == [3, 3]
    assert "configuration" not in warnings(world, "n1") + warnings(world, "n2")


def test_what_a_node_caught_up_with_outlives_its_restart() -> None:
    world = cluster()
    off(world, "n2")
    changed(world, "n1", "bare")
    on(world, "n2")
    world.run(SOON_S)
    off(world, "n2")
    off(world, "n1")
    on(world, "n2")
    on(world, "n1")
    world.run(SOON_S)
    assert sites_of(world, "n1") == sites_of(world, "n2") == []


def test_a_description_that_reaches_one_node_a_little_later_is_not_run_ahead_of() -> None:
    world = cluster()
    changed(world, "n1", "turned")
    world.run(SETTLE_S - 1.0)
    assert world.configs["n2"] != world.configs["n1"]
    changed(world, "n2", "turned")
    world.run(SOON_S)
    assert [world.processes[node].machine.catching_up.version for node in ("n1", "n2")] == [2, 2]


def test_what_was_changed_on_both_sides_is_shown_and_not_merged() -> None:
    world = cluster()
    off(world, "n2")
    changed(world, "n1", "sharing")
    off(world, "n1")
    on(world, "n2")
    world.run(1.0)
    changed(world, "n2", "turned")
    on(world, "n1")
    world.run(3 * SOON_S)
    assert sites_of(world, "n1") == sites_of(world, "n2") == ["shop", "docs"]
    assert world.configs["n1"] != world.configs["n2"]
    for node, peer in (("n1", "n2"), ("n2", "n1")):
        assert conflict(world, node)
        text = f"the configurations of {node} (version 2) and {peer} (version 2) were both changed"
        assert text in warnings(world, node)
        assert "describe the cluster to all nodes again (playbook site.yml)" in warnings(world, node)


def test_describing_settles_a_conflict_and_later_changes_are_caught_up_with_again() -> None:
    world = cluster()
    off(world, "n2")
    changed(world, "n1", "sharing")
    off(world, "n1")
    on(world, "n2")
    world.run(1.0)
    changed(world, "n2", "turned")
    on(world, "n1")
    world.run(SOON_S)
    for node in ("n1", "n2"):
        changed(world, node, "apart")
    world.run(SOON_S)
    assert not conflict(world, "n1") | conflict(world, "n2")
    off(world, "n1")
    changed(world, "n2", "bare")
    on(world, "n1")
    world.run(SOON_S)
    assert sites_of(world, "n1") == []


def test_a_change_waits_while_it_concerns_what_runs_on_the_node() -> None:
    """The others could make it since they do not know that the site runs there: nobody has heard of that node."""
    world = cluster()
    id_ = world.command("n2", "in_service", tags=["shop"], node="n2", timeout_s=30.0)
    assert world.run_until(lambda: id_ in world.answers, 10.0)
    for path in world.paths:
        world.network.cut |= {("n1", "n2", path), ("n2", "n1", path)}
    world.run(6.0)
    process = world.processes["n1"]
    bare = replace(world.configs["n1"], hierarchies=())
    world.configs["n1"] = bare
    process.feed(Configured(config=bare))
    world.lineages["n1"] = process.machine.catching_up.lineage
    world.network.heal()
    world.run(SOON_S)
    assert sites_of(world, "n2") == ["shop", "docs"]
    assert "n1 has a newer configuration (version 2), which n2 takes over later: 'shop' is in service" in warnings(
        world, "n2"
    )
    id_ = world.command("n2", "out_of_service", tags=["shop"], timeout_s=30.0)
    world.run(SOON_S)
    assert world.answers[id_]["ok"]
    assert sites_of(world, "n2") == []


def test_a_node_that_was_removed_meanwhile_brings_nothing_back_and_is_given_nothing() -> None:
    world = cluster("n1", "n2", "n3")
    off(world, "n3")
    for node in ("n1", "n2"):
        without = world.configs[node]
        paths = tuple(
            replace(path, addresses={name: place for name, place in path.addresses.items() if name != "n3"})
            for path in without.cluster.comm_paths
        )
        config = replace(without, cluster=replace(without.cluster, comm_paths=paths))
        world.configs[node] = config
        world.processes[node].feed(Configured(config=config))
        world.lineages[node] = world.processes[node].machine.catching_up.lineage
    on(world, "n3")
    world.run(3 * SOON_S)
    assert world.configs["n1"].cluster.nodes == world.configs["n2"].cluster.nodes == ("n1", "n2")
    assert world.configs["n3"].cluster.nodes == ("n1", "n2", "n3"), "nobody talks to it any more"
