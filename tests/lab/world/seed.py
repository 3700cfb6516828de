# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's files before the first start: what a fresh Windows server with IIS has on its drive, disks, secrets."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from ..surface import disks
from . import stores
from .certificates import make_authority, make_server, write_private
from .places import Places
from .runtime_zip import RUNTIME_ID, write_runtime_zip
from .topology import COMM_NETWORKS, Topology

Profile = Literal["fast", "normal", "vm"]
WITNESS_PORT = 7431
ALWAYS_THERE = ("n1", "n2")
GENERATED_HEAD = "# Made by the lab when it starts. Holds its password: do not commit.\n"
HOSTS_HEAD = "# Made by the lab when it starts: the hosts that not every lab has.\n"
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


def seed(places: Places, topology: Topology, management: dict[str, str], *, profile: Profile) -> Seeded:
    """Every node's folder, every disk, all secrets and the generated inventory variables are there.

    The lab's folder must be empty or absent: a lab starts from a known state.
    """
    for folder in (places.nodes, places.disks, places.shares, places.logs, places.pki):
        folder.mkdir(parents=True)
    authority = make_authority("Holdfast lab")
    (places.pki / "ca.crt").write_bytes(authority.certificate_pem)
    shop = make_server(authority, name=SHOP_HOST, alternatives=(SHOP_HOST,))
    seeded = Seeded(password=secrets.token_urlsafe(18), thumbprint=shop.thumbprint, management=management)
    for number, machine in enumerate(topology.managed, start=1):
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
    for member in topology.stores:
        places.store(member.name).mkdir(parents=True, mode=0o700)
    variables = generated_variables(places, topology, seeded) | described_cluster(topology, profile=profile)
    write_private(places.generated, (GENERATED_HEAD + as_yaml(variables)).encode())
    places.hosts.write_text(HOSTS_HEAD + as_yaml(further_hosts(topology)), encoding="utf-8")
    return seeded


def generated_variables(places: Places, topology: Topology, seeded: Seeded) -> dict[str, Any]:
    """What the inventory of the lab cannot know beforehand."""
    first = next(iter(seeded.management.values()))
    return {
        "lab_management_prefix": first.rpartition(".")[0],
        "lab_password": seeded.password,
        "lab_ca_file": str(places.pki / "ca.crt"),
        "lab_https_thumbprint": seeded.thumbprint,
        "lab_disk_id": topology.disks[0].id,
        "lab_runtime_zip": str(places.runtime_zip),
        "lab_runtime_id": RUNTIME_ID,
        "lab_cluster_pki": str(places.root / "cluster-pki"),
    }


def described_cluster(topology: Topology, *, profile: Profile) -> dict[str, Any]:
    """What of the cluster's description depends on the machines of the lab: nodes, paths, arbiter, profile."""
    paths = {f"path-{n.name}": {one.name: n.address(one.host) for one in topology.nodes} for n in COMM_NETWORKS}
    return {
        "lab_profile": profile,
        "lab_arbiter": arbiter_of(topology),
        "lab_recovery": {},
        "lab_comm_paths": [{"name": name, "addresses": addresses} for name, addresses in paths.items()],
        **priorities([one.name for one in topology.nodes]),
    }


def priorities(nodes: Sequence[str]) -> dict[str, dict[str, int]]:
    """Each site's nodes in its order: shop is at home on the first one, docs on the second."""
    orders = {"shop": list(nodes), "docs": [*nodes[1:2], *nodes[:1], *nodes[2:]]}
    return {
        f"lab_{site}_priorities": {node: number for number, node in enumerate(order, start=1)}
        for site, order in orders.items()
    }


def arbiter_of(topology: Topology) -> str | dict[str, Any]:
    """The cluster's arbiter as the inventory has it: the witness if there is one, else etcd, else by command only."""
    for witness in topology.managed:
        if witness.role == "witness":
            addresses = {f"path-{n.name}": n.address(witness.host) for n in witness.networks}
            return {"kind": "witness", "name": witness.name, "addresses": addresses, "port": WITNESS_PORT}
    if topology.stores:
        # What distributions ship is older than what Holdfast takes without a word.
        endpoints = stores.endpoints(topology.stores)
        return {"kind": "etcd", "endpoints": endpoints, "prefix": "/holdfast", "any_version": True}
    return "manual"


def further_hosts(topology: Topology) -> dict[str, Any]:
    """The inventory of the machines that not every lab has; hosts.yml has n1 and n2."""
    groups: dict[str, Any] = {"windows": {"children": {"holdfast": {}}}}
    for machine in topology.managed:
        if machine.name not in ALWAYS_THERE:
            group = "holdfast_witness" if machine.role == "witness" else "holdfast"
            groups["windows"]["children"].setdefault(group, {})
            host = {"ansible_host": "{{ lab_management_prefix }}." + str(machine.host)}
            groups.setdefault(group, {"hosts": {}})["hosts"][machine.name] = host
    return groups


def as_yaml(data: Mapping[str, Any]) -> str:
    """The text of one YAML document."""
    text: str = yaml.safe_dump(dict(data), sort_keys=False, explicit_start=True)
    return text


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
