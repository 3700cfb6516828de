# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clusters that are simulated: what is protected, and what it shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache, cached_property

from holdfast.core.values.model import (
    Arbiter,
    Cluster,
    CommPath,
    Config,
    Hierarchy,
    Ip,
    Manual,
    Profile,
    Recovery,
    Share,
    Volume,
    Witness,
)

PATHS = ("a", "b")
USUAL = Recovery()


class Layout(Config):
    """A configuration whose digest is reckoned once, since monitors start often here."""

    @cached_property
    def digest(self) -> str:
        return super().digest


@cache
def layout(
    name: str,
    nodes: tuple[str, ...],
    profile: Profile = "normal",
    paths: tuple[str, ...] = PATHS,
    arbiter: str = "manual",
    recovery: Recovery = USUAL,
) -> Layout:
    """A site with an address and a volume, and a second site.

    ``apart``: the second site has an address of its own and prefers another node, so there are two groups.
    ``sharing``: it answers at the first one's address, so there is one group; the other address is left over.
    ``bare``: no site is protected, so each address and the volume is a group of its own.
    ``turned``: as ``apart``, preferring other nodes; the groups are the same.
    ``shop`` and ``docs``: the first site alone, or the second.
    ``each``: every node has a site that prefers it, ``site-n1`` and so on, and then the others in a circle.
    """
    first = {node: i + 1 for i, node in enumerate(nodes)}
    second = {node: i + 1 for i, node in enumerate(reversed(nodes))}
    if name == "turned":
        first, second = second, first
    turns = {node: {n: (j - i) % len(nodes) + 1 for j, n in enumerate(nodes)} for i, node in enumerate(nodes)}
    own = tuple(_ip(f"ip-{node}", f"10.9.1.{i + 1}", turns[node]) for i, node in enumerate(nodes))
    shop = _site("shop", first, ("ip-shop", "vol-shop"))
    ips = (_ip("ip-shop", "10.9.0.1", first), _ip("ip-docs", "10.9.0.2", second))
    volume = Volume(tag="vol-shop", drive="X:", driver="shared_disk", disk="d1", priorities=first)
    apart = (shop, _site("docs", second, ("ip-docs",)))
    hierarchies: dict[str, tuple[Hierarchy, ...]] = {
        "each": tuple(_site(f"site-{node}", turns[node], (f"ip-{node}",)) for node in nodes),
        "apart": apart,
        "turned": apart,
        "sharing": (shop, _site("docs", first, ("ip-shop",))),
        "bare": (),
        "shop": apart[:1],
        "docs": apart[1:],
    }
    return Layout(
        cluster=replace(_cluster(nodes, profile, paths, arbiter), recovery=recovery),
        ips=own if name == "each" else tuple(ip for ip in ips if name not in ("shop", "docs") or name in ip.tag),
        volumes=() if name in ("each", "docs") else (volume,),
        hierarchies=hierarchies[name],
    )


def _cluster(nodes: tuple[str, ...], profile: Profile, names: tuple[str, ...], arbiter: str) -> Cluster:
    paths = tuple(
        CommPath(name=path, addresses={node: f"10.{i}.0.{j + 1}" for j, node in enumerate(nodes)})
        for i, path in enumerate(names)
    )
    kind: Arbiter = Manual()
    if arbiter == "witness":
        kind = Witness(name="w", addresses={path: f"10.{i}.0.99" for i, path in enumerate(names)}, port=7431)
    if arbiter == "store":
        kind = Share(path="\\\\files\\holdfast")
    return Cluster(name="sim", arbiter=kind, profile=profile, comm_port=7430, comm_paths=paths)


def _ip(tag: str, address: str, priorities: Mapping[str, int]) -> Ip:
    lan = dict.fromkeys(priorities, "LAN")
    return Ip(tag=tag, address=address, prefix_length=24, interfaces=lan, priorities=priorities)


def _site(tag: str, priorities: Mapping[str, int], depends_on: tuple[str, ...]) -> Hierarchy:
    return Hierarchy(tag=tag, kind="web", site=tag, priorities=priorities, drain_s=0.0, depends_on=depends_on)
