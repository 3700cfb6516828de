# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups: what shares an address or a volume moves as one. Source: guide chapter 3, different volumes for sites."""

from __future__ import annotations

from dataclasses import replace

from holdfast.core.values.graph import groups_of
from holdfast.core.values.model import Cluster, CommPath, Config, Hierarchy, Ip, Manual, Volume

FIRST = {"n1": 1, "n2": 2}
PATHS = (CommPath(name="a", addresses={"n1": "10.0.0.1", "n2": "10.0.0.2"}),)
CLUSTER = Cluster(name="web", arbiter=Manual(), profile="normal", comm_port=7430, comm_paths=PATHS)


def _ip(tag: str) -> Ip:
    return Ip(tag=tag, address="192.0.2.1", prefix_length=24, interfaces={}, priorities=FIRST)


def _volume(tag: str) -> Volume:
    return Volume(tag=tag, drive="X:", driver="shared_disk", disk=tag, priorities=FIRST)


def _site(tag: str, *children: str) -> Hierarchy:
    return Hierarchy(tag=tag, kind="web", site=tag, priorities=FIRST, drain_s=0.0, depends_on=children)


APART = Config(
    cluster=CLUSTER,
    ips=(_ip("ip-1"), _ip("ip-2")),
    volumes=(_volume("vol"),),
    hierarchies=(_site("shop", "ip-1", "vol"), _site("docs", "ip-2")),
)
SHARING = replace(APART, hierarchies=(_site("shop", "ip-1", "vol"), _site("docs", "ip-1")))


def test_sites_with_nothing_in_common_move_apart() -> None:
    groups = groups_of(APART)
    assert {name: group.tags for name, group in groups.items()} == {
        "docs": ("ip-2", "docs"),
        "shop": ("vol", "ip-1", "shop"),
    }


def test_sites_that_share_an_address_are_one_group_named_after_the_first() -> None:
    groups = groups_of(SHARING)
    assert set(groups) == {"docs", "ip-2"}
    assert groups["docs"].heads == ("docs", "shop")


def test_an_address_that_nothing_needs_is_a_group_of_its_own() -> None:
    assert groups_of(SHARING)["ip-2"].heads == ("ip-2",)


def test_a_child_runs_as_long_as_one_site_needs_it() -> None:
    group = groups_of(SHARING)["docs"]
    assert [r.tag for r in group.needed(())] == ["vol", "ip-1", "docs", "shop"]
    assert [r.tag for r in group.needed({"shop"})] == ["ip-1", "docs"]
    assert [r.tag for r in group.needed({"shop", "docs"})] == []


def test_without_sites_what_is_out_names_the_resource_itself() -> None:
    group = groups_of(SHARING)["ip-2"]
    assert [r.tag for r in group.needed(())] == ["ip-2"]
    assert group.needed({"ip-2"}) == ()


def test_the_preferred_node_has_priority_one() -> None:
    assert groups_of(APART)["shop"].preferred == "n1"


def test_groups_do_not_depend_on_the_order_of_description() -> None:
    turned = replace(SHARING, hierarchies=SHARING.hierarchies[::-1], ips=SHARING.ips[::-1])
    assert groups_of(turned) == groups_of(SHARING)
