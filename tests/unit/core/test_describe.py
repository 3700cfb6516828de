# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What describing verbs change, and what they refuse: the same for run, check mode and control host."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from holdfast.core.description.describe import Change, RuleError, describe
from holdfast.core.description.settings import read_config, read_sites
from holdfast.core.values.model import Binding, Config, Site, as_data

CLUSTER: dict[str, Any] = {
    "name": "web",
    "comm_paths": [
        {"name": "path-a", "addresses": {"n1": "10.77.1.11", "n2": "10.77.1.12"}},
        {"name": "path-b", "addresses": {"n1": "10.77.2.11", "n2": "10.77.2.12"}},
    ],
}
PRIORITIES = {"n1": 1, "n2": 2}
IP: dict[str, Any] = {
    "tag": "ip-shop",
    "address": "10.77.0.113",
    "prefix_length": 24,
    "interface": "LAN",
    "priorities": PRIORITIES,
}
VOLUME: dict[str, Any] = {"tag": "vol-shop", "drive": "X:", "disk": "D1", "priorities": PRIORITIES}
SITE: dict[str, Any] = {
    "name": "shop",
    "content": "X:\\shop",
    "bindings": [{"protocol": "http", "ip": "10.77.0.113", "port": 80}],
}
HIERARCHY: dict[str, Any] = {"site": "shop", "priorities": PRIORITIES, "drain_s": 2}
SITES = {site.name: site for site in read_sites([SITE], "sites")[0]}


@pytest.fixture
def config() -> Config:
    """A node with everything described but the hierarchy."""
    config = done(describe(None, "cluster", {"node": "n1", "cluster": CLUSTER}, {}))
    config = done(describe(config, "ip", {"ips": [IP]}, {}))
    return done(describe(config, "volume", {"volumes": [VOLUME]}, {}))


@pytest.fixture
def protected(config: Config) -> Config:
    """The same node with the hierarchy."""
    return done(describe(config, "hierarchy", {"hierarchies": [HIERARCHY]}, SITES))


def test_the_first_description_changes_from_nothing() -> None:
    change = describe(None, "cluster", {"node": "n1", "cluster": CLUSTER}, {})

    assert change.changed
    assert change.before == {}
    assert change.after["comm_port"] == 7430
    assert change.after["profile"] == "normal"


@pytest.mark.parametrize(
    ("verb", "args"),
    [
        ("cluster", {"node": "n2", "cluster": CLUSTER}),
        ("ip", {"ips": [IP]}),
        ("volume", {"volumes": [VOLUME], "prune": True}),
        ("hierarchy", {"hierarchies": [HIERARCHY]}),
        ("site", {"sites": [SITE]}),
    ],
)
def test_the_same_description_again_changes_nothing(protected: Config, verb: str, args: dict[str, Any]) -> None:
    change = describe(protected, verb, args, SITES)

    assert not change.changed
    assert change.config == protected


def test_the_stored_form_reads_as_what_was_stored(protected: Config) -> None:
    assert read_config(as_data(protected)) == protected


def test_nodes_agree_whatever_the_order_of_the_lists(config: Config) -> None:
    second = {**IP, "tag": "ip-docs", "address": "10.77.0.114"}

    one = done(describe(config, "ip", {"ips": [IP, second]}, {}))
    other = done(describe(config, "ip", {"ips": [second, IP]}, {}))

    assert one.digest == other.digest


def test_dependencies_are_read_from_the_site_in_iis(protected: Config) -> None:
    assert protected.hierarchies[0].depends_on == ("ip-shop", "vol-shop")


def test_own_content_on_drive_c_depends_on_no_volume(config: Config) -> None:
    local = Site(
        name="docs",
        kind="web",
        content="C:\\sites\\docs",
        app_pool="docs",
        bindings=(Binding(protocol="http", ip="10.77.0.113", port=81),),
    )

    change = describe(config, "hierarchy", {"hierarchies": [{**HIERARCHY, "site": "docs"}]}, {"docs": local})

    assert change.after["docs"]["depends_on"] == ["ip-shop"]


def test_what_is_not_mentioned_stays(config: Config) -> None:
    second = {**IP, "tag": "ip-docs", "address": "10.77.0.114"}

    change = describe(config, "ip", {"ips": [second]}, {})

    assert change.before == {}
    assert [ip.tag for ip in done(change).ips] == ["ip-docs", "ip-shop"]


def test_prune_removes_what_is_not_mentioned(config: Config) -> None:
    change = describe(config, "volume", {"volumes": [], "prune": True}, {})

    assert list(change.before) == ["vol-shop"]
    assert change.after == {}
    assert done(change).volumes == ()


def test_prune_leaves_what_a_hierarchy_needs(protected: Config) -> None:
    assert refused(protected, "ip", {"ips": [], "prune": True}) == [("HF512", "ips")]
    assert refused(protected, "site", {"sites": [], "prune": True}) == [("HF512", "sites")]


def test_nothing_is_described_before_the_cluster() -> None:
    assert refused(None, "ip", {"ips": [IP]}) == [("HF115", "cluster")]


def test_a_node_is_one_of_its_cluster() -> None:
    assert refused(None, "cluster", {"node": "n3", "cluster": CLUSTER}) == [("HF104", "node")]


def test_a_site_exists_before_its_hierarchy(config: Config) -> None:
    assert refused(config, "hierarchy", {"hierarchies": [HIERARCHY]}) == [("HF510", "hierarchies[0].site")]


def test_letter_case_of_the_site_counts_and_the_right_name_is_said(config: Config) -> None:
    with pytest.raises(RuleError) as caught:
        describe(config, "hierarchy", {"hierarchies": [{**HIERARCHY, "site": "Shop"}]}, SITES)

    assert caught.value.problems[0].cure == "Write 'shop'."


@pytest.mark.parametrize(
    ("content", "ip", "rule"),
    [
        ("\\\\nas\\shop", "10.77.0.113", "HF215"),
        ("https://other.example", "10.77.0.113", "HF216"),
        ("Y:\\shop", "10.77.0.113", "HF217"),
        ("X:\\shop", "*", "HF204"),
        ("X:\\shop", "10.77.0.99", "HF218"),
    ],
)
def test_a_site_in_iis_that_cannot_be_protected_is_refused(config: Config, content: str, ip: str, rule: str) -> None:
    site = Site(
        name="shop",
        kind="web",
        content=content,
        app_pool="shop",
        bindings=(Binding(protocol="http", ip=ip, port=80),),
    )

    with pytest.raises(RuleError) as caught:
        describe(config, "hierarchy", {"hierarchies": [HIERARCHY]}, {"shop": site})

    assert [problem.rule for problem in caught.value.problems] == [rule]


def test_priorities_match_those_of_what_the_site_needs(config: Config) -> None:
    turned = {**HIERARCHY, "priorities": {"n1": 2, "n2": 1}}

    found = refused(config, "hierarchy", {"hierarchies": [turned]}, SITES)

    assert found == [("HF508", "hierarchies[0].priorities")] * 2


def test_a_protected_site_is_not_renamed_by_describing_another(protected: Config) -> None:
    other = {**HIERARCHY, "tag": "shop", "site": "docs"}

    assert ("HF513", "hierarchies[0].site") in refused(protected, "hierarchy", {"hierarchies": [other]}, SITES)


def test_a_site_belongs_to_one_hierarchy(protected: Config) -> None:
    second = {**HIERARCHY, "tag": "shop-2"}

    assert refused(protected, "hierarchy", {"hierarchies": [second]}, SITES) == [("HF514", "hierarchies[0].site")]


def test_a_tag_is_taken_by_any_kind(config: Config) -> None:
    assert refused(config, "volume", {"volumes": [{**VOLUME, "tag": "IP-shop", "drive": "Y:", "disk": "D2"}]}) == [
        ("HF502", "volumes[0].tag")
    ]


def test_an_address_on_the_node_already_is_said_at_the_new_place(config: Config) -> None:
    assert refused(config, "ip", {"ips": [{**IP, "tag": "ip-2"}]}) == [("HF304", "ips[0].address")]


def test_a_binding_of_another_site_on_the_node_is_taken() -> None:
    assert refused(None, "site", {"sites": [{**SITE, "name": "second"}]}) == [("HF211", "sites[0].bindings[0]")]


def test_a_refusal_has_every_problem_and_changes_nothing(config: Config) -> None:
    before = copy.deepcopy(as_data(config))
    broken = [{**IP, "address": "10.77.0.1133"}, {**IP, "tag": "ip-2", "priorities": {"n1": 1}, "prefix_length": 99}]

    found = refused(config, "ip", {"ips": broken})

    assert found == [
        ("HF301", "ips[0].address"),
        ("HF302", "ips[1].prefix_length"),
        ("HF504", "ips[1].priorities"),
    ]
    assert as_data(config) == before


def test_check_mode_takes_for_granted_what_an_earlier_task_would_have_made(config: Config) -> None:
    without_cluster = describe(None, "ip", {"ips": [IP]}, {}, check=True)
    without_site = describe(config, "hierarchy", {"hierarchies": [HIERARCHY]}, {}, check=True)

    assert without_cluster.changed
    assert without_cluster.config is None
    assert without_site.changed


def test_check_mode_foretells_a_removal_that_an_earlier_task_makes_possible(protected: Config) -> None:
    change = describe(protected, "ip", {"ips": [], "prune": True}, {}, check=True)

    assert list(change.before) == ["ip-shop"]
    assert change.after == {}


def test_check_mode_still_refuses_what_can_never_work(config: Config) -> None:
    with pytest.raises(RuleError):
        describe(config, "ip", {"ips": [{**IP, "address": "127.0.0.1"}]}, {}, check=True)


def done(change: Change) -> Config:
    assert change.config is not None
    return change.config


def refused(
    config: Config | None, verb: str, args: dict[str, Any], sites: dict[str, Site] | None = None
) -> list[tuple[str, str]]:
    """Rule and place of every problem."""
    on_node = SITES if verb == "site" else (sites or {})
    with pytest.raises(RuleError) as caught:
        describe(config, verb, args, on_node)
    assert caught.value.kind == "rule"
    return [(problem.rule, problem.path) for problem in caught.value.problems]
