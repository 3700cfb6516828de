# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a describing verb changes: the same answer for the run, for its check mode, and for the control host.

Pure: nothing is stored here. A request that breaks a rule is refused as a whole, with every problem of it.
In check mode what an earlier task of the same run would have made may be missing; that is no problem then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, Union

from ...errors import RequestError
from ..values.model import Config, Hierarchy, Ip, Site, Volume, as_data
from ..values.problems import Problem, found
from . import rulebook as rule
from .arbiter_rules import check_arbiter, check_pings
from .cluster_settings import draft_cluster
from .reading import Located, meant, shown, sound_values
from .recovery_settings import check_recovery
from .resource_settings import draft_ips, draft_volumes
from .rules import (
    Supply,
    check_bindings,
    check_match,
    check_priorities,
    check_resources,
    check_site_names,
    check_tags,
    dependencies,
)
from .site_settings import draft_hierarchies, draft_sites

VERBS = ("cluster", "ip", "volume", "hierarchy", "site")
Resource = Union[Ip, Volume, Hierarchy]
R = TypeVar("R", bound=Union[Ip, Volume, Hierarchy])


class RuleError(RequestError):
    """A description breaks rules; ``problems`` has all of them and nothing was changed."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        count = "a rule" if len(problems) == 1 else f"{len(problems)} rules"
        super().__init__("rule", f"The description breaks {count}; nothing was changed.")
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The described things before and after, by tag or name, and the configuration that results.

    ``config`` is None only in check mode, when no cluster has been described yet.
    """

    before: dict[str, Any]
    after: dict[str, Any]
    config: Config | None

    @property
    def changed(self) -> bool:
        """Something differs."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    config: Config | None
    args: Mapping[str, Any]
    sites: Mapping[str, Site]
    check: bool

    @property
    def prune(self) -> bool:
        return bool(self.args.get("prune", False))

    @property
    def nodes(self) -> tuple[str, ...]:
        return self.config.cluster.nodes if self.config else ()


def describe(
    config: Config | None,
    verb: str,
    args: Mapping[str, Any],
    sites_of_node: Mapping[str, Site],
    *,
    check: bool = False,
) -> Change:
    """The change that this request makes to this configuration on a node with these sites in IIS.

    Raises:
        RuleError: with every problem of the request.
    """
    request = _Request(config=config, args=args, sites=sites_of_node, check=check)
    return _DESCRIBERS[verb](request)


def _cluster(request: _Request) -> Change:
    problems: list[Problem] = []
    draft = draft_cluster(request.args.get("cluster"), "cluster", problems)
    node = request.args.get("node")
    if draft and draft.sound and node not in draft.value.nodes:
        message = f"{shown(node)}, the name of this node, is on no comm path."
        cure = meant(node, draft.value.nodes)
        problems.append(found(rule.NODE_KNOWN, path="node", value=node, message=message, cure=cure))
    old = request.config
    problems += check_arbiter(draft, [Located(path="", value=ip) for ip in (old.ips if old else ())])
    if problems or draft is None:
        raise RuleError(problems)
    config = replace(old, cluster=draft.value) if old else Config(cluster=draft.value)
    return Change(before=as_data(old.cluster) if old else {}, after=as_data(draft.value), config=config)


def _ip(request: _Request) -> Change:
    problems = _missing_cluster(request)
    drafts = draft_ips(request.args.get("ips"), "ips", problems)
    old = request.config.ips if request.config else ()
    cluster = request.config.cluster if request.config else None
    problems += check_resources(cluster, [*_kept(old, drafts), *drafts], [])
    problems += check_pings([*_kept(old, drafts), *drafts], cluster.nodes if cluster else ())
    return _replace_resources(request, old, drafts, "ips", problems)


def _volume(request: _Request) -> Change:
    problems = _missing_cluster(request)
    drafts = draft_volumes(request.args.get("volumes"), "volumes", problems)
    old = request.config.volumes if request.config else ()
    problems += check_resources(None, [], [*_kept(old, drafts), *drafts])
    return _replace_resources(request, old, drafts, "volumes", problems)


def _hierarchy(request: _Request) -> Change:
    problems = _missing_cluster(request)
    drafts = draft_hierarchies(request.args.get("hierarchies"), "hierarchies", problems)
    old = request.config.hierarchies if request.config else ()
    problems += _check_protection([*_kept(old, drafts), *drafts], {hierarchy.tag: hierarchy for hierarchy in old})
    supply = Supply(request.config.ips, request.config.volumes) if request.config else Supply((), ())
    known = {hierarchy.tag: hierarchy.depends_on for hierarchy in old}
    dependent = []
    for draft in drafts:
        tags, more = _depends_on(request, draft, supply, known.get(draft.value.tag, ()))
        problems += more
        dependent.append(replace_value(draft, replace(draft.value, depends_on=tags)))
    if request.config is not None and not problems and not request.check:
        stay = [kept.value for kept in _kept(old, drafts) if not request.prune]
        after = replace(request.config, hierarchies=(*stay, *(draft.value for draft in dependent)))
        problems += check_recovery(after, {draft.value.tag: draft.path for draft in drafts})
    return _replace_resources(request, old, dependent, "hierarchies", problems)


def _site(request: _Request) -> Change:
    problems: list[Problem] = []
    drafts = draft_sites(request.args.get("sites"), "sites", problems)
    wanted = {draft.value.name: draft.value for draft in drafts}
    others = [
        Located(path=f"IIS site {shown(name)}", value=site)
        for name, site in request.sites.items()
        if name not in wanted and not request.prune
    ]
    problems += check_site_names([*others, *drafts])
    problems += check_bindings([*others, *drafts])
    pruned = [name for name in request.sites if request.prune and name not in wanted]
    protected = {hierarchy.site: hierarchy.tag for hierarchy in (request.config.hierarchies if request.config else ())}
    problems += [_in_use("sites", name, protected[name]) for name in pruned if name in protected]
    if problems:
        raise RuleError(problems)
    before = {name: as_data(site) for name, site in request.sites.items() if name in wanted or name in pruned}
    after = {name: as_data(site) for name, site in wanted.items()}
    return Change(before=before, after=after, config=request.config)


_DESCRIBERS: dict[str, Callable[[_Request], Change]] = {
    "cluster": _cluster,
    "ip": _ip,
    "volume": _volume,
    "hierarchy": _hierarchy,
    "site": _site,
}


def replace_value(draft: Located[R], value: R) -> Located[R]:
    """The same place with another value."""
    return Located(path=draft.path, value=value, sound=draft.sound)


def _replace_resources(
    request: _Request, old: tuple[R, ...], drafts: Sequence[Located[R]], field: str, problems: list[Problem]
) -> Change:
    """The described resources replace those with the same tags; the others stay, or are pruned."""
    config: Config | None = request.config
    if config is not None:
        if not request.check:
            # An earlier task of the same run would have described other nodes; the inventory as a whole was checked.
            problems += [problem for draft in drafts for problem in check_priorities(draft, config.cluster.nodes)]
        problems += check_tags([*_others(config, field), *_kept(old, drafts), *drafts])
    wanted = {draft.value.tag: draft.value for draft in drafts}
    pruned = [resource.tag for resource in old if request.prune and resource.tag not in wanted]
    # In check mode an earlier task of the same run would have removed the hierarchy.
    for hierarchy in config.hierarchies if config and field != "hierarchies" and not request.check else ():
        problems += [_in_use(field, tag, hierarchy.tag) for tag in pruned if tag in hierarchy.depends_on]
    if problems:
        raise RuleError(problems)
    before = {resource.tag: as_data(resource) for resource in old if resource.tag in wanted or resource.tag in pruned}
    after = {tag: as_data(wanted[tag]) for tag in sorted(wanted)}
    stay: list[R] = [resource for resource in old if resource.tag not in before]
    new = tuple(sorted((*stay, *sound_values(drafts)), key=lambda resource: resource.tag))
    changes: dict[str, Any] = {field: new}
    return Change(before=before, after=after, config=replace(config, **changes) if config else None)


def _kept(old: Sequence[R], drafts: Sequence[Located[R]]) -> list[Located[R]]:
    """What the node has already and this request does not speak of."""
    wanted = {draft.value.tag for draft in drafts}
    return [
        Located(path=f"{shown(resource.tag)} on the node", value=resource)
        for resource in old
        if resource.tag not in wanted
    ]


def _others(config: Config, field: str) -> list[Located[Resource]]:
    """The node's resources of the other kinds, whose tags are taken."""
    kinds: dict[str, Sequence[Resource]] = {
        "ips": config.ips,
        "volumes": config.volumes,
        "hierarchies": config.hierarchies,
    }
    resources = [resource for kind in kinds if kind != field for resource in kinds[kind]]
    return [Located(path=f"{shown(resource.tag)} on the node", value=resource) for resource in resources]


def _missing_cluster(request: _Request) -> list[Problem]:
    if request.config or request.check:
        return []
    message = "no cluster is described on this node yet."
    cure = "Run holdfast.iis.cluster on every node first, as the playbook site.yml does."
    return [found(rule.CLUSTER_FIRST, path="cluster", value=None, message=message, cure=cure)]


def _check_protection(drafts: Sequence[Located[Hierarchy]], old: Mapping[str, Hierarchy]) -> list[Problem]:
    """A site belongs to one hierarchy, and a hierarchy keeps its site."""
    problems = []
    first: dict[str, str] = {}
    for draft in drafts:
        tag, site = draft.value.tag, draft.value.site
        other = first.setdefault(site.lower(), tag)
        if site and other != tag:
            message = f"site {shown(site)} is protected by hierarchy {shown(other)} already."
            cure = "Describe one hierarchy for the site; it may have several bindings."
            problems.append(
                found(
                    rule.SITE_PROTECTED_ONCE,
                    path=f"{draft.path}.site",
                    value=site,
                    message=message,
                    cure=cure,
                )
            )
        if tag in old and old[tag].site != site:
            message = f"hierarchy {shown(tag)} protects site {shown(old[tag].site)}, not {shown(site)}."
            cure = "Give the other site's protection a tag of its own, and remove this one with prune: true."
            problems.append(found(rule.SITE_STAYS, path=f"{draft.path}.site", value=site, message=message, cure=cure))
    return problems


def _depends_on(
    request: _Request, draft: Located[Hierarchy], supply: Supply, known: tuple[str, ...]
) -> tuple[tuple[str, ...], list[Problem]]:
    """The tags that the hierarchy's site needs, and why it cannot be protected (guide chapter 4)."""
    name = draft.value.site
    if not name or not request.config:
        return known, []
    if name not in request.sites:
        return known, [] if request.check else [_no_site(draft, request.sites)]
    site = request.sites[name]
    tags, problems = dependencies(site, supply, f"{draft.path}.site {shown(name)}")
    if request.check:
        later = (rule.BINDING_IP_PROTECTED.id, rule.CONTENT_VOLUME.id)
        problems = [problem for problem in problems if problem.rule not in later]
    return tags, problems + check_match(draft, supply.needed(site))


def _no_site(draft: Located[Hierarchy], sites: Mapping[str, Site]) -> Problem:
    name = draft.value.site
    twin = next((other for other in sites if other.lower() == name.lower()), None)
    message = f"IIS on this node has no site {shown(name)}" + (f", but {shown(twin)}." if twin else ".")
    cure = f"Write {shown(twin)}." if twin else "Create it first with holdfast.iis.site."
    return found(rule.SITE_THERE, path=f"{draft.path}.site", value=name, message=message, cure=cure)


def _in_use(path: str, name: str, hierarchy: str) -> Problem:
    message = f"{shown(name)} is not in the list any more, but hierarchy {shown(hierarchy)} needs it."
    cure = f"Keep {name} in the list, or remove hierarchy {hierarchy} first (prune: true)."
    return found(rule.IN_USE, path=path, value=name, message=message, cure=cure)
