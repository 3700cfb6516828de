# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The rules that concern several elements at once; the rules themselves, with their ids, are in ``rulebook``.

``check_inventory`` judges everything people wrote before any node is touched; the other functions judge what
a node has, with the same rules. None of them stops at the first problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Union

from ..values.model import Cluster, Config, Hierarchy, Ip, Site, Volume
from ..values.problems import Problem, Rule, found
from . import rulebook as rule
from .arbiter_rules import check_arbiter, check_pings
from .binding_rules import check_bindings
from .cluster_settings import draft_cluster
from .reading import Located, meant, shown
from .recovery_settings import check_recovery
from .resource_settings import draft_ips, draft_volumes
from .site_rules import Supply, dependencies, differences
from .site_settings import draft_hierarchies, draft_sites

__all__ = [
    "Supply",
    "check_bindings",
    "check_inventory",
    "check_match",
    "check_nodes",
    "check_priorities",
    "check_resources",
    "check_site_names",
    "check_tags",
    "dependencies",
    "differences",
]

_SECTIONS = ("holdfast_cluster", "holdfast_ips", "holdfast_volumes", "holdfast_sites")
Prioritised = Union[Ip, Volume, Hierarchy]


def check_inventory(
    *, cluster: object, ips: object, volumes: object, sites: object, nodes: Sequence[str]
) -> list[Problem]:
    """Every problem of the whole structure, in the order in which it is written; [] when all is well.

    ``nodes`` are the inventory hostnames of the hosts that are to form the cluster.
    """
    problems: list[Problem] = []
    cluster_draft = draft_cluster(cluster, "holdfast_cluster", problems)
    ip_drafts = draft_ips(ips, "holdfast_ips", problems)
    volume_drafts = draft_volumes(volumes, "holdfast_volumes", problems)
    site_drafts = draft_sites(sites, "holdfast_sites", problems)
    hierarchy_drafts = draft_hierarchies(sites, "holdfast_sites", problems, form="inventory")
    everything: list[Located[Prioritised]] = [*ip_drafts, *volume_drafts, *hierarchy_drafts]

    problems += check_nodes(cluster_draft, nodes)
    problems += check_arbiter(cluster_draft, ip_drafts)
    problems += check_pings(ip_drafts, nodes)
    problems += check_resources(cluster_draft.value if cluster_draft else None, ip_drafts, volume_drafts)
    problems += check_tags(everything)
    problems += [problem for draft in everything for problem in check_priorities(draft, nodes)]
    problems += check_site_names(site_drafts)
    problems += check_bindings(site_drafts)
    all_ips = [ip.value for ip in ip_drafts if ip.value.address]
    supply = Supply(all_ips, [volume.value for volume in volume_drafts if volume.value.drive])
    unclear = _unclear(ip_drafts, volume_drafts)
    for site, hierarchy in zip(site_drafts, hierarchy_drafts, strict=True):
        problems += _site_problems(site, hierarchy, supply, unclear)
    if cluster_draft is not None:
        problems += _check_groups(cluster_draft.value, supply, site_drafts, hierarchy_drafts)
    return _in_order(problems)


def check_nodes(cluster: Located[Cluster] | None, nodes: Sequence[str]) -> list[Problem]:
    """The cluster's nodes are those of the inventory, at least two, each on every comm path."""
    problems: list[Problem] = []
    path = f"{cluster.path}.comm_paths" if cluster else "holdfast_cluster"
    if len(nodes) < 2:
        message = f"there {'is one node, ' + nodes[0] if nodes else 'are no nodes'}."
        cure = "Put at least two hosts into the group that the playbook runs on."
        problems.append(found(rule.TWO_NODES, path=path, value=list(nodes), message=message, cure=cure))
    for index, comm_path in enumerate(cluster.value.comm_paths if cluster else ()):
        place = f"{path}[{index}].addresses"
        for node in comm_path.addresses:
            if node not in nodes:
                message = f"{shown(node)} is not a host of the inventory."
                problems.append(
                    found(
                        rule.NODE_KNOWN,
                        path=f"{place}.{node}",
                        value=node,
                        message=message,
                        cure=meant(node, nodes),
                    )
                )
        for node in nodes:
            if comm_path.addresses and node not in comm_path.addresses:
                message = f"node {node} has no address on comm path {shown(comm_path.name)}."
                cure = f"Add {node}: and its address on this network."
                problems.append(
                    found(
                        rule.NODE_ON_EVERY_PATH,
                        path=place,
                        value=sorted(comm_path.addresses),
                        message=message,
                        cure=cure,
                    )
                )
    return problems


def check_resources(
    cluster: Cluster | None, ips: Iterable[Located[Ip]], volumes: Iterable[Located[Volume]]
) -> list[Problem]:
    """Addresses, drives and disks are used once, and no switchable address is a node's own."""
    problems: list[Problem] = []
    ips, volumes = list(ips), list(volumes)
    problems += _twice(
        ((ip.value.address, ip.value.tag, f"{ip.path}.address") for ip in ips), rule.ADDRESS_ONCE, "address"
    )
    own = {
        address: node for path in (cluster.comm_paths if cluster else ()) for node, address in path.addresses.items()
    }
    for ip in ips:
        if ip.value.address and ip.value.address in own:
            message = f"{ip.value.address} is the comm-path address of {own[ip.value.address]}."
            cure = "Write a free address that no node has as its own."
            problems.append(
                found(
                    rule.ADDRESS_NOT_COMM,
                    path=f"{ip.path}.address",
                    value=ip.value.address,
                    message=message,
                    cure=cure,
                )
            )
    drives = ((volume.value.drive, volume.value.tag, f"{volume.path}.drive") for volume in volumes)
    disks = ((volume.value.disk, volume.value.tag, f"{volume.path}.disk") for volume in volumes)
    problems += _twice(drives, rule.DRIVE_ONCE, "drive")
    problems += _twice(disks, rule.DISK_ONCE, "disk")
    return problems


def check_tags(drafts: Iterable[Located[Prioritised]]) -> list[Problem]:
    """No two of them have the same tag, letter case apart."""
    problems = []
    first: dict[str, str] = {}
    for draft in drafts:
        tag = draft.value.tag
        other = first.setdefault(tag.lower(), draft.path)
        if tag and other != draft.path:
            message = f"the tag {shown(tag)} is that of {other} already (letter case does not matter)."
            cure = "Write a tag of its own, for example with ip- or vol- in front."
            problems.append(found(rule.TAG_ONCE, path=f"{draft.path}.tag", value=tag, message=message, cure=cure))
    return problems


def check_priorities(draft: Located[Prioritised], nodes: Sequence[str]) -> list[Problem]:
    """Its priorities name exactly the nodes, and so do an address's interfaces."""
    problems = []
    priorities = draft.value.priorities
    path = f"{draft.path}.priorities"
    for node in priorities:
        if node not in nodes:
            message = f"{shown(node)} is not a node of the cluster."
            problems.append(
                found(
                    rule.PRIORITY_NODE_KNOWN,
                    path=f"{path}.{node}",
                    value=node,
                    message=message,
                    cure=meant(node, nodes),
                )
            )
    for node in nodes:
        if priorities and node not in priorities:
            message = f"the priority of node {node} is missing."
            cure = f"Add {node}: with the next number."
            value = dict(priorities)
            problems.append(found(rule.PRIORITY_EVERY_NODE, path=path, value=value, message=message, cure=cure))
    for node in draft.value.interfaces if isinstance(draft.value, Ip) else ():
        if node not in nodes and node not in priorities:
            message = f"{shown(node)} is not a node of the cluster."
            place = f"{draft.path}.interface.{node}"
            problems.append(found(rule.NODE_KNOWN, path=place, value=node, message=message, cure=meant(node, nodes)))
    return problems


def check_site_names(drafts: Iterable[Located[Site]]) -> list[Problem]:
    """No two sites have names that differ only in letter case."""
    problems = []
    first: dict[str, Located[Site]] = {}
    for draft in drafts:
        name = draft.value.name
        other = first.setdefault(name.lower(), draft)
        if name and other is not draft:
            message = f"the name {shown(name)} is that of {other.path} ({shown(other.value.name)}) already."
            cure = "Give each site a name of its own; letter case alone does not tell them apart."
            problems.append(
                found(rule.SITE_NAME_ONCE, path=f"{draft.path}.name", value=name, message=message, cure=cure)
            )
    return problems


def check_match(hierarchy: Located[Hierarchy], resources: Iterable[Ip | Volume]) -> list[Problem]:
    """The hierarchy has the same priorities as each of these resources it depends on."""
    problems = []
    wanted = hierarchy.value.priorities
    for resource in resources:
        if wanted and resource.priorities and dict(wanted) != dict(resource.priorities):
            message = f"the priorities {_row(wanted)} are not those of {resource.tag}, {_row(resource.priorities)}."
            cure = f"Write the same priorities for {hierarchy.value.tag} and {resource.tag}: they move together."
            path = f"{hierarchy.path}.priorities"
            value = dict(wanted)
            problems.append(found(rule.PRIORITIES_MATCH, path=path, value=value, message=message, cure=cure))
    return problems


def _unclear(ips: Iterable[Located[Ip]], volumes: Iterable[Located[Volume]]) -> set[str]:
    """The rules that a site may seem to break only because an address or a drive, perhaps the one meant, is broken."""
    unclear = {rule.BINDING_IP_PROTECTED.id} if any(not ip.sound and not ip.value.address for ip in ips) else set()
    return unclear | ({rule.CONTENT_VOLUME.id} if any(not volume.value.drive for volume in volumes) else set())


def _site_problems(
    site: Located[Site], hierarchy: Located[Hierarchy], supply: Supply, unclear: set[str]
) -> list[Problem]:
    """What the site needs is declared, with the same priorities; broken fields were reported before."""
    _unused, problems = dependencies(site.value, supply, site.path)
    reported = {f"{site.path}.content"} if not site.value.content else set()
    reported |= {f"{site.path}.bindings[{i}].ip" for i, b in enumerate(site.value.bindings) if not b.ip}
    reported |= {f"{site.path}.bindings"}
    reported |= {problem.path for problem in problems if problem.rule in unclear}
    unreported = [problem for problem in problems if problem.path not in reported]
    return unreported + check_match(hierarchy, supply.needed(site.value))


def _check_groups(
    cluster: Cluster, supply: Supply, sites: Iterable[Located[Site]], hierarchies: Iterable[Located[Hierarchy]]
) -> list[Problem]:
    """What the sites of one group say of it does not contradict."""
    drafts = {
        draft.value.tag: (draft, supply.needed(site.value)) for site, draft in zip(sites, hierarchies, strict=True)
    }
    members = [
        replace(draft.value, depends_on=tuple(resource.tag for resource in needed)) for draft, needed in drafts.values()
    ]
    config = Config(
        cluster=cluster,
        ips=tuple(supply.ips.values()),
        volumes=tuple(supply.volumes.values()),
        hierarchies=tuple(members),
    )
    return check_recovery(config, {tag: draft.path for tag, (draft, _needed) in drafts.items()})


def _twice(uses: Iterable[tuple[str, str, str]], broken: Rule, what: str) -> list[Problem]:
    """A problem for every (value, tag, path) whose value an earlier one has."""
    problems = []
    first: dict[str, str] = {}
    for value, tag, path in uses:
        if value and value in first:
            message = f"{what} {shown(value)} is that of {first[value]} already."
            cure = f"Describe it once and let both sites use it, or write {tag or 'this one'}'s own {what}."
            problems.append(found(broken, path=path, value=value, message=message, cure=cure))
        elif value:
            first[value] = tag or path
    return problems


def _row(priorities: Mapping[str, int]) -> str:
    return ", ".join(f"{node}={number}" for node, number in sorted(priorities.items(), key=lambda item: item[1]))


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Element by element as they are written, and nothing twice.

    A site's element is read twice, once for the site and once for its protection. Two sites with one name
    have one tag as well unless they were given tags; the name is what to change then.
    """
    names = {problem.path.removesuffix(".name") for problem in problems if problem.rule == rule.SITE_NAME_ONCE.id}
    seen: dict[tuple[str, str, str], Problem] = {}
    for problem in problems:
        if problem.rule != rule.TAG_ONCE.id or problem.path.removesuffix(".tag") not in names:
            seen.setdefault((problem.path, problem.rule, problem.message), problem)
    return sorted(seen.values(), key=lambda problem: _place(problem.path))


def _place(path: str) -> tuple[int, int]:
    """Where the element stands: the position of its section, and its own within that."""
    section, _unused, rest = path.partition("[")
    index = rest.partition("]")[0]
    return _SECTIONS.index(section.partition(".")[0]), int(index) if index.isdigit() and "." not in section else -1
