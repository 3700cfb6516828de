# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading applicationHost.config: every form that Windows writes, with the defaults that IIS would apply."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast.core.values.model import Binding, Site
from holdfast.errors import SurfaceError
from holdfast.windows.iis_config import IisSite, expanded, parse_sites, read_binding, redirects

FIXTURES = Path(__file__).parent / "fixtures"
VARIABLES = {"SystemDrive": "C:", "ProgramData": r"C:\ProgramData"}


def _sites(name: str) -> dict[str, IisSite]:
    return parse_sites((FIXTURES / name).read_bytes(), VARIABLES)


def _config(sites: str, *, section: str = "") -> bytes:
    inner = f"<sites {section}>{sites}</sites>"
    return f"<configuration><system.applicationHost>{inner}</system.applicationHost></configuration>".encode()


def test_all_sites_are_read_whatever_they_serve() -> None:
    assert list(_sites("iis75-server2008r2.config")) == ["Default Web Site", "Billing"]
    assert list(_sites("iis10-server2022.config")) == [
        "Default Web Site", "shop", "old-shop", "intranet", "ftp.example.com",
    ]  # fmt: skip


def test_a_site_on_a_shared_volume_is_read_as_the_inventory_would_say_it() -> None:
    shop = _sites("iis10-server2022.config")["shop"]
    assert shop.site == Site(
        name="shop",
        kind="web",
        content=r"X:\shop",
        app_pool="shop",
        bindings=(
            Binding(protocol="http", ip="10.77.0.113", port=80),
            Binding(protocol="https", ip="10.77.0.113", port=443, host="shop.example.com", sni=True),
            Binding(protocol="https", ip="2001:db8:77::113", port=443),
        ),
    )
    assert (shop.id, shop.autostart, shop.content_kind, shop.pool_exists) == (2, True, "local", True)
    assert shop.ssl_flags == {"10.77.0.113:443:shop.example.com": 33, "[2001:db8:77::113]:443:": 0}


def test_the_information_of_a_read_binding_is_what_the_file_says() -> None:
    for name in ("iis75-server2008r2.config", "iis10-server2022.config"):
        text = (FIXTURES / name).read_text(encoding="utf-8")
        for site in _sites(name).values():
            for binding in site.site.bindings:
                assert f'bindingInformation="{binding.information}"' in text


def test_an_older_iis_without_ssl_flags_reads_as_flags_zero() -> None:
    billing = _sites("iis75-server2008r2.config")["Billing"]
    assert billing.ssl_flags == {"192.0.2.113:443:": 0}
    assert not billing.autostart


def test_folders_and_pools_of_all_applications_are_known_home_first() -> None:
    billing = _sites("iis75-server2008r2.config")["Billing"]
    assert billing.folders == (r"X:\billing", r"Y:\reports", r"\\filer\archive")
    assert billing.pools == ("billing", "Classic .NET AppPool")


def test_bindings_that_are_not_web_are_kept_apart() -> None:
    sites = _sites("iis10-server2022.config")
    assert sites["Default Web Site"].others == (("net.tcp", "808:*"), ("net.pipe", "*"))
    assert sites["ftp.example.com"].others == (("ftp", "10.77.0.117:21:"),)
    assert sites["ftp.example.com"].site.bindings == ()


def test_a_redirect_in_a_location_of_the_site_is_its_content_kind_whatever_its_letter_case() -> None:
    assert _sites("iis10-server2022.config")["old-shop"].content_kind == "redirect"


def test_a_redirect_of_a_folder_below_does_not_make_the_site_a_redirect() -> None:
    assert _sites("iis10-server2022.config")["shop"].content_kind == "local"


def test_content_on_a_share_is_unc_and_a_missing_pool_is_noticed() -> None:
    intranet = _sites("iis10-server2022.config")["intranet"]
    assert (intranet.content_kind, intranet.pool_exists) == ("unc", False)


def test_environment_variables_in_paths_are_filled_in_whatever_their_letter_case() -> None:
    assert _sites("iis75-server2008r2.config")["Default Web Site"].site.content == r"C:\inetpub\wwwroot"
    assert expanded(r"%SYSTEMDRIVE%\a\%nope%", VARIABLES) == r"C:\a\%nope%"


def test_defaults_of_the_site_go_before_those_of_all_sites() -> None:
    inherits = _sites("odd-forms.config")["inherits"]
    assert inherits.site.app_pool == "own"
    assert inherits.site.content == r"C:\ProgramData\near"
    assert not inherits.autostart


def test_defaults_of_the_application_go_before_those_of_the_site() -> None:
    nearest = _sites("odd-forms.config")["nearest"]
    assert nearest.folders == (r"C:\nearest", r"C:\api", r"D:\media")
    assert nearest.pools == ("farm", "own")
    assert nearest.autostart


def test_a_cleared_collection_forgets_what_stood_before() -> None:
    nearest = _sites("odd-forms.config")["nearest"]
    assert nearest.site.bindings == (Binding(protocol="http", ip="", port=8080),)
    assert nearest.others == (("http", "10.0.0.6:99999:"), ("http", "10.0.0.6"))


def test_a_site_without_parts_has_no_content_and_the_default_pool() -> None:
    bare = _sites("odd-forms.config")["bare"]
    assert (bare.site.content, bare.folders, bare.content_kind) == ("", (), "none")
    assert (bare.site.app_pool, bare.pool_exists) == ("farm", True)


def test_protocol_names_in_capitals_are_the_same_protocol() -> None:
    assert _sites("odd-forms.config")["inherits"].site.bindings[0].protocol == "http"


def test_a_redirect_without_a_destination_redirects_nothing() -> None:
    assert _sites("odd-forms.config")["nearest"].content_kind == "local"


def test_a_byte_order_mark_is_no_obstacle() -> None:
    text = b"\xef\xbb\xbf" + (FIXTURES / "iis10-server2022.config").read_bytes()
    assert "shop" in parse_sites(text, VARIABLES)


def _web_config(inner: str) -> bytes:
    return f"<configuration><system.webServer>{inner}</system.webServer></configuration>".encode()


@pytest.mark.parametrize(
    ("web_config", "inherited", "expected"),
    [
        (None, False, False),
        (None, True, True),
        (_web_config('<httpRedirect enabled="true" destination="/x"/>'), False, True),
        (_web_config('<httpRedirect enabled="false"/>'), True, False),
        (_web_config('<httpRedirect enabled="true"><add wildcard="*"/></httpRedirect>'), False, True),
        (b"not xml", False, False),
        (b"<configuration/>", False, False),
    ],
)
def test_a_web_config_in_the_home_folder_can_redirect(
    web_config: bytes | None, inherited: bool, expected: bool
) -> None:
    assert redirects(web_config, inherited=inherited) is expected


@pytest.mark.parametrize(
    ("protocol", "information"),
    [
        ("ftp", "10.0.0.1:21:"),
        ("http", "10.0.0.1:0:"),
        ("http", "a:b:c:d"),
        ("https", "[::1:443:"),
        ("http", ""),
    ],
)
def test_what_is_no_web_binding_is_none(protocol: str, information: str) -> None:
    assert read_binding(protocol, information) is None


def test_broken_xml_is_refused_with_the_place() -> None:
    with pytest.raises(SurfaceError, match=r"not well-formed XML: .*line 1"):
        parse_sites(b"<configuration><sites></configuration>", {})


@pytest.mark.parametrize("section", ['configSource="sites.config"', 'configProtectionProvider="AesProvider"'])
def test_sites_that_stand_elsewhere_or_encrypted_are_refused(section: str) -> None:
    with pytest.raises(SurfaceError, match="keep them readable in the file itself"):
        parse_sites(_config("", section=section), {})


def test_a_number_that_is_none_is_refused_with_the_attribute() -> None:
    with pytest.raises(SurfaceError, match=r"id='seven' of <site>.*correct it in the file"):
        parse_sites(_config('<site name="x" id="seven"/>'), {})
