# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edits of applicationHost.config in the lab: what IIS takes, and what it refuses.

The refusals follow IIS_schema.xml of Windows Server, see holdfast_lab.surface.schema.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Literal

import pytest

from holdfast.surface import ConfigChange
from holdfast_lab.surface.configuration import ALREADY_EXISTS, ConfigurationError, apply_changes

SITES = "system.applicationHost/sites"
POOLS = "system.applicationHost/applicationPools"
HTTP = {"protocol": "http", "bindingInformation": "10.77.0.113:80:"}

FRESH = b"""<?xml version="1.0" encoding="UTF-8"?>
<configuration>
    <!-- written by hand -->
    <configSections><section name="x" /></configSections>
    <system.applicationHost>
        <applicationPools><add name="DefaultAppPool" /></applicationPools>
        <sites>
            <site name="Default Web Site" id="1" serverAutoStart="true">
                <application path="/">
                    <virtualDirectory path="/" physicalPath="%SystemDrive%\\inetpub\\wwwroot" />
                </application>
                <bindings><binding protocol="http" bindingInformation="*:80:" /></bindings>
                <ftpServer><security><ssl controlChannelPolicy="SslAllow" /></security></ftpServer>
            </site>
        </sites>
    </system.applicationHost>
</configuration>
"""


def change(
    *path: tuple[str, Mapping[str, str]],
    op: Literal["set", "remove"] = "set",
    section: str = SITES,
    **attributes: str,
) -> ConfigChange:
    return ConfigChange(op=op, section=section, path=path, attributes=attributes)


def shop(*below: tuple[str, Mapping[str, str]], **attributes: str) -> ConfigChange:
    path = (("site", {"name": "shop"}), *below)
    return ConfigChange(op="set", section=SITES, path=path, attributes=attributes)


def site(xml: bytes, name: str) -> ET.Element:
    found = ET.fromstring(xml).find(f"system.applicationHost/sites/site[@name='{name}']")
    if found is None:
        pytest.fail(f"there is no site {name}")
    return found


def canonical(xml: bytes, name: str) -> str:
    """The part of the default site, without the white space that indents it."""
    part = site(xml, "Default Web Site").find(name)
    return ET.canonicalize(ET.tostring(part, encoding="unicode") if part is not None else "", strip_text=True)


def test_a_new_site_comes_with_all_that_was_asked_for() -> None:
    after = apply_changes(
        FRESH,
        [
            shop(id="2", serverAutoStart="false"),
            shop(("bindings", {}), ("binding", HTTP), sslFlags="0"),
            shop(("application", {"path": "/"}), applicationPool="shop"),
            shop(
                ("application", {"path": "/"}),
                ("virtualDirectory", {"path": "/"}),
                physicalPath=r"X:\shop",
            ),
            change(("add", {"name": "shop"}), section=POOLS, startMode="AlwaysRunning"),
        ],
    )
    made = site(after, "shop")
    assert made.attrib == {"name": "shop", "id": "2", "serverAutoStart": "false"}
    assert [b.attrib for b in made.findall("bindings/binding")] == [HTTP | {"sslFlags": "0"}]
    directory = made.find("application[@path='/']/virtualDirectory")
    assert directory is not None
    assert directory.get("physicalPath") == r"X:\shop"
    pools = ET.fromstring(after).findall(f"{POOLS}/add")
    assert [pool.attrib for pool in pools] == [
        {"name": "DefaultAppPool"},
        {"name": "shop", "startMode": "AlwaysRunning"},
    ]


def test_what_nobody_named_stays_as_it_was() -> None:
    after = apply_changes(FRESH, [shop(id="2")])
    assert b"<!-- written by hand -->" in after
    for name in ("bindings", "application", "ftpServer"):
        assert canonical(after, name) == canonical(FRESH, name)


def test_a_change_whose_aim_is_reached_leaves_every_byte() -> None:
    wanted = [
        change(("site", {"name": "Default Web Site"}), serverAutoStart="true"),
        change(("site", {"name": "nobody"}), op="remove"),
        change(("add", {"name": "nobody"}), op="remove", section=POOLS),
    ]
    assert apply_changes(FRESH, wanted) == FRESH


def test_a_second_application_of_the_same_changes_changes_nothing() -> None:
    changes = [shop(id="2"), shop(("bindings", {}), ("binding", HTTP))]
    once = apply_changes(FRESH, changes)
    assert apply_changes(once, changes) == once


def test_an_element_is_found_by_its_key_without_regard_to_case() -> None:
    after = apply_changes(FRESH, [change(("site", {"name": "DEFAULT WEB SITE"}), serverAutoStart="false")])
    assert site(after, "Default Web Site").get("serverAutoStart") == "false"


def test_removing_takes_the_element_with_everything_in_it() -> None:
    after = apply_changes(FRESH, [change(("site", {"name": "Default Web Site"}), op="remove")])
    assert b"wwwroot" not in after
    assert b"applicationPools" in after


def test_removing_a_binding_needs_its_whole_key() -> None:
    parent = ("site", {"name": "Default Web Site"})
    key = {"protocol": "http", "bindingInformation": "*:80:"}
    after = apply_changes(FRESH, [change(parent, ("bindings", {}), ("binding", key), op="remove")])
    assert site(after, "Default Web Site").findall("bindings/binding") == []
    with pytest.raises(ConfigurationError, match="all of its key attributes protocol, bindingInformation"):
        apply_changes(FRESH, [change(parent, ("bindings", {}), ("binding", {"protocol": "http"}), op="remove")])


def test_a_missing_section_is_made() -> None:
    after = apply_changes(b"<configuration />", [change(("add", {"name": "shop"}), section=POOLS)])
    assert ET.fromstring(after).find(f"{POOLS}/add[@name='shop']") is not None


def test_special_characters_survive() -> None:
    path = 'C:\\web\\a & b <"ä">'
    after = apply_changes(
        FRESH,
        [
            shop(id="2"),
            shop(("application", {"path": "/"}), ("virtualDirectory", {"path": "/"}), physicalPath=path),
        ],
    )
    directory = site(after, "shop").find("application/virtualDirectory")
    assert directory is not None
    assert directory.get("physicalPath") == path


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ([change(("log", {}), section="system.applicationHost/log")], "the section 'system.applicationHost/log'"),
        ([shop()], "the required attribute 'id' is missing"),
        ([shop(id="0")], "id='0' is refused: it must be a whole number from 1"),
        ([shop(id="two")], "id='two' is refused"),
        ([shop(id="2", serverAutoStart="yes")], "serverAutoStart='yes' is refused: it must be true or false"),
        ([shop(id="2", state="Started")], "IIS knows no attribute 'state' here; known are name, id"),
        ([shop(("application", {"path": "shop"}))], "path='shop' is refused: it must start with /"),
        ([shop(("pool", {}))], "IIS knows no element <pool> here"),
        ([shop(("bindings", {"x": "1"}))], "<bindings> exists once"),
        ([shop(("limits", {}), connectionTimeout="2 min")], "it must be a time span like 00:02:00"),
        ([shop(("limits", {}), maxBandwidth="512")], "maxBandwidth='512' is refused"),
        ([shop(("bindings", {}), ("binding", HTTP), sslFlags="sni")], "sslFlags='sni' is refused"),
        ([change(("site", {"id": "2"}))], "the required attribute 'name' is missing"),
        ([change(("site", {}), id="2")], "at least one of its key attributes name, id"),
        ([change(("site", {"name": "a/b"}), id="2")], "name='a/b' is refused: it must not contain '/'"),
        ([change(("add", {"name": "a,b"}), section=POOLS)], "it must not contain ','"),
        ([change(("add", {"name": "a"}), section=POOLS, startMode="Always")], "OnDemand, AlwaysRunning"),
        ([change()], "needs a path"),
    ],
)
def test_what_the_schema_does_not_allow_is_refused(changes: list[ConfigChange], text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        apply_changes(FRESH, changes)
    assert text in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        [shop(id="1")],
        [shop(id="2"), change(("site", {"name": "docs"}), id="2")],
        [change(("site", {"name": "Default Web Site"}), id="1"), shop(id="2", name="Default Web Site")],
    ],
)
def test_a_key_that_is_taken_is_refused(changes: list[ConfigChange]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        apply_changes(FRESH, changes)
    assert refused.value.code == ALREADY_EXISTS


def test_one_binding_may_stand_in_two_sites() -> None:
    """IIS's schema allows it; it is the start of the second site that fails."""
    after = apply_changes(
        FRESH,
        [
            shop(id="2"),
            shop(("bindings", {}), ("binding", {"protocol": "http", "bindingInformation": "*:80:"})),
        ],
    )
    assert len(site(after, "shop").findall("bindings/binding")) == 1


@pytest.mark.parametrize("xml", [b"", b"<configuration>", b"<web />"])
def test_a_broken_file_is_refused(xml: bytes) -> None:
    with pytest.raises(ConfigurationError):
        apply_changes(xml, [])
