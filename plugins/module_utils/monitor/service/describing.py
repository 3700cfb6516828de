# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Describing requests: cluster, ip, volume, hierarchy and site.

Rule: all or nothing, one at a time, and never under the feet of what is in service. IIS is read and written in a
worker thread; what the change is, is decided by the pure ``core.describe``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from ..core.description import rulebook
from ..core.description.alterations import check_alterations, check_site_alterations, check_voters, serving
from ..core.description.describe import Change, RuleError, describe
from ..core.description.settings import read_sites as sites_described
from ..core.description.site_rules import overheard
from ..core.values.graph import groups_of
from ..core.values.model import Config, Site
from ..core.values.problems import Problem, found
from ..errors import NotThereError, RequestError
from ..surface import Surface
from ..windows.iis import IisSite, certificate_changes, read_sites, site_changes, write_sites
from .answers import Answer, Request, success

T = TypeVar("T")
VERBS = ("site", "cluster", "ip", "volume", "hierarchy")


class Configurable(Protocol):
    """What a description changes: the running monitor."""

    @property
    def node(self) -> str | None:
        """The node's name; None until a cluster was described."""

    @property
    def config(self) -> Config | None:
        """What is configured now."""

    def view(self) -> Mapping[str, Any] | None:
        """The status of the cluster."""

    def busy(self) -> Sequence[str]:
        """Groups with a move or a stop under way."""

    @property
    def changing(self) -> asyncio.Lock:
        """Held while the configuration is changed, by a description or from another node."""

    async def reconfigure(self, node: str, config: Config) -> None:
        """The configuration is durable and in force."""


class Describing:
    """``in_thread`` runs blocking work in a worker thread."""

    def __init__(
        self,
        *,
        monitor: Configurable,
        surface: Surface,
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        self._monitor = monitor
        self._surface = surface
        self._in_thread = in_thread

    async def answer(self, request: Request) -> Answer:
        """The change is made, or foretold in check mode.

        Raises:
            RequestError: it breaks rules (RuleError has them) or cannot be made now; nothing was changed.
        """
        async with self._monitor.changing:
            if request.verb == "site":
                return await self._site(request)
            return await self._configuration(request)

    # -- cluster, ip, volume, hierarchy -------------------------------------------------------------

    async def _configuration(self, request: Request) -> Answer:
        monitor = self._monitor
        node = self._node_named(request)
        sites: Mapping[str, IisSite] = {}
        if request.verb == "hierarchy":
            sites = await self._in_thread(lambda: read_sites(self._surface))
            _refuse_redirected(request, sites)
        plain = {name: iis.site for name, iis in sites.items()}
        before = monitor.config
        change = await self._in_thread(lambda: _described(before, request, plain))
        self._refuse_underfoot(change, off=_off(request))
        if change.config is not None and node is not None and not request.check and change.config != monitor.config:
            await monitor.reconfigure(node, change.config)
        data: dict[str, Any] = {}
        if change.config is not None:
            data["config_hash"] = change.config.digest
        if request.verb == "hierarchy":
            groups = groups_of(change.config).values() if change.config is not None else ()
            data["groups"] = [{"name": group.name, "tags": list(group.tags)} for group in groups]
            data["warnings"] = _overheard(change.config, sites)
        return success(data, changed=change.changed, diff=_diff(request, change))

    def _node_named(self, request: Request) -> str | None:
        known = self._monitor.node
        named = request.args.get("node") if request.verb == "cluster" else known
        if known is not None and named != known:
            raise RequestError(
                "rule",
                f"this node is {known!r} of cluster {self._cluster()!r} and cannot become {named!r}; to make it "
                "another node, stop service Holdfast, run 'holdfast forget-state' here, and start the service",
            )
        return str(named) if named is not None else None

    def _cluster(self) -> str:
        config = self._monitor.config
        return config.cluster.name if config else ""

    def _refuse_underfoot(self, change: Change, *, off: Collection[str]) -> None:
        """What is in service keeps what it stands on, and a group on the move is left alone."""
        before, view = self._monitor.config, self._monitor.view()
        if before is None or change.config is None or view is None or change.config == before:
            return
        problems = check_alterations(before, change.config, serving(view))
        if problems := problems + check_voters(before, change.config, view, off=off):
            raise RuleError(problems)
        old, new = groups_of(before), groups_of(change.config)
        if moving := [name for name in self._monitor.busy() if old.get(name) != new.get(name)]:
            raise RequestError("refused", f"{', '.join(moving)} is on the move now; repeat this when that is over")

    # -- site ---------------------------------------------------------------------------------------

    async def _site(self, request: Request) -> Answer:
        current: Mapping[str, IisSite] = await self._in_thread(lambda: read_sites(self._surface))
        sites = {name: iis.site for name, iis in current.items()}
        config = self._monitor.config
        change = await self._in_thread(lambda: _described(config, request, sites))
        wanted, _unused = sites_described(request.args.get("sites"), "sites")
        self._refuse_under_clients(sites, wanted)
        removed = [name for name in change.before if name not in change.after]
        differing = [site.name for site in wanted if _differs(current.get(site.name), site)]
        if (differing or removed) and not request.check:
            await self._in_thread(lambda: write_sites(self._surface, wanted, remove=removed))
        states = await self._in_thread(lambda: self._states([site.name for site in wanted]))
        as_wanted = set(states) - (set(differing) if request.check else set())
        rows = {name: {"state": state, "identical": name in as_wanted} for name, state in states.items()}
        return success({"sites": rows}, changed=bool(differing or removed), diff=_diff(request, change))

    def _refuse_under_clients(self, sites: Mapping[str, Site], wanted: Sequence[Site]) -> None:
        config, view, node = self._monitor.config, self._monitor.view(), self._monitor.node
        if config is None or view is None or node is None:
            return
        after = {site.name: site for site in wanted}
        if problems := check_site_alterations(config, sites, after, serving(view), node=node):
            raise RuleError(problems)

    def _states(self, names: Sequence[str]) -> dict[str, str]:
        """In a worker thread. The run state of each site; absent where IIS has none."""
        states = {}
        for name in names:
            try:
                states[name] = str(self._surface.iis_state(site=name))
            except NotThereError:
                states[name] = "absent"
        return states


def _described(config: Config | None, request: Request, sites: Mapping[str, Site]) -> Change:
    """In a worker thread: a thousand sites take a good part of a second. The digests are reckoned there as well."""
    change = describe(config, request.verb, request.args, sites, check=request.check)
    if change.config is not None:
        change.config.digest, change.config.ground  # noqa: B018 - cached from now on
    return change


def _overheard(config: Config | None, sites: Mapping[str, IisSite]) -> list[str]:
    """Warnings of sites that start by themselves and would answer in a protected site's place."""
    names = {hierarchy.site for hierarchy in config.hierarchies} if config is not None else set()
    protected = [iis.site for name, iis in sites.items() if name in names]
    others = [iis.site for name, iis in sites.items() if name not in names and iis.autostart]
    return overheard(protected, others)


def _off(request: Request) -> list[str]:
    """Nodes that leave, of which the operator says that they are off for good."""
    value = request.args.get("nodes_off")
    return [str(node) for node in value] if isinstance(value, list) else []


def _differs(current: IisSite | None, wanted: Site) -> bool:
    return bool(site_changes(current, wanted) or certificate_changes(current, wanted))


def _refuse_redirected(request: Request, sites: Mapping[str, IisSite]) -> None:
    """A site whose home is a redirection has no content of its own to protect (guide chapter 3, IIS Configuration)."""
    described = request.args.get("hierarchies")
    problems: list[Problem] = []
    for index, element in enumerate(described if isinstance(described, list) else ()):
        name = element.get("site") if isinstance(element, dict) else None
        iis = sites.get(name) if isinstance(name, str) else None
        if iis is not None and iis.content_kind == "redirect":
            message = f"site {name!r} is redirected elsewhere in IIS on this node."
            cure = "Remove the redirection from the site, or leave the site unprotected."
            path = f"hierarchies[{index}].site"
            rule = rulebook.CONTENT_NOT_URL
            problems.append(found(rule, path=path, value=name, message=message, cure=cure))
    if problems:
        raise RuleError(problems)


def _diff(request: Request, change: Change) -> dict[str, Any] | None:
    return {"before": change.before, "after": change.after} if request.diff else None
