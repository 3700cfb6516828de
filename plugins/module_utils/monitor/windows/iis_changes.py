# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""From the site that IIS has to the site that is wanted: the smallest list of edits. Pure.

Rule: what the description does not speak of stays as it is (other protocols, logging, further applications,
the other bits of sslFlags). A site made here never starts by itself, on no node.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Mapping

from ..core.values.model import Binding, Site
from ..surface import ConfigChange
from .iis_config import SNI, IisSite

SITES = "system.applicationHost/sites"
POOLS = "system.applicationHost/applicationPools"

Step = tuple[str, Mapping[str, str]]


def site_changes(current: IisSite | None, wanted: Site, *, taken_ids: Collection[int] = ()) -> list[ConfigChange]:
    """The edits that make IIS have the wanted site; none when it has it already.

    Certificates are not among them: ``certificate_changes``. ``taken_ids`` are the ids of the other sites.
    """
    changes = _pool(current, wanted) + _own_attributes(current, wanted, taken_ids) + _home(current, wanted)
    return changes + _removed_bindings(current, wanted) + _set_bindings(current, wanted)


def removal(name: str) -> ConfigChange:
    """The edit that takes the site out of the configuration; its application pool stays."""
    return ConfigChange(op="remove", section=SITES, path=(("site", {"name": name}),), attributes={})


def certificate_changes(current: IisSite | None, wanted: Site) -> list[Binding]:
    """The https bindings whose certificate has to be bound, to be done after the commit."""
    have = () if current is None else current.site.bindings
    bound = {binding.information: binding.certificate for binding in have}
    secure = [binding for binding in wanted.bindings if binding.protocol == "https" and binding.certificate]
    return [binding for binding in secure if bound.get(binding.information) != binding.certificate]


def site_id(name: str, taken: Collection[int]) -> int:
    """An id that is free here, the same on every node unless one of them has it taken.

    Derived from the name, so that log folders (W3SVC<id>) and counters match between nodes.
    """
    candidate = 1000 + zlib.crc32(name.encode()) % 1_000_000_000
    while candidate in taken:
        candidate += 1
    return candidate


def _pool(current: IisSite | None, wanted: Site) -> list[ConfigChange]:
    same = current is not None and current.pool_exists and current.site.app_pool == wanted.app_pool
    return [] if same else [_set(POOLS, (("add", {"name": wanted.app_pool}),), {})]


def _own_attributes(current: IisSite | None, wanted: Site, taken_ids: Collection[int]) -> list[ConfigChange]:
    path = _site_path(wanted)
    if current is None:
        attributes = {"id": str(site_id(wanted.name, taken_ids)), "serverAutoStart": "false"}
        return [_set(SITES, path, attributes)]
    return [_set(SITES, path, {"serverAutoStart": "false"})] if current.autostart else []


def _home(current: IisSite | None, wanted: Site) -> list[ConfigChange]:
    application: tuple[Step, ...] = (*_site_path(wanted), ("application", {"path": "/"}))
    changes = []
    if current is None or current.site.app_pool != wanted.app_pool:
        changes.append(_set(SITES, application, {"applicationPool": wanted.app_pool}))
    if current is None or current.site.content != wanted.content:
        directory = (*application, ("virtualDirectory", {"path": "/"}))
        changes.append(_set(SITES, directory, {"physicalPath": wanted.content}))
    return changes


def _removed_bindings(current: IisSite | None, wanted: Site) -> list[ConfigChange]:
    kept = {_key(binding) for binding in wanted.bindings}
    have = () if current is None else current.site.bindings
    return [
        ConfigChange(op="remove", section=SITES, path=_binding_path(wanted, binding), attributes={})
        for binding in have
        if _key(binding) not in kept
    ]


def _set_bindings(current: IisSite | None, wanted: Site) -> list[ConfigChange]:
    have = set() if current is None else {_key(binding) for binding in current.site.bindings}
    changes = []
    for binding in wanted.bindings:
        before = 0 if current is None else current.ssl_flags.get(binding.information, 0)
        after = _flags(binding, before)
        if _key(binding) not in have:
            attributes = {"sslFlags": str(after)} if after else {}
            changes.append(_set(SITES, _binding_path(wanted, binding), attributes))
        elif after != before:
            changes.append(_set(SITES, _binding_path(wanted, binding), {"sslFlags": str(after)}))
    return changes


def _flags(binding: Binding, before: int) -> int:
    if binding.protocol == "http":
        return before
    return before | SNI if binding.sni else before & ~SNI


def _key(binding: Binding) -> tuple[str, str]:
    return binding.protocol, binding.information


def _site_path(site: Site) -> tuple[Step, ...]:
    return (("site", {"name": site.name}),)


def _binding_path(site: Site, binding: Binding) -> tuple[Step, ...]:
    keys = {"protocol": binding.protocol, "bindingInformation": binding.information}
    return (*_site_path(site), ("bindings", {}), ("binding", keys))


def _set(section: str, path: tuple[Step, ...], attributes: Mapping[str, str]) -> ConfigChange:
    return ConfigChange(op="set", section=section, path=path, attributes=attributes)
