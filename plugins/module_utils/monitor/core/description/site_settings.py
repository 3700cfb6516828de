# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Reading sites, their bindings and contents, and the hierarchies that protect them.

The inventory writes a site and its protection as one element; the verbs ``site`` and ``hierarchy`` each take
their part of it and leave the other keys alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, cast

from ..values.model import Binding, Hierarchy, Site, SiteKind
from ..values.problems import Problem
from . import rulebook as rule
from .fields import ip_text, priorities_of, tag_of
from .reading import Located, Reader, each, lowered, shown
from .recovery_settings import own_recovery_of

SITE_KINDS = ("web",)
DRAIN_S_MAX = 3600
_SITE_KEYS = ("name", "kind", "content", "app_pool", "bindings")
PROTECTION_KEYS = ("tag", "priorities", "drain_s", "recovery")
"""What an element of the inventory's list of sites tells of the site's protection."""
_HIERARCHY_KEYS = ("kind", "site", *PROTECTION_KEYS)
_BINDING_KEYS = ("protocol", "ip", "port", "host", "certificate", "sni")
_SITE_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_POOL_NAME = re.compile(r"[^|<>&\"/\r\n]{1,64}")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = re.compile(rf"(?=.{{1,253}}$)(\*\.)?{_LABEL}(\.{_LABEL})*")
_THUMBPRINT = re.compile(r"[0-9A-F]{40}")
_PATH_FORBIDDEN = re.compile(r"[<>\":|?*\x00-\x1f/]")

ContentKind = Literal["local", "unc", "url", "relative"]
HierarchyForm = Literal["written", "stored", "inventory"]


def draft_sites(data: object, path: str, problems: list[Problem]) -> list[Located[Site]]:
    """Every described site with its place."""
    return each(data, path, problems, _site)


def draft_hierarchies(
    data: object, path: str, problems: list[Problem], *, form: HierarchyForm = "written"
) -> list[Located[Hierarchy]]:
    """Every described hierarchy with its place.

    Written: what the verb ``hierarchy`` takes. Stored: with ``depends_on`` as well. Inventory: the whole
    element of the inventory's list of sites, whose ``name`` is the site.
    """
    return each(data, path, problems, _HIERARCHY_FORMS[form])


def content_kind(content: str) -> ContentKind:
    """Where the content lies, by the form of the path; local is a drive letter, a colon and a backslash."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", content):
        return "url"
    if content.startswith(("\\\\", "//")):
        return "unc"
    return "local" if re.match(r"[A-Za-z]:\\", content) else "relative"


def report_content(reader: Reader, content: str, kind: ContentKind) -> None:
    """The problem of content that is not local."""
    if kind == "url":
        cure = "Write the folder of the site; let an unprotected site of its own do the redirection."
        reader.report(rule.CONTENT_NOT_URL, "content", content, f"content {shown(content)} is a redirection.", cure)
    elif kind == "unc":
        cure = "Put the content on a volume of holdfast_volumes, or as a copy on C: of each node."
        message = f"content {shown(content)} is a share of another computer."
        reader.report(rule.CONTENT_NOT_UNC, "content", content, message, cure)
    elif kind == "relative":
        cure = r"Write the whole path with its drive, for example X:\shop."
        message = f"content {shown(content)} is not a whole Windows path."
        reader.report(rule.CONTENT_ABSOLUTE, "content", content, message, cure)


def _site(data: Mapping[object, object], path: str, problems: list[Problem]) -> Located[Site]:
    reader = Reader(data, path=path, known=(*_SITE_KEYS, *PROTECTION_KEYS), problems=problems)
    name = reader.text("name", cure="Write the name the site has in IIS.")
    site = Site(
        name=reader.matching(
            "name", name, pattern=_SITE_NAME, rule=rule.SITE_NAME, cure=f"Write for example {_plain(name)}."
        ),
        kind=cast(SiteKind, reader.choice("kind", options=SITE_KINDS, rule=rule.SITE_KIND, default="web")),
        content=_content(reader),
        app_pool=_pool(reader, name),
        bindings=tuple(draft.value for draft in _bindings(reader, problems)),
    )
    return Located(path=path, value=site, sound=reader.sound)


def _plain(name: str) -> str:
    """A name near this one that the rule allows."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:64] or "shop"


def _pool(reader: Reader, name: str) -> str:
    pool = reader.text("app_pool", default=name)
    if not reader.has("app_pool"):
        return pool
    cure = "Write for example the name of the site."
    return reader.matching("app_pool", pool, pattern=_POOL_NAME, rule=rule.POOL_NAME, cure=cure)


def _content(reader: Reader) -> str:
    content = reader.text("content", cure=r"Write the folder of the site, for example X:\shop.")
    kind = content_kind(content)
    if not content or kind != "local":
        if content:
            report_content(reader, content, kind)
        return ""
    steps = content[3:].split("\\")
    dotted = any(step.endswith((".", " ")) or step.startswith(" ") for step in steps)
    if _PATH_FORBIDDEN.search(content[3:]) or dotted or "" in steps[:-1]:
        cure = "Write the folder as Explorer shows it."
        message = f"content {shown(content)} is no valid Windows path: {lowered(rule.CONTENT_CHARACTERS.text)}"
        reader.report(rule.CONTENT_CHARACTERS, "content", content, message, cure)
        return ""
    if content[0].islower():
        wanted = content[0].upper() + content[1:]
        message = f"content {shown(content)} begins with a small drive letter."
        reader.report(rule.DRIVE_LETTER, "content", content, message, f"Write {shown(wanted)}.")
        return ""
    return content


def _bindings(reader: Reader, problems: list[Problem]) -> list[Located[Binding]]:
    written = reader.sequence("bindings", cure="Write a list of bindings, each with protocol, ip and port.")
    drafts = each(written, reader.at("bindings"), problems, _binding)
    if not written and (reader.raw("bindings") is None or isinstance(reader.raw("bindings"), (list, tuple))):
        cure = "Write at least one binding with protocol, ip and port."
        reader.report(rule.SITE_HAS_BINDING, "bindings", reader.raw("bindings"), "the site has no binding.", cure)
    return drafts


def _binding(data: Mapping[object, object], path: str, problems: list[Problem]) -> Located[Binding]:
    reader = Reader(data, path=path, known=_BINDING_KEYS, problems=problems)
    protocol = reader.choice("protocol", options=("http", "https"), rule=rule.PROTOCOL_KNOWN, default="http")
    host = reader.text("host", default="")
    host_cure = "Write a name such as www.example.com, without http:// and without a port, or leave host away."
    binding = Binding(
        protocol=cast(Literal["http", "https"], protocol),
        ip=_binding_ip(reader),
        port=reader.integer("port", low=1, high=65535, rule=rule.BINDING_PORT),
        host=reader.matching("host", host, pattern=_HOST, rule=rule.HOST_HEADER, cure=host_cure),
        certificate=_certificate(reader, protocol),
        sni=_sni(reader, protocol, host),
    )
    return Located(path=path, value=binding, sound=reader.sound)


def _binding_ip(reader: Reader) -> str:
    if reader.raw("ip") in (None, "", "*", "0.0.0.0", "::"):
        message = "the binding has no IP address of its own."
        cure = "Write the switchable address of the site; it has to be in holdfast_ips."
        reader.report(rule.BINDING_HAS_IP, "ip", reader.raw("ip"), message, cure)
        return ""
    return ip_text(reader, "ip", rule.BINDING_IP_IS_IP)


def _certificate(reader: Reader, protocol: str) -> str | None:
    cure = (
        "Write the thumbprint of a certificate that is in the machine's store on every node "
        r"(Get-ChildItem Cert:\LocalMachine\My)."
    )
    if protocol != "https":
        if reader.has("certificate"):
            message = "certificate stands at a binding that is not https."
            fix = "Write protocol: https, or leave certificate away."
            reader.report(rule.TLS_ONLY_ON_HTTPS, "certificate", reader.raw("certificate"), message, fix)
        return None
    thumbprint = reader.text("certificate", missing=rule.HTTPS_HAS_CERTIFICATE, cure=cure)
    if thumbprint and not _THUMBPRINT.fullmatch(thumbprint):
        digits = re.sub(r"[^0-9A-Fa-f]", "", thumbprint).upper()
        message = f"certificate {shown(thumbprint)} is not 40 hexadecimal digits in capitals."
        near = f"Write {digits}." if len(digits) == 40 else cure
        reader.report(rule.THUMBPRINT, "certificate", thumbprint, message, near)
        return None
    return thumbprint or None


def _sni(reader: Reader, protocol: str, host: str) -> bool:
    sni = reader.boolean("sni", default=False)
    if sni and protocol != "https":
        message = "sni stands at a binding that is not https."
        reader.report(rule.TLS_ONLY_ON_HTTPS, "sni", sni, message, "Write protocol: https, or leave sni away.")
        return False
    if sni and not host:
        cure = "Write the host header that clients ask for, or sni: false."
        reader.report(rule.SNI_NEEDS_HOST, "sni", sni, "sni is true, but the binding has no host header.", cure)
        return False
    return sni


def _written_hierarchy(data: Mapping[object, object], path: str, problems: list[Problem]) -> Located[Hierarchy]:
    reader = Reader(data, path=path, known=_HIERARCHY_KEYS, problems=problems)
    return Located(path=path, value=_hierarchy(reader, site_key="site"), sound=reader.sound)


def _inventory_hierarchy(data: Mapping[object, object], path: str, problems: list[Problem]) -> Located[Hierarchy]:
    reader = Reader(data, path=path, known=(*_SITE_KEYS, *PROTECTION_KEYS), problems=problems)
    return Located(path=path, value=_hierarchy(reader, site_key="name"), sound=reader.sound)


def _stored_hierarchy(data: Mapping[object, object], path: str, problems: list[Problem]) -> Located[Hierarchy]:
    reader = Reader(data, path=path, known=(*_HIERARCHY_KEYS, "depends_on"), problems=problems)
    tags = reader.sequence("depends_on", cure="Write a list of tags.")
    hierarchy = _hierarchy(reader, site_key="site", depends_on=tuple(str(tag) for tag in tags))
    return Located(path=path, value=hierarchy, sound=reader.sound)


def _hierarchy(reader: Reader, *, site_key: str, depends_on: tuple[str, ...] = ()) -> Hierarchy:
    site = reader.text(site_key, cure="Write the name the site has in IIS.")
    return Hierarchy(
        tag=tag_of(reader, default=site),
        kind=cast(SiteKind, reader.choice("kind", options=SITE_KINDS, rule=rule.SITE_KIND, default="web")),
        site=site,
        priorities=priorities_of(reader),
        drain_s=reader.seconds("drain_s", high=DRAIN_S_MAX, rule=rule.DRAIN, zero="does not wait"),
        depends_on=depends_on,
        recovery=own_recovery_of(reader),
    )


_HIERARCHY_FORMS = {
    "written": _written_hierarchy,
    "stored": _stored_hierarchy,
    "inventory": _inventory_hierarchy,
}
