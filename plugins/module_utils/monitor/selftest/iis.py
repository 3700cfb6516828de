# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Checks of IIS with a scratch site on a loopback port, its own pool and its own folder."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from ..core.values.model import Binding, Site
from ..kits.http_probe import ask
from ..surface import ConfigChange, Surface
from ..windows import iis
from ..windows.iis_changes import POOLS
from .check import Check, Scratch, expect, expect_not_there, milliseconds, within

NAME = "holdfast-selftest"
CONTENT = r"C:\inetpub\holdfast-selftest"
LOOPBACK = "127.0.0.1"
STATE_S = 15.0
ANSWER_S = 20.0
_REFUSED_FROM = 500


def configuration(surface: Surface, scratch: Scratch) -> str:
    """The configuration can be read, and the certificates beside it."""
    del scratch
    found = iis.read_sites(surface)
    count = len(surface.certificates(store=iis.STORE))
    return f"{len(found)} sites: {', '.join(found) or 'none'}; {count} certificates in store {iis.STORE}"


def site(surface: Surface, scratch: Scratch) -> str:
    """Made, started, answering, stopped, not answering, removed; never starting by itself."""
    wanted = _site(Binding(protocol="http", ip=LOOPBACK, port=scratch.port))
    with _no_site_left(surface):
        commit_ms = milliseconds(lambda: _write(surface, wanted))
        expect(not iis.write_sites(surface, [wanted]), "writing the same site again changed something")
        found_s = within(STATE_S, lambda: _state(surface) == "stopped", lambda: f"a new site is {_state(surface)}")
        expect(not _listens(scratch.port), "a stopped site listens")
        start_ms = milliseconds(lambda: surface.iis_start(site=NAME))
        _answers(wanted.bindings[0])
        expect(surface.iis_requests(site=NAME) >= 0, "the number of requests is negative")
        written = iis.read_site(surface, NAME)
        expect(written is not None and not written.autostart, "starting the site turned serverAutoStart on")
        surface.iis_start(site=NAME)
        recycle_ms = milliseconds(lambda: surface.iis_recycle_pool(pool=NAME))
        _answers(wanted.bindings[0])
        surface.iis_stop_pool(pool=NAME, timeout_s=STATE_S)
        expect(_state(surface) == "failed", f"a started site whose pool is stopped is {_state(surface)}")
        surface.iis_start(site=NAME)
        stop_ms = milliseconds(lambda: surface.iis_stop(site=NAME))
        expect(_state(surface) == "stopped", f"the stopped site is {_state(surface)}")
        within(STATE_S, lambda: not _listens(scratch.port), lambda: "the stopped site still listens")
        surface.iis_stop(site=NAME)
        pool_ms = milliseconds(lambda: surface.iis_stop_pool(pool=NAME, timeout_s=STATE_S))
        surface.iis_start(site=NAME)
        _answers(wanted.bindings[0])
    for act in (surface.iis_state, surface.iis_start, surface.iis_stop):
        expect_not_there(f"{act.__name__} of a site that does not exist", partial(act, site=NAME))
    return (
        f"commit {commit_ms:.0f} ms, known to IIS after {found_s * 1000:.0f} ms, start {start_ms:.0f} ms, "
        f"pool recycled in {recycle_ms:.0f} ms, stop {stop_ms:.0f} ms, pool ended in {pool_ms:.0f} ms"
    )


def certificate(surface: Surface, scratch: Scratch) -> str:
    """Bound to the scratch site, shown to a client."""
    thumbprint = (scratch.certificate or "").upper()
    binding = Binding(protocol="https", ip=LOOPBACK, port=scratch.port, certificate=thumbprint)
    with _no_site_left(surface):
        _write(surface, _site(binding))
        bound = surface.bound_certificate(site=NAME, information=binding.information)
        expect((bound or "").upper() == thumbprint, f"bound is {bound}, not {thumbprint}")
        surface.iis_start(site=NAME)
        shown = _answers(binding)
        expect(shown == thumbprint, f"a client was shown certificate {shown}, not {thumbprint}")
    return f"{thumbprint} was shown to a client"


def _needs_iis(scratch: Scratch) -> str | None:
    return None if scratch.iis else "no --without-iis"


def _needs_certificate(scratch: Scratch) -> str | None:
    return _needs_iis(scratch) or (None if scratch.certificate else "--certificate")


def _site(binding: Binding) -> Site:
    return Site(name=NAME, kind="web", content=CONTENT, app_pool=NAME, bindings=(binding,))


def _write(surface: Surface, wanted: Site) -> None:
    folder = surface.local_path(CONTENT)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").write_text("<title>Holdfast selftest</title>\n", encoding="ascii")
    changed = iis.write_sites(surface, [wanted])
    expect(changed == (NAME,), f"writing a new site changed {changed}")


@contextmanager
def _no_site_left(surface: Surface) -> Iterator[None]:
    """Site, pool and folder were not there before and are not there after."""
    if NAME in iis.configured_sites(surface):
        _remove(surface)
    try:
        yield
    finally:
        _remove(surface)
    expect(NAME not in iis.configured_sites(surface), f"the site {NAME} is still configured after its removal")


def _remove(surface: Surface) -> None:
    if NAME in iis.configured_sites(surface):
        surface.iis_stop(site=NAME)
        iis.write_sites(surface, [], remove=[NAME])
    surface.iis_commit([ConfigChange(op="remove", section=POOLS, path=(("add", {"name": NAME}),), attributes={})])
    shutil.rmtree(surface.local_path(CONTENT), ignore_errors=True)


def _state(surface: Surface) -> str:
    found = surface.iis_state(site=NAME)
    together = surface.iis_states(sites=[NAME]).get(NAME)
    expect(together == found, f"asked alone the site is {found}, asked together with others {together}")
    return found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(2.0)
        return probe.connect_ex((LOOPBACK, port)) == 0


def _answers(binding: Binding) -> str | None:
    """A client gets an answer below 500; gives the certificate it was shown."""
    last = ask(binding, timeout_s=ANSWER_S)

    def served() -> bool:
        nonlocal last
        if last.status is None or last.status >= _REFUSED_FROM:
            last = ask(binding, timeout_s=ANSWER_S)
        return last.status is not None and last.status < _REFUSED_FROM

    within(ANSWER_S, served, lambda: f"the started site does not serve: {last.error or last.status}")
    return last.thumbprint


CHECKS = (
    Check(
        primitives="iis_configuration, certificates, bound_certificate",
        promise="sites and certificates can be read",
        source="learn.microsoft.com/iis/configuration/system.applicationhost/sites/",
        run=configuration,
        needs=_needs_iis,
    ),
    Check(
        primitives="iis_commit, iis_start, iis_stop, iis_state, iis_states, iis_requests, iis_stop_pool, "
        "iis_recycle_pool",
        promise="a site is made, runs, stops and goes, when told and only then",
        source="rscaext.xml of Windows; late-bound COM from Python is unconfirmed",
        run=site,
        needs=_needs_iis,
    ),
    Check(
        primitives="bind_certificate, bound_certificate",
        promise="a certificate bound in HTTP.sys is shown to clients",
        source="rscaext.xml of Windows (AddSslCertificate)",
        run=certificate,
        needs=_needs_certificate,
    ),
)
