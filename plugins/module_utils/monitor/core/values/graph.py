# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Resources, what depends on what, and the groups that can only move as one.

Source: guide chapter 3, "Use Different Volume for Multiple IIS Sites": sites that share an address or a volume
are tied together. Here the whole set moves, so that no site is left behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .events import Resource
from .model import Config, Hierarchy, Ip, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The smallest set of resources that share nothing with any other: it is always on one node as a whole.

    ``name`` is its first hierarchy's tag, or its first resource's tag while nothing depends on it.
    """

    name: str
    hierarchies: tuple[Hierarchy, ...]
    ips: tuple[Ip, ...]
    volumes: tuple[Volume, ...]

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All resources, children before parents."""
        return (*self.volumes, *self.ips, *self.hierarchies)

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of all resources, children before parents."""
        return tuple(resource.tag for resource in self.resources)

    @property
    def heads(self) -> tuple[str, ...]:
        """The tags that people bring in and out of service: the hierarchies, or the resources where there are none."""
        if self.hierarchies:
            return tuple(hierarchy.tag for hierarchy in self.hierarchies)
        return self.tags

    @property
    def priorities(self) -> Mapping[str, int]:
        """Priority by node, 1 = preferred. Equal for all members (rule HF508)."""
        return (self.hierarchies or self.resources)[0].priorities

    @property
    def preferred(self) -> str:
        """The node with priority 1, or the best there is."""
        return min(self.priorities, key=lambda node: (self.priorities[node], node))

    def needed(self, out: Iterable[str]) -> tuple[Resource, ...]:
        """The resources that run while the hierarchies ``out`` are out of service.

        A child stays while any hierarchy that is in service needs it. In a group without hierarchies ``out`` names
        the resources themselves.
        """
        if not self.hierarchies:
            return tuple(resource for resource in self.resources if resource.tag not in set(out))
        serving = [h for h in self.hierarchies if h.tag not in set(out)]
        tags = {tag for h in serving for tag in (h.tag, *h.depends_on)}
        return tuple(resource for resource in self.resources if resource.tag in tags)


def groups_of(config: Config) -> dict[str, Group]:
    """The groups by name; every resource is in exactly one."""
    resources: tuple[Resource, ...] = (*config.ips, *config.volumes, *config.hierarchies)
    parent = {resource.tag: resource.tag for resource in resources}

    def root(tag: str) -> str:
        while parent[tag] != tag:
            tag = parent[tag]
        return tag

    for hierarchy in config.hierarchies:
        for child in hierarchy.depends_on:
            parent[root(child)] = root(hierarchy.tag)
    members: dict[str, set[str]] = {}
    for tag in parent:
        members.setdefault(root(tag), set()).add(tag)
    groups = [_group(config, tags) for tags in members.values()]
    return {group.name: group for group in sorted(groups, key=lambda group: group.name)}


def _group(config: Config, tags: set[str]) -> Group:
    hierarchies = tuple(sorted((h for h in config.hierarchies if h.tag in tags), key=lambda h: h.tag))
    ips = tuple(sorted((i for i in config.ips if i.tag in tags), key=lambda i: i.tag))
    volumes = tuple(sorted((v for v in config.volumes if v.tag in tags), key=lambda v: v.tag))
    name = min([h.tag for h in hierarchies] or [i.tag for i in ips] + [v.tag for v in volumes])
    return Group(name=name, hierarchies=hierarchies, ips=ips, volumes=volumes)
