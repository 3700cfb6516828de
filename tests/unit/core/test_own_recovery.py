# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of recovery that are a site's own: read, refused where sites of one group disagree, and used.

Source: guide chapter 2, step 3b (switchback of a hierarchy), and chapter 6 (checks and local recovery of a resource).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.description.describe import RuleError, describe
from holdfast.core.description.rules import check_inventory
from holdfast.core.description.settings import read_config, read_hierarchies, read_sites
from holdfast.core.values.graph import groups_of
from holdfast.core.values.model import Config, Recovery, as_data
from holdfast_sim.cluster import World

PRIORITIES = {"n1": 1, "n2": 2}
PATHS = [{"name": f"path-{i}", "addresses": {"n1": f"10.77.{i}.11", "n2": f"10.77.{i}.12"}} for i in (1, 2)]
LAST = {"shop": 113, "docs": 113, "news": 114, "wiki": 114, "alone": 115}
"""The last number of the address of each site. Docs and news have a volume too, so the first four move as one."""


def _inventory(own: Mapping[str, Mapping[str, Any]], recovery: Mapping[str, Any] | None = None) -> dict[str, Any]:
    sites = [
        {
            "name": name,
            "content": f"{'X:' if name in ('docs', 'news') else 'C:'}\\{name}",
            "bindings": [{"ip": f"10.77.0.{last}", "port": 80, "host": f"{name}.example.com"}],
            "priorities": PRIORITIES,
            **({"recovery": dict(own[name])} if name in own else {}),
        }
        for name, last in LAST.items()
    ]
    ip = {"prefix_length": 24, "interface": "LAN", "priorities": PRIORITIES}
    return {
        "cluster": {"name": "web", "comm_paths": PATHS, "recovery": dict(recovery or {})},
        "ips": [{"tag": f"ip-{last}", "address": f"10.77.0.{last}", **ip} for last in (113, 114, 115)],
        "volumes": [{"tag": "vol", "drive": "X:", "disk": "D1", "priorities": PRIORITIES}],
        "sites": sites,
    }


def _lines(own: Mapping[str, Mapping[str, Any]], recovery: Mapping[str, Any] | None = None) -> list[str]:
    return [problem.line for problem in check_inventory(**_inventory(own, recovery), nodes=["n1", "n2"])]


def test_what_a_site_does_not_write_is_not_its_own() -> None:
    own = {"local": False, "switchback": "automatic", "stable_s": 60, "quick_check_s": None}
    (hierarchy,), problems = read_hierarchies([{"site": "shop", "priorities": PRIORITIES, "recovery": own}], "h")
    assert problems == []
    assert hierarchy.recovery == {"local": False, "switchback": "automatic", "stable_s": 60.0}


@pytest.mark.parametrize(
    ("own", "rule", "said"),
    [
        ({"shutdown": "stay"}, "HF001", "'shutdown' is not known here"),
        ({"guard_resets": False}, "HF001", "'guard_resets' is not known here"),
        ({"local": "no"}, "HF003", "local is 'no'"),
        ({"restarts": -1}, "HF143", "-1, outside 0 to 100"),
        ({"switchback": "auto"}, "HF141", "'auto'"),
        ("none", "HF003", "recovery is 'none', not a mapping"),
    ],
)
def test_what_a_site_cannot_have_of_its_own_is_refused(own: Any, rule: str, said: str) -> None:
    _unused, (problem,) = read_hierarchies([{"site": "shop", "priorities": PRIORITIES, "recovery": own}], "h")
    assert problem.rule == rule
    assert problem.path.startswith("h[0].recovery")
    assert said in problem.message


def test_sites_of_different_groups_may_differ() -> None:
    assert _lines({"shop": {"local": False}, "alone": {"local": True}}) == []


def test_what_one_site_of_a_group_writes_holds_for_the_group() -> None:
    assert _lines({"shop": {"local": False, "restarts": 1}, "docs": {"local": False}}) == []


def test_two_sites_of_a_group_that_disagree_are_both_named_although_they_share_nothing_themselves() -> None:
    (line,) = _lines({"shop": {"failovers": 1}, "wiki": {"failovers": 2}})
    assert line == (
        "holdfast_sites[3].recovery.failovers: failovers is 2 for wiki and 1 for shop, which move as one. "
        "Write the same failovers for both, or for one of them only: it holds for the group. [HF147]"
    )


def test_a_deep_check_of_its_own_comes_no_more_often_than_the_quick_check_that_it_has() -> None:
    (line,) = _lines({"alone": {"deep_check_s": 4}})
    assert line.startswith("holdfast_sites[4].recovery.deep_check_s: deep_check_s is 4, less than quick_check_s, 5.")
    assert _lines({"alone": {"deep_check_s": 4, "quick_check_s": 2}}) == []
    assert _lines({"alone": {"deep_check_s": 4}}, {"quick_check_s": 1}) == []


def _described(own: Mapping[str, Any], *, to: Config | None = None, tag: str = "shop") -> Config:
    """The configuration of a node after this site was described, with the same settings as the others."""
    inventory = _inventory({})
    config = to
    if config is None:
        config = describe(None, "cluster", {"node": "n1", "cluster": inventory["cluster"]}, {}).config
        config = describe(config, "ip", {"ips": inventory["ips"]}, {}).config
        config = describe(config, "volume", {"volumes": inventory["volumes"]}, {}).config
    sites = {site.name: site for site in read_sites(inventory["sites"], "sites")[0]}
    hierarchy = {"site": tag, "priorities": PRIORITIES, "recovery": dict(own)}
    config = describe(config, "hierarchy", {"hierarchies": [hierarchy]}, sites).config
    assert config is not None
    return config


def test_a_node_keeps_it_and_reads_it_back() -> None:
    config = _described({"local": False, "window_s": 60})
    assert config.hierarchies[0].recovery == {"local": False, "window_s": 60.0}
    assert read_config(as_data(config)) == config


def test_a_configuration_without_it_is_read() -> None:
    stored = as_data(_described({}))
    del stored["hierarchies"][0]["recovery"]
    assert read_config(stored) == _described({})


def test_a_node_refuses_a_site_that_contradicts_one_it_has() -> None:
    config = _described({"local": False})
    with pytest.raises(RuleError) as refused:
        _described({"local": True}, to=config, tag="docs")
    (problem,) = refused.value.problems
    assert (problem.rule, problem.path) == ("HF147", "'shop' on the node.recovery.local")
    assert "local is false for shop and true for docs" in problem.message
    assert groups_of(_described({}, to=config, tag="docs"))["docs"].recovery == {"local": False}


def _world(own: Mapping[str, Any]) -> World:
    """Shop on n1, with these settings of its own on every node."""
    world = World(1, arbiter="witness", recovery=replace(Recovery(), restarts=3))
    for process in world.processes.values():
        config = world.configs["n1"]
        sites = tuple(replace(h, recovery=own) if h.tag == "shop" else h for h in config.hierarchies)
        process.machine.group_of["shop"].group = groups_of(replace(config, hierarchies=sites))["shop"]
    for tag in ("shop", "docs"):
        world.run(1.0)
        world.command("n1", "in_service", tags=[tag], node="n1")
        world.run(3.0)
    return world


def _stopped(world: World, tag: str) -> list[str]:
    """What n1 decides when the site stops."""
    before = len(world.notes)
    world.computers["n1"].on.discard(tag)
    world.noticed("n1", tag)
    world.run(5.0)
    return [
        note.fields["remedy"] for _at_s, node, note in world.notes[before:] if node == "n1" and note.kind == "recovery"
    ]


def test_a_group_without_local_recovery_of_its_own_moves_and_the_other_one_is_restarted() -> None:
    world = _world({"local": False})
    assert _stopped(world, "shop") == ["move"]
    assert _stopped(world, "docs") == ["restart"]


def test_a_budget_of_its_own_is_the_groups_budget() -> None:
    world = _world({"restarts": 1})
    assert _stopped(world, "shop") == ["restart"]
    assert _stopped(world, "shop") == ["move"]
    assert _stopped(world, "docs") == _stopped(world, "docs") == ["restart"]
