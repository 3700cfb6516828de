# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What one site needs to be protected, and whether it is the same on two nodes.

Both look at a site as IIS has it, so they refuse what ``site_settings`` would not have let in.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields

from ..values.model import Binding, Ip, Site, Volume
from ..values.problems import Problem, found
from . import rulebook as rule
from .reading import Reader, shown
from .site_settings import content_kind, report_content


class Supply:
    """The addresses and volumes that sites may stand on, found by address and by drive."""

    def __init__(self, ips: Iterable[Ip], volumes: Iterable[Volume]) -> None:
        self.ips = {ip.address: ip for ip in ips}
        self.volumes = {volume.drive: volume for volume in volumes}

    def needed(self, site: Site) -> list[Ip | Volume]:
        """What the site's bindings and content need of it."""
        addresses = dict.fromkeys(binding.ip for binding in site.bindings)
        ips = [self.ips[address] for address in addresses if address in self.ips]
        volume = self.volumes.get(site.content[:2].upper())
        return [*ips, volume] if volume is not None else [*ips]


def dependencies(site: Site, supply: Supply, path: str) -> tuple[tuple[str, ...], list[Problem]]:
    """The tags of what the site's bindings and content need, sorted; and why the site cannot be protected.

    Source: guide chapter 1 (dependencies are read from the IIS configuration), chapter 3, IIS Configuration.
    """
    problems: list[Problem] = []
    tags: set[str] = set()
    for index, binding in enumerate(site.bindings):
        if binding.ip in supply.ips:
            tags.add(supply.ips[binding.ip].tag)
        else:
            problems.append(_unprotected_binding(binding, f"{path}.bindings[{index}].ip", sorted(supply.ips)))
    if not site.bindings:
        message = f"site {shown(site.name)} has no binding."
        cure = "Give it a binding with a switchable address."
        problems.append(found(rule.SITE_HAS_BINDING, path=f"{path}.bindings", value=[], message=message, cure=cure))
    tag, content_problems = _content_volume(site.content, supply.volumes, path)
    return tuple(sorted(tags | ({tag} if tag else set()))), problems + content_problems


def differences(a: Site, b: Site, *, of_a: str = "this node", of_b: str = "the other node") -> list[Problem]:
    """Where two nodes' versions of a site differ; [] when they are identical, letter case included."""
    names = [field.name for field in fields(Site) if field.name != "bindings"]
    problems = [
        _difference(a, name, getattr(a, name), getattr(b, name), of_a, of_b)
        for name in names
        if getattr(a, name) != getattr(b, name)
    ]
    ours = {(binding.protocol, binding.information): binding for binding in a.bindings}
    theirs = {(binding.protocol, binding.information): binding for binding in b.bindings}
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            place = f"bindings[{key[0]} {key[1]}]"
            problems.append(_difference(a, place, _described(ours.get(key)), _described(theirs.get(key)), of_a, of_b))
    return problems


def overheard(protected: Iterable[Site], others: Iterable[Site]) -> list[str]:
    """Warnings, for people, of sites that listen on all addresses at a port of a protected site.

    HTTP.sys gives them the requests of a protected site that is stopped while its address is there, so clients would
    get another site's pages with a good status.
    Source: learn.microsoft.com/en-us/windows/win32/http/urlprefix-strings, "Weak wildcard"
    """
    listening = {(site.name, b.port) for site in others for b in site.bindings if b.ip in ("", "*")}
    concerned = {(site.name, b.port) for site in protected for b in site.bindings}
    return [
        f"Site {name!r} listens on all addresses at port {port}: when {ours!r} is stopped and its address is there, "
        f"clients get the pages of {name!r}. Give {name!r} an address of its own, or stop it and set serverAutoStart "
        "to false."
        for name, port in sorted(listening)
        for ours, our_port in sorted(concerned)
        if our_port == port
    ]


def _unprotected_binding(binding: Binding, path: str, known: list[str]) -> Problem:
    if binding.ip in ("", "*"):
        message = "the binding has no IP address of its own."
        cure = "Give it the switchable address of the site."
        return found(rule.BINDING_HAS_IP, path=path, value=binding.ip, message=message, cure=cure)
    message = f"{binding.ip} is not one of the switchable addresses ({', '.join(known) or 'there are none'})."
    cure = "Add it to holdfast_ips, or write one of them."
    return found(rule.BINDING_IP_PROTECTED, path=path, value=binding.ip, message=message, cure=cure)


def _content_volume(content: str, volumes: Mapping[str, Volume], path: str) -> tuple[str | None, list[Problem]]:
    """The tag of the volume the content lies on; None for each node's own copy on C:."""
    problems: list[Problem] = []
    kind = content_kind(content)
    if kind != "local":
        report_content(Reader({}, path=path, known=(), problems=problems), content, kind)
        return None, problems
    drive = content[:2].upper()
    tag = volumes[drive].tag if drive in volumes else None
    if tag is None and drive != "C:":
        declared = ", ".join(sorted(volumes)) or "there are none"
        message = f"content {shown(content)} lies on {drive}, which is no protected volume ({declared})."
        cure = f"Add a volume with drive '{drive}' to holdfast_volumes, or put a copy on C: of each node."
        problems.append(found(rule.CONTENT_VOLUME, path=f"{path}.content", value=content, message=message, cure=cure))
    return tag, problems


def _difference(site: Site, field: str, ours: object, theirs: object, of_a: str, of_b: str) -> Problem:
    message = f"site {shown(site.name)} differs: {shown(ours)} on {of_a}, {shown(theirs)} on {of_b}."
    cure = "Run the playbook site.yml so that it is the same on both."
    return found(rule.SITES_IDENTICAL, path=f"sites.{site.name}.{field}", value=ours, message=message, cure=cure)


def _described(binding: Binding | None) -> str:
    if binding is None:
        return "no such binding"
    tls = (
        f" certificate {binding.certificate}{' with SNI' if binding.sni else ''}" if binding.protocol == "https" else ""
    )
    return f"{binding.protocol} {binding.information}{tls}"
