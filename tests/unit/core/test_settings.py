# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what people wrote, and the stored form, into values."""

from __future__ import annotations

import pytest

from holdfast.core.description.rules import differences
from holdfast.core.description.settings import (
    read_cluster,
    read_config,
    read_hierarchies,
    read_ips,
    read_sites,
    read_volumes,
)
from holdfast.core.values.model import Binding, Site
from holdfast.errors import StateError


def test_one_interface_stands_for_every_node() -> None:
    ips, problems = read_ips(
        [
            {
                "tag": "a",
                "address": "10.0.0.9",
                "prefix_length": 24,
                "interface": "LAN",
                "priorities": {"n1": 1, "n2": 2},
            }
        ],
        "ips",
    )

    assert problems == []
    assert ips[0].interfaces == {"n1": "LAN", "n2": "LAN"}


def test_the_path_begins_with_what_the_caller_says() -> None:
    _, problems = read_volumes([{"tag": "v", "drive": "x", "disk": "d", "priorities": {"n1": 1}}], "some.place")

    assert [problem.path for problem in problems] == ["some.place[0].drive"]


def test_what_is_in_order_is_read_beside_what_is_not() -> None:
    good = {"tag": "v", "drive": "X:", "disk": "d", "priorities": {"n1": 1}}

    volumes, problems = read_volumes([good, {}], "volumes")

    assert [volume.tag for volume in volumes] == ["v"]
    assert {problem.path for problem in problems} == {
        "volumes[1].tag",
        "volumes[1].drive",
        "volumes[1].disk",
        "volumes[1].priorities",
    }


def test_a_broken_cluster_is_no_cluster() -> None:
    cluster, problems = read_cluster({"name": "web", "comm_paths": "none"}, "cluster")

    assert cluster is None
    assert [problem.path for problem in problems] == ["cluster.comm_paths"]


def test_a_site_is_named_like_its_pool_and_its_tag_unless_they_are_written() -> None:
    site = {"name": "shop", "content": "C:\\shop", "bindings": [{"ip": "10.0.0.9", "port": 80}]}
    sites, _ = read_sites([site, {**site, "name": "docs", "app_pool": "pool"}], "sites")
    hierarchies, _ = read_hierarchies([{"site": "shop", "priorities": {"n1": 1}}], "hierarchies")

    assert [site.app_pool for site in sites] == ["shop", "pool"]
    assert hierarchies[0].tag == "shop"
    assert hierarchies[0].drain_s == 0


@pytest.mark.parametrize(
    "stored",
    [
        None,
        [],
        {},
        {"cluster": {"name": "web"}},
        {"cluster": None, "ips": [], "volumes": [], "hierarchies": []},
        {"cluster": {}, "more": 1},
    ],
)
def test_a_stored_form_that_is_not_whole_is_refused(stored: object) -> None:
    with pytest.raises(StateError):
        read_config(stored)


def test_sites_are_identical_only_with_letter_case() -> None:
    site = Site(name="shop", kind="web", content="X:\\shop", app_pool="shop", bindings=(binding(),))
    other = Site(name="shop", kind="web", content="X:\\Shop", app_pool="shop", bindings=(binding(host="A"),))

    problems = differences(site, other, of_a="n1", of_b="n2")

    assert [problem.path for problem in problems] == [
        "sites.shop.content",
        "sites.shop.bindings[http 10.0.0.9:80:A]",
        "sites.shop.bindings[http 10.0.0.9:80:a]",
    ]
    assert "'X:\\shop' on n1, 'X:\\Shop' on n2" in problems[0].message
    assert all(problem.rule == "HF224" for problem in problems)


def test_the_order_of_bindings_is_no_difference() -> None:
    one = Site(name="s", kind="web", content="C:\\s", app_pool="s", bindings=(binding(), binding(host="b")))
    other = Site(name="s", kind="web", content="C:\\s", app_pool="s", bindings=(binding(host="b"), binding()))

    assert differences(one, other) == []


def binding(host: str = "a") -> Binding:
    return Binding(protocol="http", ip="10.0.0.9", port=80, host=host)
