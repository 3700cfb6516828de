# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clusters that are simulated: what is protected, and what it shares."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from holdfast.core.values.model import Cluster, CommPath, Config, Hierarchy, Ip, Profile, Volume

PATHS = ("a", "b")


@cache
def layout(name: str, nodes: tuple[str, ...], profile: Profile = "normal") -> Config:
    """A site with an address and a volume, and a second site.

    ``apart``: the second site has an address of its own and prefers another node, so there are two groups.
    ``sharing``: it answers at the first one's address, so there is one group; the other address is left over.
    ``bare``: no site is protected, so each address and the volume is a group of its own.
    """
    first = {node: i + 1 for i, node in enumerate(nodes)}
    second = {node: i + 1 for i, node in enumerate(reversed(nodes))}
    shop = _site("shop", first, ("ip-shop", "vol-shop"))
    hierarchies = {
        "apart": (shop, _site("docs", second, ("ip-docs",))),
        "sharing": (shop, _site("docs", first, ("ip-shop",))),
        "bare": (),
    }
    return Config(
        cluster=_cluster(nodes, profile),
        ips=(_ip("ip-shop", "10.9.0.1", first), _ip("ip-docs", "10.9.0.2", second)),
        volumes=(Volume(tag="vol-shop", drive="X:", driver="shared_disk", disk="d1", priorities=first),),
        hierarchies=hierarchies[name],
    )


def _cluster(nodes: tuple[str, ...], profile: Profile) -> Cluster:
    paths = tuple(
        CommPath(name=path, addresses={node: f"10.{i}.0.{j + 1}" for j, node in enumerate(nodes)})
        for i, path in enumerate(PATHS)
    )
    return Cluster(name="sim", arbiter="manual", profile=profile, comm_port=7430, comm_paths=paths)


def _ip(tag: str, address: str, priorities: Mapping[str, int]) -> Ip:
    lan = dict.fromkeys(priorities, "LAN")
    return Ip(tag=tag, address=address, prefix_length=24, interfaces=lan, priorities=priorities)


def _site(tag: str, priorities: Mapping[str, int], depends_on: tuple[str, ...]) -> Hierarchy:
    return Hierarchy(tag=tag, kind="web", site=tag, priorities=priorities, drain_s=0.0, depends_on=depends_on)
