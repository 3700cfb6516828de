# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""setup: the facts of the node, those that differ between nodes taken from the namespace it lives in."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..node import USER, Node
from .base import Invocation, Module, ModuleError, options

VERSION = "10.0.20348.0"
Facts = dict[str, Any]


def setup(call: Invocation) -> dict[str, Any]:
    """The facts of the chosen subsets."""
    facts: Facts = {}
    for subset in _chosen(call.params["gather_subset"] or ["all"]):
        facts |= SUBSETS[subset](call.node)
    facts["gather_subset"] = call.params["gather_subset"]
    facts["module_setup"] = True
    return {"ansible_facts": facts}


def _chosen(wanted: list[str]) -> list[str]:
    """As upstream: everything, less what was excluded, plus what was named."""
    explicit, excluded = set[str](), set[str]()
    for item in wanted:
        name = item.removeprefix("!")
        group = set(GROUPS.get(name, (name,)))
        if not group <= set(SUBSETS):
            raise ModuleError(f"setup: the stand-in does not know the subset '{name}'; known are {', '.join(SUBSETS)}")
        if not item.startswith("!"):
            explicit |= group
        else:
            excluded |= group - set(GROUPS["min"]) if name == "all" else group
    return sorted((set(SUBSETS) - excluded) | explicit)


def _addresses(_node: Node) -> Facts:
    found = [entry["local"] for card in interfaces() for entry in card["addr_info"] if card["ifname"] != "lo"]
    return {"ansible_ip_addresses": found}


def _interfaces(_node: Node) -> Facts:
    cards = [
        {
            "connection_name": card["ifname"],
            "interface_name": card["ifname"],
            "interface_index": card["ifindex"],
            "macaddress": card.get("address", "").upper(),
            "default_gateway": None,
            "dns_domain": None,
            "ipv4": _one_or_many(card, "inet"),
            "ipv6": _one_or_many(card, "inet6"),
            "mtu": card.get("mtu"),
            "speed": 10_000,
        }
        for card in interfaces()
        if card["ifname"] != "lo"
    ]
    return {"ansible_interfaces": cards}


def _one_or_many(card: Mapping[str, Any], family: str) -> Any:
    """The card's addresses in the shape that a PowerShell pipeline gives them: none, one, or a list."""
    found = [
        {"address": entry["local"], "prefix": str(entry["prefixlen"])}
        for entry in card["addr_info"]
        if entry["family"] == family
    ]
    return found if len(found) > 1 else next(iter(found), None)


def interfaces() -> list[dict[str, Any]]:
    """The network cards of the namespace, as iproute2 tells them; none when it is not installed."""
    program = shutil.which("ip", path=os.defpath + ":/usr/sbin:/sbin")
    if program is None:
        return []
    done = subprocess.run([program, "-json", "address", "show"], capture_output=True, check=False, timeout=10)
    return list(json.loads(done.stdout or b"[]"))


def _date_time(_node: Node) -> Facts:
    now = datetime.now(UTC)
    return {
        "ansible_date_time": {
            "date": now.strftime("%Y-%m-%d"),
            "day": now.strftime("%d"),
            "epoch": str(now.timestamp()),
            "epoch_int": int(now.timestamp()),
            "epoch_local": str(now.timestamp()),
            "hour": now.strftime("%H"),
            "iso8601": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "iso8601_basic": now.strftime("%Y%m%dT%H%M%S%f"),
            "iso8601_basic_short": now.strftime("%Y%m%dT%H%M%S"),
            "iso8601_micro": now.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "minute": now.strftime("%M"),
            "month": now.strftime("%m"),
            "second": now.strftime("%S"),
            "time": now.strftime("%H:%M:%S"),
            "tz": "UTC",
            "tz_offset": "+00:00",
            "weekday": now.strftime("%A"),
            "weekday_number": now.strftime("%w"),
            "weeknumber": now.strftime("%W"),
            "year": now.strftime("%Y"),
        }
    }


def _distribution(_node: Node) -> Facts:
    return {
        "ansible_distribution": "Microsoft Windows Server 2022 Standard",
        "ansible_distribution_version": VERSION,
        "ansible_distribution_major_version": "10",
        "ansible_os_family": "Windows",
        "ansible_os_name": "Microsoft Windows Server 2022 Standard",
        "ansible_os_product_type": "server",
        "ansible_os_installation_type": "Server",
        "ansible_os_install_date": "2026-01-01T00:00:00Z",
    }


def _env(node: Node) -> Facts:
    return {"ansible_env": dict(node.drives.variables)}


def _memory(_node: Node) -> Facts:
    pages = {"total": os.sysconf("SC_PHYS_PAGES"), "free": os.sysconf("SC_AVPHYS_PAGES")}
    page_mb = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
    return {
        "ansible_memtotal_mb": int(pages["total"] * page_mb),
        "ansible_memfree_mb": int(pages["free"] * page_mb),
        "ansible_swaptotal_mb": 0,
        "ansible_pagefiletotal_mb": 0,
        "ansible_pagefilefree_mb": 0,
    }


def _platform(node: Node) -> Facts:
    name = node.name.upper()
    return {
        "ansible_architecture": "64-bit",
        "ansible_architecture2": "x86_64",
        "ansible_domain": "",
        "ansible_fqdn": name,
        "ansible_hostname": name,
        "ansible_netbios_name": name,
        "ansible_nodename": name,
        "ansible_kernel": VERSION,
        "ansible_machine_id": "S-1-5-21-1000000000-2000000000-3000000000",
        "ansible_owner_name": "Holdfast lab",
        "ansible_owner_contact": "",
        "ansible_reboot_pending": False,
        "ansible_system": "Win32NT",
        "ansible_system_description": "stand-in for a Windows node",
        "ansible_system_vendor": "Holdfast",
    }


def _powershell(_node: Node) -> Facts:
    return {"ansible_powershell_version": 5}


def _processor(_node: Node) -> Facts:
    count = os.cpu_count() or 1
    return {
        "ansible_processor": [],
        "ansible_processor_count": 1,
        "ansible_processor_cores": count,
        "ansible_processor_threads_per_core": 1,
        "ansible_processor_vcpus": count,
    }


def _uptime(_node: Node) -> Facts:
    seconds = time.time() - Path("/proc/1").stat().st_ctime
    booted = datetime.fromtimestamp(time.time() - seconds, UTC)
    return {"ansible_uptime_seconds": round(seconds), "ansible_lastboot": booted.strftime("%Y-%m-%d %H:%M:%SZ")}


def _user(node: Node) -> Facts:
    return {
        "ansible_user_dir": node.drives.variables["USERPROFILE"],
        "ansible_user_gecos": "",
        "ansible_user_id": USER,
        "ansible_user_sid": "S-1-5-21-1000000000-2000000000-3000000000-500",
    }


def _domain(_node: Node) -> Facts:
    return {
        "ansible_windows_domain": "WORKGROUP",
        "ansible_windows_domain_member": False,
        "ansible_windows_domain_role": "Stand-alone server",
    }


def _nothing(_node: Node) -> Facts:
    return {}


def _virtual(_node: Node) -> Facts:
    return {"ansible_virtualization_role": "NA", "ansible_virtualization_type": "NA"}


SUBSETS: Mapping[str, Callable[[Node], Facts]] = {
    "all_ipv4_addresses": _addresses,
    "all_ipv6_addresses": _addresses,
    "bios": _nothing,
    "date_time": _date_time,
    "distribution": _distribution,
    "dns": _nothing,
    "env": _env,
    "facter": _nothing,
    "interfaces": _interfaces,
    "local": _nothing,
    "memory": _memory,
    "platform": _platform,
    "powershell_version": _powershell,
    "processor": _processor,
    "uptime": _uptime,
    "user": _user,
    "virtual": _virtual,
    "windows_domain": _domain,
    "winrm": _nothing,
}
GROUPS: Mapping[str, tuple[str, ...]] = {
    "min": ("date_time", "distribution", "dns", "env", "local", "platform", "powershell_version", "user"),
    "network": ("all_ipv4_addresses", "all_ipv6_addresses", "interfaces", "windows_domain", "winrm"),
    "hardware": ("bios", "memory", "processor", "uptime", "virtual"),
    "external": ("facter",),
    "all": tuple(SUBSETS),
}

MODULES = {"ansible.windows.setup": Module(run=setup, options=options("gather_subset gather_timeout"))}
