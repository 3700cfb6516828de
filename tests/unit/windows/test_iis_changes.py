# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From any site to any wanted site: the edits do it, do only it, and a second look finds nothing to do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.core.values.model import Binding, Site
from holdfast.surface import ConfigChange
from holdfast.windows.iis_changes import certificate_changes, removal, site_changes, site_id
from holdfast.windows.iis_config import IisSite, parse_sites
from holdfast_lab.surface.configuration import apply_changes

FIXTURES = Path(__file__).parent / "fixtures"
TEXTS = [path.read_bytes() for path in sorted(FIXTURES.glob("*.config"))]

NAMES = ["shop", "Billing", "inherits", "nearest", "bare", "Default Web Site", "new-site", "ftp.example.com"]

addresses = st.sampled_from(["10.77.0.113", "10.77.0.114", "2001:db8:77::113", "*"])
hosts = st.sampled_from(["", "shop.example.com", "Shop.example.com", "www.example.com"])


@st.composite
def bindings(draw: st.DrawFn) -> Binding:
    secure = draw(st.booleans())
    return Binding(
        protocol="https" if secure else "http",
        ip=draw(addresses),
        port=draw(st.sampled_from([80, 443, 8080, 65535])),
        host=draw(hosts),
        sni=secure and draw(st.booleans()),
    )


def _key(binding: Binding) -> tuple[str, str]:
    return binding.protocol, binding.information.lower()


wanted_sites = st.builds(
    Site,
    name=st.sampled_from(NAMES),
    kind=st.just("web"),
    content=st.sampled_from([r"X:\shop", r"C:\sites\docs & more", "Y:\\"]),
    app_pool=st.sampled_from(["shop", "DefaultAppPool", "brand new pool"]),
    bindings=st.lists(bindings(), max_size=5, unique_by=_key).map(tuple),
)


def _read(text: bytes) -> dict[str, IisSite]:
    return parse_sites(text, {"SystemDrive": "C:"})


def _as_set(site: Site) -> tuple[Site, frozenset[Binding]]:
    return replace(site, bindings=()), frozenset(site.bindings)


@given(text=st.sampled_from(TEXTS), wanted=wanted_sites)
def test_after_the_edits_iis_has_the_wanted_site_and_a_second_look_finds_nothing(text: bytes, wanted: Site) -> None:
    before = _read(text)
    changes = site_changes(before.get(wanted.name), wanted, taken_ids={site.id for site in before.values()})

    after = _read(apply_changes(text, changes))

    found = after[wanted.name]
    assert _as_set(found.site) == _as_set(wanted)
    assert not found.autostart
    assert found.pool_exists
    assert site_changes(found, wanted) == []


@given(text=st.sampled_from(TEXTS), wanted=wanted_sites)
def test_the_edits_leave_every_other_site_and_every_other_protocol_alone(text: bytes, wanted: Site) -> None:
    before = _read(text)
    changes = site_changes(before.get(wanted.name), wanted, taken_ids={site.id for site in before.values()})

    after = _read(apply_changes(text, changes))

    # A pool that another site names may exist afterwards; nothing else about that site may differ.
    for name in before.keys() - {wanted.name}:
        assert replace(after[name], pool_exists=True) == replace(before[name], pool_exists=True)
    if wanted.name in before:
        assert after[wanted.name].others == before[wanted.name].others
        assert after[wanted.name].id == before[wanted.name].id


@given(text=st.sampled_from(TEXTS), first=wanted_sites, second=wanted_sites)
def test_going_there_and_back_gives_the_first_site_again(text: bytes, first: Site, second: Site) -> None:
    second = replace(second, name=first.name)
    for wanted in (first, second, first):
        sites = _read(text)
        taken = {site.id for site in sites.values()}
        text = apply_changes(text, site_changes(sites.get(wanted.name), wanted, taken_ids=taken))
    assert _as_set(_read(text)[first.name].site) == _as_set(first)


def _shop() -> IisSite:
    return _read((FIXTURES / "iis10-server2022.config").read_bytes())["shop"]


def _binding_step(change: ConfigChange) -> str:
    return change.path[-1][1]["bindingInformation"]


def test_other_bits_of_ssl_flags_survive_turning_sni_off() -> None:
    shop = _shop()
    wanted = replace(shop.site, bindings=tuple(replace(binding, sni=False) for binding in shop.site.bindings))
    changes = [change for change in site_changes(shop, wanted) if change.path[-1][0] == "binding"]
    assert [(_binding_step(change), change.attributes) for change in changes] == [
        ("10.77.0.113:443:shop.example.com", {"sslFlags": "32"})
    ]


def test_a_host_header_in_another_letter_case_is_written_anew() -> None:
    shop = _shop()
    capital = replace(shop.site.bindings[1], host="Shop.example.com")
    changes = site_changes(shop, replace(shop.site, bindings=(shop.site.bindings[0], capital)))
    ops = [(change.op, _binding_step(change)) for change in changes if change.path[-1][0] == "binding"]
    assert ops == [
        ("remove", "10.77.0.113:443:shop.example.com"),
        ("remove", "[2001:db8:77::113]:443:"),
        ("set", "10.77.0.113:443:Shop.example.com"),
    ]


def test_a_new_site_never_starts_by_itself() -> None:
    wanted = Site(name="fresh", kind="web", content=r"C:\x", app_pool="p", bindings=())
    created = next(change for change in site_changes(None, wanted) if change.path == (("site", {"name": "fresh"}),))
    assert created.attributes["serverAutoStart"] == "false"


def test_the_same_name_gets_the_same_id_on_every_node_unless_it_is_taken() -> None:
    usual = site_id("shop", ())
    assert usual == site_id("shop", {1, 2, 3})
    assert site_id("shop", {usual, usual + 1}) == usual + 2
    assert 1 < usual < 2**31


def test_only_certificates_that_differ_are_bound() -> None:
    thumbprint = "AB" * 20
    shop = _shop()
    plain, named, six = shop.site.bindings
    bound = replace(shop, site=replace(shop.site, bindings=(plain, replace(named, certificate=thumbprint), six)))
    wanted = replace(shop.site, bindings=(plain, replace(named, certificate=thumbprint), six))
    assert certificate_changes(bound, wanted) == []
    assert certificate_changes(shop, wanted) == [wanted.bindings[1]]
    assert certificate_changes(None, wanted) == [wanted.bindings[1]]


def test_removal_takes_the_site_and_nothing_else() -> None:
    text = (FIXTURES / "iis10-server2022.config").read_bytes()
    after = _read(apply_changes(text, [removal("shop")]))
    assert set(_read(text)) - set(after) == {"shop"}


@pytest.mark.parametrize("text", TEXTS)
def test_a_site_that_is_as_wanted_needs_only_its_autostart_off(text: bytes) -> None:
    for site in _read(text).values():
        changes = site_changes(site, site.site)
        assert all(change.attributes.get("serverAutoStart") == "false" for change in changes if site.pool_exists)
        assert len(changes) == int(site.autostart) + int(not site.pool_exists)
