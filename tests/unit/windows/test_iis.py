# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading and writing sites through the surface: one commit, certificates after it, refusals before anything."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.values.model import Binding, Site
from holdfast.errors import RequestError, SurfaceError
from holdfast.surface import Certificate
from holdfast.windows import iis
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

THUMBPRINT = "57686FA6A8C1B1F0D8A1B2C3D4E5F60718293A4B"
DOCS = Site(
    name="docs",
    kind="web",
    content=r"C:\sites\docs",
    app_pool="docs",
    bindings=(Binding(protocol="http", ip="10.77.0.114", port=80),),
)
SHOP = Site(
    name="shop",
    kind="web",
    content=r"X:\shop",
    app_pool="shop",
    bindings=(
        Binding(protocol="http", ip="10.77.0.113", port=80),
        Binding(
            protocol="https", ip="10.77.0.113", port=443, host="shop.example.com", certificate=THUMBPRINT, sni=True
        ),
    ),
)


@pytest.fixture
def node(tmp_path: Path) -> MemorySurface:
    surface = MemoryWorld(tmp_path, disks=["HFLAB-DISK-0001"]).node("n1")
    surface.store.append(_certificate(has_private_key=True))
    return surface


def _certificate(*, has_private_key: bool) -> Certificate:
    return Certificate(
        thumbprint=THUMBPRINT.lower(),
        subject="CN=shop.example.com",
        not_after="2036-01-01T00:00:00Z",
        has_private_key=has_private_key,
    )


def test_written_sites_are_read_back_with_their_certificates(node: MemorySurface) -> None:
    assert iis.write_sites(node, [SHOP, DOCS]) == ("shop", "docs")
    sites = iis.read_sites(node)
    assert [sites["shop"].site, sites["docs"].site] == [SHOP, DOCS]
    assert node.iis_state(site="shop") == "stopped"


def test_all_sites_are_made_in_one_commit_and_certificates_come_after_it(node: MemorySurface) -> None:
    iis.write_sites(node, [SHOP, DOCS])
    assert node.changes() == ["iis_commit", "bind_certificate 10.77.0.113:443:shop.example.com"]


def test_writing_again_does_nothing(node: MemorySurface) -> None:
    iis.write_sites(node, [SHOP, DOCS])
    node.changes()
    assert iis.write_sites(node, [SHOP, DOCS]) == ()
    assert node.changes() == []


def test_a_lost_certificate_binding_is_bound_again_without_a_commit(node: MemorySurface) -> None:
    iis.write_sites(node, [SHOP])
    node.bound.clear()
    node.changes()
    assert iis.write_sites(node, [SHOP]) == ("shop",)
    assert node.changes() == ["bind_certificate 10.77.0.113:443:shop.example.com"]


def test_two_new_sites_never_get_the_same_id(node: MemorySurface) -> None:
    iis.write_sites(node, [SHOP, DOCS])
    sites = iis.configured_sites(node)
    assert sites["shop"].id != sites["docs"].id


@pytest.mark.parametrize(("stored", "said"), [([], "is not in"), ([False], "has no private key in")])
def test_a_missing_certificate_or_key_is_refused_before_anything_is_done(
    node: MemorySurface, stored: list[bool], said: str
) -> None:
    node.store = [_certificate(has_private_key=key) for key in stored]
    with pytest.raises(RequestError, match=f"{THUMBPRINT}.*{said}.*import it") as refusal:
        iis.write_sites(node, [DOCS, SHOP])
    assert refusal.value.kind == "rule"
    assert node.changes() == []


def test_a_name_that_differs_in_letter_case_only_is_refused(node: MemorySurface) -> None:
    iis.write_sites(node, [DOCS])
    node.changes()
    with pytest.raises(RequestError, match="'docs', which differs from 'Docs' only in letter case"):
        iis.write_sites(node, [replace(DOCS, name="Docs")])
    assert node.changes() == []


def test_sites_to_remove_go_in_the_same_commit(node: MemorySurface) -> None:
    iis.write_sites(node, [DOCS])
    node.changes()
    assert iis.write_sites(node, [SHOP], remove=["docs", "never-was"]) == ("shop", "docs")
    assert set(iis.configured_sites(node)) == {"shop"}
    assert node.changes()[0] == "iis_commit"


def test_a_refused_commit_leaves_the_sites_as_they_were(node: MemorySurface) -> None:
    node.fail["iis_commit"] = SurfaceError("iis_commit", "the file has changed on disk", 0x80070020)
    with pytest.raises(SurfaceError, match="changed on disk"):
        iis.write_sites(node, [DOCS])
    assert iis.read_site(node, "docs") is None


def test_a_web_config_that_redirects_makes_the_site_a_redirect(node: MemorySurface) -> None:
    iis.write_sites(node, [DOCS])
    redirect = b'<httpRedirect enabled="true" destination="https://elsewhere.example.com/"/>'
    text = b"<configuration><system.webServer>" + redirect + b"</system.webServer></configuration>"
    node.put_file(r"C:\sites\docs\web.config", text)
    found = iis.read_site(node, "docs")
    assert found is not None
    assert found.content_kind == "redirect"


def test_content_whose_volume_is_elsewhere_is_still_local_content(node: MemorySurface) -> None:
    iis.write_sites(node, [SHOP])
    found = iis.read_site(node, "shop")
    assert found is not None
    assert found.content_kind == "local"


def test_certificate_states_tell_missing_from_keyless(node: MemorySurface) -> None:
    assert iis.certificate_states(node, SHOP) == {THUMBPRINT: "ok"}
    assert iis.certificate_states(node, DOCS) == {}
    node.store = [_certificate(has_private_key=False)]
    assert iis.certificate_states(node, SHOP) == {THUMBPRINT: "no private key"}
    node.store = []
    assert iis.certificate_states(node, SHOP) == {THUMBPRINT: "missing"}


def test_the_configuration_is_understood_once_as_long_as_its_text_is_the_same(node: MemorySurface) -> None:
    iis.write_sites(node, [SHOP])
    first = iis.configured_sites(node)
    assert iis.configured_sites(node) is first
    iis.write_sites(node, [replace(SHOP, name="mall")])
    assert set(iis.configured_sites(node)) - set(first) == {"mall"}
