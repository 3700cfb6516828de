# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters for playbooks."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.holdfast.iis.plugins.filter.without_node import FilterModule, without_node
from holdfast.core.description.rules import check_inventory

NODES = ("n1", "n2", "n3")
ARBITER = {"kind": "witness", "name": "w1", "addresses": {"path-a": "10.77.1.21", "path-b": "10.77.2.21"}}
CLUSTER: dict[str, Any] = {
    "name": "web",
    "arbiter": ARBITER,
    "comm_paths": [
        {"name": f"path-{letter}", "addresses": {node: f"10.77.{number}.1{node[1]}" for node in NODES}}
        for number, letter in enumerate("ab", start=1)
    ],
}
IP: dict[str, Any] = {
    "tag": "ip-shop",
    "address": "10.77.0.113",
    "prefix_length": 24,
    "interface": {"n1": "LAN", "n2": "LAN", "n3": "Ethernet"},
    "priorities": {"n1": 1, "n2": 3, "n3": 2},
}
SITE: dict[str, Any] = {
    "name": "shop",
    "content": "C:\\sites\\shop",
    "bindings": [{"protocol": "http", "ip": "10.77.0.113", "port": 80}],
    "priorities": {"n1": 1, "n2": 3, "n3": 2},
}


@pytest.mark.parametrize("node", NODES)
def test_an_inventory_without_a_node_breaks_no_rule(node: str) -> None:
    problems = check_inventory(
        cluster=without_node(CLUSTER, node),
        ips=without_node([IP], node),
        volumes=[],
        sites=without_node([SITE], node),
        nodes=[name for name in NODES if name != node],
    )
    assert [problem.line for problem in problems] == []


def test_the_others_keep_their_order_and_their_cards() -> None:
    [ip] = without_node([IP], "n1")
    assert ip == {**IP, "interface": {"n2": "LAN", "n3": "Ethernet"}, "priorities": {"n2": 2, "n3": 1}}
    assert IP["priorities"] == {"n1": 1, "n2": 3, "n3": 2}, "what was given stays"


def test_what_is_said_of_no_node_stays() -> None:
    everywhere = {**IP, "interface": "LAN"}
    assert without_node(everywhere, "n3")["interface"] == "LAN"
    assert without_node(CLUSTER, "n3")["arbiter"] == ARBITER
    assert without_node([everywhere], "n9") == [everywhere]


def test_playbooks_know_it_by_its_name() -> None:
    assert FilterModule().filters() == {"without_node": without_node}
