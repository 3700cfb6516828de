# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""applicationHost.config as values: what sites there are, with all the defaults that IIS would apply.

Rule: reading is pure and never guesses. Certificates of https bindings are not in the file but in HTTP.sys.

Sources: learn.microsoft.com/en-us/iis/configuration/system.applicationhost/sites/ and its child pages; the
schema of Windows, inetsrv\\config\\schema\\IIS_schema.xml (names, keys, defaults, who inherits from whom).
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..core.values.model import Binding, Site
from ..errors import SurfaceError

ContentKind = Literal["local", "unc", "redirect", "none"]
"""Local: a folder on a drive. Unc: a share. Redirect: requests are sent elsewhere. None: no usable path."""

SNI = 1
"""Bit of sslFlags.

Source: learn.microsoft.com/en-us/iis/configuration/system.applicationhost/sites/site/bindings/binding
"""

_LOCAL = re.compile(r"^(\\\\\?\\)?[A-Za-z]:[\\/]")
_WEB = re.compile(r"^(?:\[(?P<six>[^\]]+)\]|(?P<four>[^:\[\]]*)):(?P<port>\d{1,5}):(?P<host>[^:]*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class IisSite:
    """A site as IIS has it. ``site`` is what an inventory would say; its bindings are a set.

    ``folders``: the physical path of every application and virtual directory, the home folder first.
    ``ssl_flags``: the raw sslFlags of each https binding. ``others``: protocol and information of bindings
    that are neither http nor https, or not readable. ``pools``: the application pools of all applications, of
    the home application first. ``pool_exists``: that first one is configured.
    """

    site: Site
    id: int
    autostart: bool
    content_kind: ContentKind
    folders: tuple[str, ...]
    ssl_flags: Mapping[str, int]
    others: tuple[tuple[str, str], ...]
    pools: tuple[str, ...]
    pool_exists: bool


def parse_sites(text: bytes, variables: Mapping[str, str]) -> dict[str, IisSite]:
    """Every site of the configuration text, by name. ``variables`` fill in %SystemDrive% and the like.

    Raises:
        SurfaceError: the text is not XML, or the sites are kept where this reader cannot follow.
    """
    root = _root(text)
    pools = {
        element.get("name", "").lower()
        for section in root.iterfind("system.applicationHost/applicationPools")
        for element in section.iterfind("add")
    }
    found: dict[str, IisSite] = {}
    for section in root.iterfind("system.applicationHost/sites"):
        _refuse_hidden(section)
        for element in section.iterfind("site"):
            read = _site(element, section, _Reader(root=root, pools=pools, variables=variables))
            found[read.site.name] = read
    return found


def redirects(web_config: bytes | None, *, inherited: bool) -> bool:
    """Whether a site with this web.config in its home folder sends requests elsewhere."""
    if web_config is None:
        return inherited
    try:
        root = ET.fromstring(web_config)
    except ET.ParseError:
        return inherited
    return _redirect_of(root, ("", "."), inherited=inherited)


def expanded(path: str, variables: Mapping[str, str]) -> str:
    """The path with %NAME% replaced, names in any letter case; an unknown name stays as it is written."""
    known = {name.upper(): value for name, value in variables.items()}
    return re.sub(r"%([^%]+)%", lambda match: known.get(match[1].upper(), match[0]), path)


def read_binding(protocol: str, information: str, flags: int = 0) -> Binding | None:
    """The http or https binding, or None when it is of another kind or not of the form IP:port:host."""
    match = _WEB.match(information)
    if match is None or not 0 < int(match["port"]) < 65536:
        return None
    address = match["six"] if match["six"] is not None else match["four"]
    port, host = int(match["port"]), match["host"]
    if protocol.lower() == "http":
        return Binding(protocol="http", ip=address, port=port, host=host)
    if protocol.lower() == "https":
        return Binding(protocol="https", ip=address, port=port, host=host, sni=bool(flags & SNI))
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reader:
    root: ET.Element
    pools: set[str]
    variables: Mapping[str, str]


def _root(text: bytes) -> ET.Element:
    try:
        return ET.fromstring(text)
    except ET.ParseError as error:
        message = f"applicationHost.config is not well-formed XML: {error}"
        raise SurfaceError("iis_configuration", message) from error


def _refuse_hidden(section: ET.Element) -> None:
    """The sites stand in this very element; not in another file, not encrypted as a whole."""
    for name, place in (("configSource", "in another file"), ("configProtectionProvider", "encrypted")):
        if section.get(name) is not None:
            message = f"the sites of applicationHost.config are kept {place} ({name}={section.get(name)!r})"
            raise SurfaceError("iis_configuration", f"{message}; keep them readable in the file itself")


def _site(element: ET.Element, section: ET.Element, reader: _Reader) -> IisSite:
    name = element.get("name", "")
    defaults = section.find("siteDefaults")
    pools = _pools(element, section)
    folders = _folders(element, section, reader.variables)
    bindings, flags, others = _bindings(element)
    redirected = _redirect_of(reader.root, ("", ".", name), inherited=False)
    home = folders[0] if folders else ""
    site = Site(name=name, kind="web", content=home, app_pool=pools[0], bindings=bindings)
    return IisSite(
        site=site,
        id=_number(element, "id"),
        autostart=_boolean(_first("serverAutoStart", (element, defaults), "true")),
        content_kind=_content_kind(home, redirected=redirected),
        folders=folders,
        ssl_flags=flags,
        others=others,
        pools=pools,
        pool_exists=pools[0].lower() in reader.pools,
    )


def _pools(site: ET.Element, section: ET.Element) -> tuple[str, ...]:
    """The pool of every application, of "/" first; that one even when the site has no application."""
    inherited = (site.find("applicationDefaults"), section.find("applicationDefaults"))
    applications = sorted(site.iterfind("application"), key=lambda element: element.get("path") != "/")
    if not applications or applications[0].get("path") != "/":
        applications.insert(0, ET.Element("application"))
    named = [_first("applicationPool", (each, *inherited), "DefaultAppPool") for each in applications]
    return tuple(dict.fromkeys(named))


def _folders(site: ET.Element, section: ET.Element, variables: Mapping[str, str]) -> tuple[str, ...]:
    """Every physical path of the site, the one of "/" in "/" first; empty when that one is missing."""
    inherited = (site.find("virtualDirectoryDefaults"), section.find("virtualDirectoryDefaults"))
    home: list[str] = []
    rest: list[str] = []
    for application in site.iterfind("application"):
        defaults = (application.find("virtualDirectoryDefaults"), *inherited)
        for directory in application.iterfind("virtualDirectory"):
            path = expanded(_first("physicalPath", (directory, *defaults), ""), variables)
            is_home = application.get("path") == "/" and directory.get("path") == "/"
            (home if is_home else rest).append(path)
    return (*home, *rest) if home else ()


def _bindings(
    site: ET.Element,
) -> tuple[tuple[Binding, ...], dict[str, int], tuple[tuple[str, str], ...]]:
    bindings: list[Binding] = []
    flags: dict[str, int] = {}
    others: list[tuple[str, str]] = []
    for element in _collection(site.find("bindings"), "binding"):
        protocol, information = element.get("protocol", ""), element.get("bindingInformation", "")
        bits = _number(element, "sslFlags")
        binding = read_binding(protocol, information, bits)
        if binding is None:
            others.append((protocol, information))
            continue
        bindings.append(binding)
        if binding.protocol == "https":
            flags[information] = bits
    return tuple(bindings), flags, tuple(others)


def _collection(parent: ET.Element | None, name: str) -> Sequence[ET.Element]:
    """The items of a collection in the order of the file; ``<clear/>`` empties what came before it."""
    items: list[ET.Element] = []
    for child in parent if parent is not None else ():
        if child.tag == "clear":
            items.clear()
        elif child.tag == name:
            items.append(child)
    return items


def _redirect_of(root: ET.Element, paths: Sequence[str], *, inherited: bool) -> bool:
    """Whether system.webServer/httpRedirect is on for these location paths, the most general one first.

    Source: learn.microsoft.com/en-us/iis/configuration/system.webserver/httpredirect/ (enabled, destination).
    """
    enabled, aimed = inherited, inherited
    places = [root]
    for path in paths:
        places += [place for place in root.iterfind("location") if _same_place(place.get("path", ""), path)]
    for place in places:
        for element in place.iterfind("system.webServer/httpRedirect"):
            enabled = _boolean(element.get("enabled", str(enabled)))
            aimed = bool(element.get("destination")) or element.find("add") is not None or aimed
    return enabled and aimed


def _same_place(written: str, wanted: str) -> bool:
    return written.strip("/").lower() == wanted.lower()


def _content_kind(home: str, *, redirected: bool) -> ContentKind:
    if redirected:
        return "redirect"
    if _LOCAL.match(home):
        return "local"
    return "unc" if home.startswith(("\\\\", "//")) else "none"


def _first(attribute: str, elements: Sequence[ET.Element | None], default: str) -> str:
    """The attribute of the first element that has it: an item before its defaults, near before far."""
    written = (element.get(attribute) for element in elements if element is not None)
    return next((value for value in written if value is not None), default)


def _number(element: ET.Element, attribute: str) -> int:
    text = element.get(attribute, "0")
    if not text.isdecimal():
        place = f"{attribute}={text!r} of <{element.tag}> in applicationHost.config"
        raise SurfaceError("iis_configuration", f"{place} is not a whole number; correct it in the file")
    return int(text)


def _boolean(text: str) -> bool:
    return text.strip().lower() in ("true", "1")
