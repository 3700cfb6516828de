# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One arbiter is exchanged for another while groups run; docs/arbiters.md, "Changes while groups run"."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from holdfast_lab.client.load import load
from holdfast_lab.conftest import namespaces_or_skip
from holdfast_lab.trials.stage import set_up
from holdfast_lab.world import launch, stores
from holdfast_lab.world.calls import ask, call
from holdfast_lab.world.described import described
from holdfast_lab.world.places import Places
from holdfast_lab.world.remote import Lab

# The set-up by the playbook takes a minute on busy cores, and a take-over with this profile eight seconds.
pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

NODES = ("n1", "n2")
SHOP = "http://10.77.0.113/"
AGREED_WITHIN_S = 15.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    namespaces_or_skip()
    wish = launch.Wish(witness=True, etcd=True, profile="vm")
    with launch.running(Places(tmp_path_factory.mktemp("change")), wish) as running:
        set_up(running)
        yield running


def test_a_dead_witness_is_replaced_by_an_etcd_without_a_lost_request_and_then_lets_the_group_move(lab: Lab) -> None:
    assert voting(lab, "n1")["arbiter"] == "witness w1"
    before = shop(lab, "n1")
    with load(lab, SHOP, every_ms=20, timeout_ms=1000) as asked:
        lab.fault("power_off", node="w1")
        time.sleep(8.0)  # longer than a permit lasts: the nodes live by each other's votes
        for node in NODES:
            describe(lab, node, etcd())
            time.sleep(1.0)
        until_it_counts(lab, "etcd /holdfast")
        time.sleep(8.0)
    assert asked.summary.requests > 800
    assert asked.summary.failures == 0
    assert shop(lab, "n1") == before

    lab.fault("power_off", node="n1")
    deadline_s = time.monotonic() + 20.0
    while (seen := shop(lab, "n2"))[0] != "n2":
        assert time.monotonic() < deadline_s, "etcd's vote does not let n2 take the group"
        time.sleep(0.2)
    assert seen[1] > before[1]


def test_while_a_node_is_away_the_arbiter_stays(lab: Lab) -> None:
    lab.fault("power_off", node="n1")
    answer = ask(lab, "n2", "cluster", {"node": "n2", "cluster": {**cluster(lab), "arbiter": "manual"}})
    assert [problem["rule"] for problem in answer["error"]["problems"]] == ["HF706"]


def test_from_an_etcd_to_manual_nothing_stops(lab: Lab) -> None:
    lab.fault("power_on", node="n1")
    deadline_s = time.monotonic() + 30.0
    while call(lab, "n2", "cluster_info", {})["warnings"]:
        assert time.monotonic() < deadline_s, "n1 does not come back"
        time.sleep(0.5)
    with load(lab, SHOP, every_ms=20, timeout_ms=1000) as asked:
        for node in NODES:
            describe(lab, node, "manual")
            time.sleep(1.0)
        until_it_counts(lab, "manual")
        time.sleep(8.0)
    assert asked.summary.requests > 400
    assert asked.summary.failures == 0


def cluster(lab: Lab) -> dict[str, Any]:
    return dict(described(lab)["holdfast_cluster"])


def etcd() -> dict[str, Any]:
    endpoints = stores.endpoints(launch.Wish(witness=True, etcd=True).topology.stores)
    return {"kind": "etcd", "endpoints": endpoints, "prefix": "/holdfast", "any_version": True}


def describe(lab: Lab, node: str, arbiter: Any) -> None:
    call(lab, node, "cluster", {"node": node, "cluster": {**cluster(lab), "arbiter": arbiter}})


def voting(lab: Lab, node: str) -> dict[str, Any]:
    return dict(call(lab, node, "cluster_info", {})["voting"])


def until_it_counts(lab: Lab, arbiter: str) -> None:
    deadline_s = time.monotonic() + AGREED_WITHIN_S
    for node in NODES:
        while not ((seen := voting(lab, node))["arbiter"] == arbiter and seen["counts"] and seen["answers"]):
            assert time.monotonic() < deadline_s, f"{node}: {seen}"
            time.sleep(0.1)


def shop(lab: Lab, node: str) -> tuple[str | None, int]:
    """Holder and epoch, as the node sees them."""
    groups = {group["name"]: group for group in call(lab, node, "cluster_info", {})["groups"]}
    return groups["shop"]["holder"], groups["shop"]["epoch"]
