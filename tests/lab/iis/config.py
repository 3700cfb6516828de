# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""applicationHost.config as the lab's IIS needs it: sites, what they listen on, where their files are. Pure."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

from ..surface.configuration import ConfigurationError, parse

SNI = 1
"""Bit of sslFlags: the certificate is chosen by the name the client asks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One http or https binding. ``ip`` is "*" for all addresses; ``host`` is lower case, "" for any."""

    tls: bool
    ip: str
    port: int
    host: str
    sni: bool

    @property
    def endpoint(self) -> tuple[str, int]:
        """What a listener needs."""
        return self.ip, self.port


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site. ``applications`` maps URL paths to pools, ``folders`` URL paths to Windows folders; longest wins."""

    name: str
    id: int
    autostart: bool
    bindings: tuple[Binding, ...]
    applications: Mapping[str, str]
    folders: Mapping[str, str]

    @property
    def pools(self) -> tuple[str, ...]:
        """The names of all its application pools."""
        return tuple(sorted(set(self.applications.values())))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """An application pool; after ``shutdown_s`` IIS ends worker processes that did not end by themselves."""

    name: str
    autostart: bool
    shutdown_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """All sites and pools by name."""

    sites: Mapping[str, Site]
    pools: Mapping[str, Pool]


EMPTY = Configuration(sites={}, pools={})


def read(xml: bytes) -> Configuration:
    """What the text says. Raises ConfigurationError."""
    host = parse(xml).find("system.applicationHost")
    if host is None:
        return EMPTY
    pools = host.find("applicationPools")
    sites = host.find("sites")
    return Configuration(
        sites={} if sites is None else {site.name: site for site in _sites(sites)},
        pools={} if pools is None else {pool.name: pool for pool in _pools(pools)},
    )


def parse_binding(protocol: str, information: str, ssl_flags: int) -> Binding | None:
    """The binding, or None for protocols that are not HTTP. Raises ConfigurationError."""
    if protocol not in ("http", "https"):
        return None
    ip, port, host = _split(information)
    return Binding(tls=protocol == "https", ip=ip, port=port, host=host.lower(), sni=bool(ssl_flags & SNI))


def _split(information: str) -> tuple[str, int, str]:
    try:
        if information.startswith("["):
            ip, _, rest = information[1:].partition("]:")
            port, _, host = rest.partition(":")
        else:
            ip, port, host = information.split(":")
        return ip or "*", int(port), host
    except ValueError as error:
        raise ConfigurationError(f"bindingInformation {information!r} is not IP:port:host") from error


def _sites(section: ET.Element) -> list[Site]:
    defaults = section.find("siteDefaults")
    autostart = "true" if defaults is None else defaults.get("serverAutoStart", "true")
    pool = _default_pool(section)
    return [
        Site(
            name=_need(site, "name"),
            id=int(_need(site, "id")),
            autostart=site.get("serverAutoStart", autostart) == "true",
            bindings=tuple(_bindings(site)),
            applications={_need(one, "path"): one.get("applicationPool", pool) for one in site.findall("application")},
            folders=_folders(site),
        )
        for site in section.findall("site")
    ]


def _default_pool(section: ET.Element) -> str:
    defaults = section.find("applicationDefaults")
    return "DefaultAppPool" if defaults is None else defaults.get("applicationPool", "DefaultAppPool")


def _pools(section: ET.Element) -> list[Pool]:
    default = section.find("applicationPoolDefaults/processModel")
    limit = "00:01:30" if default is None else default.get("shutdownTimeLimit", "00:01:30")
    found = []
    for add in section.findall("add"):
        model = add.find("processModel")
        own = limit if model is None else model.get("shutdownTimeLimit", limit)
        autostart = add.get("autoStart", "true") == "true"
        found.append(Pool(name=_need(add, "name"), autostart=autostart, shutdown_s=_seconds(own)))
    return found


def _seconds(time_span: str) -> float:
    hours, minutes, seconds = (int(part) for part in time_span.split(":"))
    return hours * 3600 + minutes * 60 + seconds


def _bindings(site: ET.Element) -> list[Binding]:
    read = [
        parse_binding(_need(one, "protocol"), _need(one, "bindingInformation"), int(one.get("sslFlags", "0")))
        for one in site.findall("bindings/binding")
    ]
    return [binding for binding in read if binding is not None]


def _folders(site: ET.Element) -> dict[str, str]:
    found = {}
    for application in site.findall("application"):
        top = _need(application, "path").rstrip("/")
        for directory in application.findall("virtualDirectory"):
            path = top + _need(directory, "path")
            found[path.rstrip("/") or "/"] = directory.get("physicalPath", "")
    return found


def _need(element: ET.Element, name: str) -> str:
    value = element.get(name)
    if value is None:
        raise ConfigurationError(f"<{element.tag}> has no attribute {name!r}")
    return value
