# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Resources, what depends on what, and the groups that can only move as one.

Source: guide chapter 3, "Use Different Volume for Multiple IIS Sites": sites that share an address or a volume
are tied together. Here the whole set moves, so that no site is left behind.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .events import Resource
from .model import Config, Hierarchy, Ip, Volume


@dataclass(frozen=True, kw_only=True)
class Group:
    """The smallest set of resources that share nothing with any other: it is always on one node as a whole.

    ``name`` is its first hierarchy's tag, or its first resource's tag while nothing depends on it.
    """

    name: str
    hierarchies: tuple[Hierarchy, ...]
    ips: tuple[Ip, ...]
    volumes: tuple[Volume, ...]

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """All resources, children before parents."""
        return (*self.volumes, *self.ips, *self.hierarchies)

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """The tags of all resources, children before parents."""
        return tuple(resource.tag for resource in self.resources)

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The tags that people bring in and out of service: the hierarchies, or the resources where there are none."""
        if self.hierarchies:
            return tuple(hierarchy.tag for hierarchy in self.hierarchies)
        return self.tags

    @property
    def priorities(self) -> Mapping[str, int]:
        """Priority by node, 1 = preferred. Equal for all members (rule HF508)."""
        return (self.hierarchies or self.resources)[0].priorities

    @cached_property
    def recovery(self) -> Mapping[str, Any]:
        """The keys of ``Recovery`` that the group has of its own: those of its hierarchies (rule HF147)."""
        return {key: value for hierarchy in self.hierarchies for key, value in hierarchy.recovery.items()}

    @cached_property
    def preferred(self) -> str:
        """The node with priority 1, or the best there is."""
        return min(self.priorities, key=lambda node: (self.priorities[node], node))

    def needed(self, out: Collection[str]) -> tuple[Resource, ...]:
        """The resources that run while the hierarchies ``out`` are out of service.

        A child stays while any hierarchy that is in service needs it. In a group without hierarchies ``out`` names
        the resources themselves.
        """
        if not out:
            return self.resources
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
    by_tag: dict[str, Resource] = {resource.tag: resource for resource in resources}
    groups = [_group([by_tag[tag] for tag in sorted(tags)]) for tags in members.values()]
    return {group.name: group for group in sorted(groups, key=lambda group: group.name)}


def _group(resources: Sequence[Resource]) -> Group:
    """The group of these resources, given in the order of their tags."""
    hierarchies = tuple(resource for resource in resources if isinstance(resource, Hierarchy))
    ips = tuple(resource for resource in resources if isinstance(resource, Ip))
    volumes = tuple(resource for resource in resources if isinstance(resource, Volume))
    name = (hierarchies or resources)[0].tag
    return Group(name=name, hierarchies=hierarchies, ips=ips, volumes=volumes)
