# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""IIS sites over the surface: read them whole, make them as wanted in one commit.

Rule: a site is complete only with the certificates that HTTP.sys has for its https bindings, and those are
bound after the commit that made the binding (microsoft.iis plugins/modules/website.ps1 does the same).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ..core.values.model import Binding, Site
from ..errors import NotThereError, RequestError
from ..surface import ConfigChange, Surface
from .iis_changes import certificate_changes, removal, site_changes
from .iis_config import ContentKind, IisSite, parse_sites, redirects
from .shared import PerSurface, SharedLook

__all__ = [
    "ContentKind",
    "IisSite",
    "certificate_changes",
    "certificate_states",
    "configured_sites",
    "read_site",
    "read_sites",
    "site_changes",
    "write_sites",
]

STORE = "MY"
"""The machine's personal certificate store, the default of AddSslCertificate (rscaext.xml)."""

_USUAL = {
    "SystemDrive": "C:",
    "SystemRoot": r"C:\Windows",
    "windir": r"C:\Windows",
    "ProgramFiles": r"C:\Program Files",
    "ProgramData": r"C:\ProgramData",
}


def configured_sites(surface: Surface) -> Mapping[str, IisSite]:
    """Every site by name as applicationHost.config alone has it: no certificates, no web.config looked at."""
    return _CONFIGURATIONS.of(surface).take()


def read_sites(surface: Surface) -> dict[str, IisSite]:
    """Every site of this machine by name, with redirections and certificates filled in."""
    return {name: _completed(surface, site) for name, site in configured_sites(surface).items()}


def read_site(surface: Surface, name: str) -> IisSite | None:
    """One site as ``read_sites`` gives it, or None when IIS has none of exactly this name."""
    site = configured_sites(surface).get(name)
    return None if site is None else _completed(surface, site)


def write_sites(surface: Surface, wanted: Sequence[Site], *, remove: Sequence[str] = ()) -> tuple[str, ...]:
    """IIS has the wanted sites and not those to remove; gives the names of the sites that were changed.

    One commit for all. New sites stand stopped and never start by themselves.

    Raises:
        RequestError: a certificate or its private key is missing, or a site of that name in another letter
            case is there; nothing was changed.
        SurfaceError: IIS refused.
    """
    current = read_sites(surface)
    _require_names(current, wanted)
    _require_certificates(surface, wanted)
    changes = _all_changes(current, wanted)
    changes.update({name: [removal(name)] for name in remove if name in current})
    if edits := [change for changed in changes.values() for change in changed]:
        surface.iis_commit(edits)
    certified = [site.name for site in wanted if _bind_certificates(surface, current.get(site.name), site)]
    return tuple(dict.fromkeys([name for name, changed in changes.items() if changed] + certified))


def certificate_states(surface: Surface, site: Site) -> dict[str, str]:
    """Each thumbprint the site's https bindings need: "ok", "missing" or "no private key"."""
    needed = sorted({binding.certificate for binding in site.bindings if binding.certificate})
    if not needed:
        return {}
    stored = {entry.thumbprint.upper(): entry for entry in surface.certificates(store=STORE)}
    states = {}
    for thumbprint in needed:
        certificate = stored.get(thumbprint.upper())
        usable = "ok" if certificate is not None and certificate.has_private_key else "no private key"
        states[thumbprint] = "missing" if certificate is None else usable
    return states


class _Configuration:
    """The configuration of one machine, read when it is asked for and understood anew when it is another."""

    def __init__(self, surface_of: Callable[[], Surface]) -> None:
        self._surface_of = surface_of
        self._known: tuple[bytes, Mapping[str, IisSite]] = (b"", {})
        self._look = SharedLook(self._read, lambda: surface_of().monotonic_s())

    def take(self) -> Mapping[str, IisSite]:
        """The sites; never to be changed, for others have them too."""
        return self._look.take()

    def _read(self) -> Mapping[str, IisSite]:
        text = self._surface_of().iis_configuration()
        if text != self._known[0]:
            self._known = (text, parse_sites(text, _variables()))
        return self._known[1]


_CONFIGURATIONS = PerSurface(_Configuration)


def _completed(surface: Surface, site: IisSite) -> IisSite:
    bindings = tuple(_with_certificate(surface, site.site.name, binding) for binding in site.site.bindings)
    kind = site.content_kind
    if kind == "local" and redirects(_web_config(surface, site.site.content), inherited=False):
        kind = "redirect"
    return replace(site, site=replace(site.site, bindings=bindings), content_kind=kind)


def _with_certificate(surface: Surface, site: str, binding: Binding) -> Binding:
    if binding.protocol != "https":
        return binding
    thumbprint = surface.bound_certificate(site=site, information=binding.information)
    return replace(binding, certificate=None if thumbprint is None else thumbprint.upper())


def _web_config(surface: Surface, home: str) -> bytes | None:
    """The web.config of the home folder; None where there is none, or the folder's volume is not here now."""
    try:
        return surface.local_path(home.rstrip("\\/") + r"\web.config").read_bytes()
    except (OSError, NotThereError):
        return None


def _require_names(current: Mapping[str, IisSite], wanted: Sequence[Site]) -> None:
    written = {name.lower(): name for name in current}
    for site in wanted:
        have = written.get(site.name.lower(), site.name)
        if have != site.name:
            message = f"IIS has a site {have!r}, which differs from {site.name!r} only in letter case"
            raise RequestError("rule", f"{message}; write the name as IIS has it, or rename the site in IIS")


def _require_certificates(surface: Surface, wanted: Sequence[Site]) -> None:
    for site in wanted:
        for thumbprint, state in certificate_states(surface, site).items():
            if state != "ok":
                problem = "is not in" if state == "missing" else "has no private key in"
                message = f"certificate {thumbprint} of site {site.name!r} {problem} the {STORE} store here"
                raise RequestError("rule", f"{message}; import it together with its private key")


def _all_changes(current: Mapping[str, IisSite], wanted: Sequence[Site]) -> dict[str, list[ConfigChange]]:
    taken = {site.id for site in current.values()}
    changes = {}
    for site in wanted:
        changes[site.name] = site_changes(current.get(site.name), site, taken_ids=taken)
        taken |= {int(change.attributes["id"]) for change in changes[site.name] if "id" in change.attributes}
    return changes


def _bind_certificates(surface: Surface, current: IisSite | None, wanted: Site) -> bool:
    needed = certificate_changes(current, wanted)
    for binding in needed:
        surface.bind_certificate(
            site=wanted.name,
            information=binding.information,
            thumbprint=binding.certificate or "",
            store=STORE,
        )
    return bool(needed)


def _variables() -> dict[str, str]:
    """What %SystemDrive% and its like stand for: the usual values, and what this process has instead."""
    usual = {name.upper(): value for name, value in _USUAL.items()}
    return usual | {name.upper(): value for name, value in os.environ.items() if name.upper() in usual}
