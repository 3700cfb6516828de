# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab's IIS makes of an applicationHost.config, and which file it answers with."""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast_lab.iis.config import Binding, read
from holdfast_lab.iis.content import find_file
from holdfast_lab.surface.configuration import ConfigurationError
from holdfast_lab.surface.paths import Drives

CONFIG = rb"""<configuration><system.applicationHost>
  <applicationPools>
    <applicationPoolDefaults><processModel shutdownTimeLimit="00:00:30" /></applicationPoolDefaults>
    <add name="DefaultAppPool" />
    <add name="shop" autoStart="false"><processModel shutdownTimeLimit="00:01:10" /></add>
  </applicationPools>
  <sites>
    <siteDefaults serverAutoStart="false" />
    <applicationDefaults applicationPool="DefaultAppPool" />
    <site name="shop" id="2">
      <application path="/" applicationPool="shop">
        <virtualDirectory path="/" physicalPath="C:\sites\shop" />
      </application>
      <application path="/Docs"><virtualDirectory path="/" physicalPath="%SystemDrive%\sites\docs" />
        <virtualDirectory path="/old" physicalPath="C:\sites\old" /></application>
      <bindings>
        <binding protocol="http" bindingInformation="10.77.0.113:80:" />
        <binding protocol="https" bindingInformation="10.77.0.113:443:Shop.Example.com" sslFlags="1" />
        <binding protocol="http" bindingInformation="[fd00::1]:8080:a" />
        <binding protocol="net.tcp" bindingInformation="808:*" />
      </bindings>
    </site>
    <site name="docs" id="3" serverAutoStart="true"><bindings /></site>
  </sites>
</system.applicationHost></configuration>"""


def test_a_site_is_read_with_its_defaults() -> None:
    config = read(CONFIG)
    shop = config.sites["shop"]
    assert not shop.autostart
    assert config.sites["docs"].autostart
    assert shop.applications == {"/": "shop", "/Docs": "DefaultAppPool"}
    assert shop.folders == {
        "/": r"C:\sites\shop",
        "/Docs": r"%SystemDrive%\sites\docs",
        "/Docs/old": r"C:\sites\old",
    }
    assert shop.bindings == (
        Binding(tls=False, ip="10.77.0.113", port=80, host="", sni=False),
        Binding(tls=True, ip="10.77.0.113", port=443, host="shop.example.com", sni=True),
        Binding(tls=False, ip="fd00::1", port=8080, host="a", sni=False),
    )


def test_pools_are_read_with_their_defaults() -> None:
    pools = read(CONFIG).pools
    assert (pools["DefaultAppPool"].autostart, pools["DefaultAppPool"].shutdown_s) == (True, 30)
    assert (pools["shop"].autostart, pools["shop"].shutdown_s) == (False, 70)


def test_a_binding_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"'10\.77\.0\.113:eighty:' is not IP:port:host"):
        read(CONFIG.replace(b"10.77.0.113:80:", b"10.77.0.113:eighty:"))


@pytest.fixture
def drives(tmp_path: Path) -> Drives:
    for name in ("shop/index.html", "shop/A b.TXT", "shop/web.config", "docs/x/iisstart.htm", "old/page.html"):
        file = tmp_path / "C" / "sites" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    (tmp_path / "C" / "secret").write_text("secret")
    return Drives(root=tmp_path)


@pytest.mark.parametrize(
    ("url_path", "file"),
    [
        ("/", "shop/index.html"),
        ("/INDEX.html", "shop/index.html"),
        ("/a%20b.txt", "shop/A b.TXT"),
        ("/docs/x/", "docs/x/iisstart.htm"),
        ("/DOCS/Old/page.html", "old/page.html"),
        ("/docsx", None),
        ("/docs", None),
        ("/nothing", None),
        ("/web.config", None),
        ("/../../secret", None),
        ("/%2e%2e/%2e%2e/secret", None),
        ("/..%5c..%5csecret", None),
        ("/a%00b", None),
    ],
)
def test_a_url_leads_to_its_file(drives: Drives, url_path: str, file: str | None) -> None:
    found = find_file(drives, read(CONFIG).sites["shop"], url_path)
    assert (found.read_text() if found else None) == file
