# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which changes of a description would pull the ground from under what is in service. HF7xx.

Rule: what is in service keeps what it stands on: a site its bindings and content, an address, a volume and a node
their place. Everything else (priorities, drain times, certificates, application pools) may change at any time.
Source: guide chapter 6, "Changing LifeKeeper Microsoft IIS Recovery Kit Configuration": port, address, host header
and secure setting are changed while the hierarchy is out of service, on every server, and not otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Union

from ..values.model import Config, Hierarchy, Ip, Site, Volume, identity
from ..values.problems import Problem, Rule, found

_GUIDE = "guide chapter 6, Changing LifeKeeper Microsoft IIS Recovery Kit Configuration"
SITE_IN_SERVICE = Rule(
    id="HF701", text="A protected site keeps its bindings and content while it is in service.", source=_GUIDE
)
RESOURCE_IN_SERVICE = Rule(
    id="HF702", text="An address or a volume keeps what it is while something in service needs it.", source=_GUIDE
)
REMOVED_IN_SERVICE = Rule(
    id="HF703",
    text="What is in service is taken out of service before it is removed.",
    source="guide chapter 4, Delete an IIS Resource Hierarchy",
)
NODE_IN_SERVICE = Rule(id="HF704", text="A node that has something in service stays in the cluster.", source=_GUIDE)
NODE_LEAVES = Rule(
    id="HF705",
    text="A node leaves the cluster when it is off for good, or has forgotten it.",
    source="docs/arbiters.md, Changes while groups run",
)
VOTERS_HEARD = Rule(
    id="HF706",
    text="The arbiter changes while all nodes that stay hear each other; nodes come while the arbiter votes besides.",
    source="docs/arbiters.md, Changes while groups run",
)
RULES = (SITE_IN_SERVICE, RESOURCE_IN_SERVICE, REMOVED_IN_SERVICE, NODE_IN_SERVICE, NODE_LEAVES, VOTERS_HEARD)
Resource = Union[Ip, Volume, Hierarchy]


def serving(view: Mapping[str, Any]) -> dict[str, str]:
    """The node on which each tag is in service, from the status of the cluster; tags that are out are left out."""
    placed: dict[str, str] = {}
    for group in view["groups"]:
        node = group["holder"]
        heads = [h for h in group["hierarchies"] if not h["by_operator"]]
        tags = {tag for h in heads for tag in (h["tag"], *h["depends_on"])}
        if not group["hierarchies"]:
            tags = {resource["tag"] for resource in group["resources"]}
        if node is not None:
            placed.update(dict.fromkeys(tags, node))
    return placed


def check_alterations(before: Config, after: Config, placed: Mapping[str, str]) -> list[Problem]:
    """What the new configuration would do to tags that are in service on the nodes ``placed`` names."""
    problems = []
    new = _by_tag(after)
    for tag, old in sorted(_by_tag(before).items()):
        node = placed.get(tag)
        if node is None:
            continue
        if tag not in new:
            message = f"{tag!r} is in service on {node} and would be removed."
            problems.append(_problem(REMOVED_IN_SERVICE, tag, None, message, f"Take {tag} out of service first."))
        elif (lost := _lost(old, new[tag], node)) is not None:
            message = f"{tag!r} is in service on {node}; {lost} cannot change now."
            problems.append(_problem(RESOURCE_IN_SERVICE, tag, None, message, _cure(tag)))
    for node in sorted(set(placed.values()) - set(after.cluster.nodes)):
        tags = sorted(tag for tag, holder in placed.items() if holder == node)
        message = f"node {node!r} has {', '.join(tags)} in service and would leave the cluster."
        problems.append(_problem(NODE_IN_SERVICE, "cluster", node, message, "Switch them to another node first."))
    return problems


def check_voters(before: Config, after: Config, view: Mapping[str, Any], *, off: Collection[str]) -> list[Problem]:
    """Whether the nodes can agree upon who votes from now on, by the status ``view``; ``off`` is the operator's word.

    While they do, groups are held by the votes of all nodes (``cluster.agreement``), so one that is away would cost
    their permits; and one that leaves may still live by the arbiter where nobody hears it.
    """
    states = {row["name"]: row["state"] for row in view["nodes"] if not row["self"]}
    leaving = [node for node in before.cluster.nodes if node not in after.cluster.nodes and node in states]
    problems = [p for node in leaving if (p := _leaves(node, states[node], node in off)) is not None]
    new = sorted(set(after.cluster.nodes) - set(before.cluster.nodes))
    old, wanted = identity(before.cluster.arbiter), identity(after.cluster.arbiter)
    if not serving(view) or (old == wanted and not new):
        return problems
    what = f"the arbiter ({old} to {wanted})" if old != wanted else f"the nodes ({', '.join(new)} added)"
    if new and (problem := _come(new, view["voting"], change=what if old != wanted else "")) is not None:
        problems.append(problem)
    for node, state in sorted(states.items()):
        if state != "alive" and node in after.cluster.nodes:
            message = f"{node} is {state}; {what} cannot change while groups run and a node is away."
            cure = f"Bring {node} back first, or let it leave the cluster (nodes_off: [{node}])."
            problems.append(_problem(VOTERS_HEARD, "cluster", node, message, cure))
    return problems


def _come(new: Collection[str], votes: Mapping[str, Any], *, change: str) -> Problem | None:
    """Why nodes cannot come now; None when they can.

    From the change on their votes are needed too where the arbiter's is not there, and they may never be heard.
    """
    names = ", ".join(new)
    if change:
        message = f"{names} cannot come in one step with another arbiter ({change.partition(' (')[2]} while groups run."
        return _problem(VOTERS_HEARD, "cluster", names, message, "Change the arbiter first, and add the nodes then.")
    if votes["counts"] and votes["answers"]:
        return None
    message = f"{names} cannot come while groups run and {votes['arbiter']} does not vote ({votes['reason']})."
    return _problem(VOTERS_HEARD, "cluster", names, message, "Repair the arbiter first, or exchange it for another.")


def _leaves(node: str, state: str, off: bool) -> Problem | None:
    """Why the node cannot leave; None when it can."""
    if state in ("alive", "suspect"):
        message = f"node {node!r} would leave the cluster and is still {state}."
        cure = f"Stop service Holdfast on {node} and run 'holdfast forget-state' there, or switch it off, and repeat."
        return _problem(NODE_LEAVES, "cluster", node, message, cure)
    if not off:
        message = f"node {node!r} would leave the cluster; it is not heard, and may still serve where nobody hears it."
        cure = f"Make sure that {node} is switched off or has forgotten the cluster, and say so: nodes_off: [{node}]."
        return _problem(NODE_LEAVES, "cluster", node, message, cure)
    return None


def check_site_alterations(
    config: Config, before: Mapping[str, Site], after: Mapping[str, Site], placed: Mapping[str, str], *, node: str
) -> list[Problem]:
    """What the new IIS sites of the node would do to protected sites that are in service there.

    On a standby a site may be changed at any time: that is how one that was altered by hand is put right.
    """
    problems = []
    for hierarchy in config.hierarchies:
        old, new = before.get(hierarchy.site), after.get(hierarchy.site)
        if old is None or new is None or placed.get(hierarchy.tag) != node:
            continue
        changed = [name for name, differs in _differences(old, new).items() if differs]
        if changed:
            message = f"site {old.name!r} is in service on {node}; its {' and '.join(changed)} cannot change now."
            problems.append(_problem(SITE_IN_SERVICE, old.name, None, message, _cure(hierarchy.tag)))
    return problems


def _differences(old: Site, new: Site) -> dict[str, bool]:
    """Certificates do not count: one that expires has to be replaced while the site runs."""
    places = [{replace(binding, certificate=None) for binding in site.bindings} for site in (old, new)]
    return {"bindings": places[0] != places[1], "content": old.content != new.content}


def _lost(old: Resource, new: Resource, node: str) -> str | None:
    """What the resource in service on the node would lose; None when it keeps what it stands on."""
    if isinstance(old, Ip) and isinstance(new, Ip):
        there = (old.address, old.prefix_length, old.interfaces.get(node))
        then = (new.address, new.prefix_length, new.interfaces.get(node))
        return "its address, prefix length and interface" if there != then else None
    if isinstance(old, Volume) and isinstance(new, Volume):
        stays = (old.drive, old.driver, old.disk) == (new.drive, new.driver, new.disk)
        return None if stays else "its drive, driver and disk"
    if isinstance(old, Hierarchy) and isinstance(new, Hierarchy):
        return None if old.site == new.site else "its site"
    return "its kind"


def _by_tag(config: Config) -> dict[str, Resource]:
    resources: list[Resource] = [*config.ips, *config.volumes, *config.hierarchies]
    return {resource.tag: resource for resource in resources}


def _cure(tag: str) -> str:
    return f"Take {tag} out of service, make the change on every node, and bring it into service again."


def _problem(rule: Rule, path: str, value: Any, message: str, cure: str) -> Problem:
    return found(rule, path=path, value=value, message=message, cure=cure)
