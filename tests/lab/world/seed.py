# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's files before the first start: what a fresh Windows server with IIS has on its drive, disks, secrets."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import yaml

from ..surface import disks
from .certificates import make_authority, make_server, write_private
from .places import Places
from .runtime_zip import RUNTIME_ID, write_runtime_zip
from .topology import Topology

SHOP_HOST = "shop.example.com"
FOLDERS = (
    "inetpub/wwwroot",
    "inetpub/logs/LogFiles",
    "Program Files",
    "ProgramData",
    "Users/Administrator/AppData/Local/Temp",
    "Windows/System32/inetsrv/config/schema",
    "Windows/Temp",
)
APPLICATION_HOST = """<?xml version="1.0" encoding="UTF-8"?>
<configuration>
  <system.applicationHost>
    <applicationPools>
      <add name="DefaultAppPool" />
      <applicationPoolDefaults managedRuntimeVersion="v4.0">
        <processModel identityType="ApplicationPoolIdentity" />
      </applicationPoolDefaults>
    </applicationPools>
    <sites>
      <site name="Default Web Site" id="1">
        <application path="/">
          <virtualDirectory path="/" physicalPath="%SystemDrive%\\inetpub\\wwwroot" />
        </application>
        <bindings>
          <binding protocol="http" bindingInformation="*:80:" />
        </bindings>
      </site>
      <siteDefaults>
        <logFile logFormat="W3C" directory="%SystemDrive%\\inetpub\\logs\\LogFiles" />
      </siteDefaults>
      <applicationDefaults applicationPool="DefaultAppPool" />
      <virtualDirectoryDefaults allowSubDirConfig="true" />
    </sites>
    <webLimits />
  </system.applicationHost>
  <system.webServer>
    <defaultDocument enabled="true">
      <files>
        <add value="Default.htm" />
        <add value="index.htm" />
        <add value="index.html" />
        <add value="iisstart.htm" />
      </files>
    </defaultDocument>
  </system.webServer>
</configuration>
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    """What the outside has to know of a seeded lab."""

    password: str
    thumbprint: str
    management: dict[str, str]


def seed(places: Places, topology: Topology, management: dict[str, str]) -> Seeded:
    """Every node's folder, every disk, all secrets and the generated inventory variables are there.

    The lab's folder must be empty or absent: a lab starts from a known state.
    """
    for folder in (places.nodes, places.disks, places.logs, places.pki):
        folder.mkdir(parents=True)
    authority = make_authority("Holdfast lab")
    (places.pki / "ca.crt").write_bytes(authority.certificate_pem)
    shop = make_server(authority, name=SHOP_HOST, alternatives=(SHOP_HOST,))
    seeded = Seeded(password=secrets.token_urlsafe(18), thumbprint=shop.thumbprint, management=management)
    for number, machine in enumerate(topology.nodes, start=1):
        node = places.node(machine.name)
        _seed_drive(node / "C", machine.name)
        winrm = make_server(authority, name=machine.name, alternatives=(management[machine.name], machine.name))
        write_private(node / "standin" / "winrm.crt", winrm.certificate_pem)
        write_private(node / "standin" / "winrm.key", winrm.key_pem)
        users = json.dumps({"Administrator": seeded.password})
        write_private(node / "standin" / "users.json", users.encode())
        store = node / "standin" / "certs" / "My"
        write_private(store / f"{shop.thumbprint}.pem", shop.certificate_pem + shop.key_pem)
        attached = [disk.id for disk in topology.disks if machine.name in disk.attached]
        described = {"name": machine.name, "number": number, "disks": attached}
        (node / "standin" / "node.json").write_text(json.dumps(described), encoding="utf-8")
    for disk in topology.disks:
        disks.create(places.disk(disk.id))
        _write_page(places.disk(disk.id) / "content" / "shop" / "index.html", "shop")
    write_runtime_zip(places.runtime_zip)
    write_private(places.generated, generated_variables(places, topology, seeded).encode())
    return seeded


def generated_variables(places: Places, topology: Topology, seeded: Seeded) -> str:
    """The YAML text with what the inventory of the lab cannot know beforehand."""
    first = next(iter(seeded.management.values()))
    variables = {
        "lab_management_prefix": first.rpartition(".")[0],
        "lab_password": seeded.password,
        "lab_ca_file": str(places.pki / "ca.crt"),
        "lab_https_thumbprint": seeded.thumbprint,
        "lab_disk_id": topology.disks[0].id,
        "lab_runtime_zip": str(places.runtime_zip),
        "lab_runtime_id": RUNTIME_ID,
        "lab_cluster_pki": str(places.root / "cluster-pki"),
    }
    text: str = yaml.safe_dump(variables, sort_keys=False, explicit_start=True)
    return "# Made by the lab when it starts. Holds its password: do not commit.\n" + text


def _seed_drive(drive: Path, name: str) -> None:
    for folder in FOLDERS:
        (drive / folder).mkdir(parents=True)
    configuration = drive / "Windows" / "System32" / "inetsrv" / "config" / "applicationHost.config"
    configuration.write_text(APPLICATION_HOST, encoding="utf-8")
    _write_page(drive / "inetpub" / "wwwroot" / "iisstart.htm", f"IIS on {name}")
    _write_page(drive / "sites" / "docs" / "index.html", "docs")


def _write_page(path: Path, title: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    page = f"<!doctype html>\n<title>{title}</title>\n<p>{title}</p>\n"
    path.write_text(page, encoding="utf-8")
