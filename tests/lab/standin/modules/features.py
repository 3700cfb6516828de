# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_feature: roles and features of the server, kept in ``features.json``. Known names only.

Installing a feature installs those above it in the tree, as Windows does, and the services that come with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..node import Node
from ..scm.service import FTP_SERVICES, IIS_SERVICES, Service
from .base import Invocation, Module, ModuleError, options

FILE = "features.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """A feature: its place in the tree, what it depends on, and the services it brings."""

    title: str
    parent: str | None = None
    needs: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    tool: bool = False


def _below(parent: str, **titles: str) -> dict[str, Feature]:
    return {name.replace("_", "-"): Feature(title=title, parent=parent) for name, title in titles.items()}


# Get-WindowsFeature Web-Server on Windows Server 2022, parents before their children.
FEATURES: Mapping[str, Feature] = {
    "Web-Server": Feature(title="Web Server (IIS)", services=IIS_SERVICES),
    **_below("Web-Server", Web_WebServer="Web Server"),
    **_below("Web-WebServer", Web_Common_Http="Common HTTP Features"),
    **_below(
        "Web-Common-Http",
        Web_Default_Doc="Default Document",
        Web_Dir_Browsing="Directory Browsing",
        Web_Http_Errors="HTTP Errors",
        Web_Static_Content="Static Content",
        Web_Http_Redirect="HTTP Redirection",
        Web_DAV_Publishing="WebDAV Publishing",
    ),
    **_below("Web-WebServer", Web_Health="Health and Diagnostics"),
    **_below(
        "Web-Health",
        Web_Http_Logging="HTTP Logging",
        Web_Custom_Logging="Custom Logging",
        Web_Log_Libraries="Logging Tools",
        Web_ODBC_Logging="ODBC Logging",
        Web_Request_Monitor="Request Monitor",
        Web_Http_Tracing="Tracing",
    ),
    **_below("Web-WebServer", Web_Performance="Performance"),
    **_below(
        "Web-Performance",
        Web_Stat_Compression="Static Content Compression",
        Web_Dyn_Compression="Dynamic Content Compression",
    ),
    **_below("Web-WebServer", Web_Security="Security"),
    **_below(
        "Web-Security",
        Web_Filtering="Request Filtering",
        Web_Basic_Auth="Basic Authentication",
        Web_CertProvider="Centralized SSL Certificate Support",
        Web_Client_Auth="Client Certificate Mapping Authentication",
        Web_Digest_Auth="Digest Authentication",
        Web_Cert_Auth="IIS Client Certificate Mapping Authentication",
        Web_IP_Security="IP and Domain Restrictions",
        Web_Url_Auth="URL Authorization",
        Web_Windows_Auth="Windows Authentication",
    ),
    **_below("Web-WebServer", Web_App_Dev="Application Development"),
    **_below(
        "Web-App-Dev",
        Web_Net_Ext=".NET Extensibility 3.5",
        Web_Net_Ext45=".NET Extensibility 4.8",
        Web_AppInit="Application Initialization",
        Web_ASP="ASP",
        Web_Asp_Net="ASP.NET 3.5",
        Web_Asp_Net45="ASP.NET 4.8",
        Web_CGI="CGI",
        Web_ISAPI_Ext="ISAPI Extensions",
        Web_ISAPI_Filter="ISAPI Filters",
        Web_Includes="Server Side Includes",
        Web_WebSockets="WebSocket Protocol",
    ),
    **_below("Web-Server", Web_Ftp_Server="FTP Server"),
    "Web-Ftp-Service": Feature(title="FTP Service", parent="Web-Ftp-Server", services=FTP_SERVICES),
    "Web-Ftp-Ext": Feature(title="FTP Extensibility", parent="Web-Ftp-Server", needs=("Web-Ftp-Service",)),
    "Web-Mgmt-Tools": Feature(title="Management Tools", parent="Web-Server", tool=True),
    "Web-Mgmt-Console": Feature(title="IIS Management Console", parent="Web-Mgmt-Tools", tool=True),
    "Web-Mgmt-Compat": Feature(title="IIS 6 Management Compatibility", parent="Web-Mgmt-Tools", tool=True),
    "Web-Lgcy-Mgmt-Console": Feature(title="IIS 6 Management Console", parent="Web-Mgmt-Compat", tool=True),
    "Web-Metabase": Feature(title="IIS 6 Metabase Compatibility", parent="Web-Mgmt-Compat", tool=True),
    "Web-Lgcy-Scripting": Feature(title="IIS 6 Scripting Tools", parent="Web-Mgmt-Compat", tool=True),
    "Web-WMI": Feature(title="IIS 6 WMI Compatibility", parent="Web-Mgmt-Compat", tool=True),
    "Web-Scripting-Tools": Feature(title="IIS Management Scripts and Tools", parent="Web-Mgmt-Tools", tool=True),
    "Web-Mgmt-Service": Feature(title="Management Service", parent="Web-Mgmt-Tools", tool=True),
}
# What "Web-Server" alone installs: the defaults that the wizard and Install-WindowsFeature select.
DEFAULTS = (
    "Web-Default-Doc",
    "Web-Dir-Browsing",
    "Web-Http-Errors",
    "Web-Static-Content",
    "Web-Http-Logging",
    "Web-Stat-Compression",
    "Web-Filtering",
)
MANAGEMENT_TOOLS = ("Web-Mgmt-Console", "Web-Scripting-Tools")
_CANONICAL = {name.lower(): name for name in FEATURES}


def seed(node: Node) -> None:
    """A node that starts for the first time has the features of its configuration."""
    if node.records.read(FILE):
        return
    wanted = {_canonical(name) for name in node.config.features}
    with node.records.change(FILE) as record:
        record["installed"] = sorted(_with_needs(wanted))
    for name in record["installed"]:
        for service in FEATURES[name].services:
            node.services.install(service)


def win_feature(call: Invocation) -> dict[str, Any]:
    """The named features are installed, or are not."""
    present = call.params["state"] == "present"
    named = {_canonical(name.strip()) for entry in call.params["name"] for name in entry.split(",")}
    installed = set(call.node.records.read(FILE).get("installed", []))
    if present:
        changed = _with_needs(_selection(call, named)) - installed
    else:
        changed = _with_children(named) & installed
    if changed and not call.check:
        with call.node.records.change(FILE) as record:
            record["installed"] = sorted(installed | changed if present else installed - changed)
        _follow_services(call.node, changed, present=present)
    return {
        "changed": bool(changed),
        "feature_result": [_describe(name) for name in sorted(changed)],
        "success": True,
        "exitcode": "Success" if changed else "NoChangeNeeded",
        "reboot_required": False,
        "failed": False,
    }


def _canonical(name: str) -> str:
    if name.lower() not in _CANONICAL:
        raise ModuleError(
            "Failed to install Windows Feature: ArgumentNotValid: The role, role service, or feature name is not "
            f"valid: '{name}'. The name was not found. (The lab knows {', '.join(FEATURES)}.)"
        )
    return _CANONICAL[name.lower()]


def _selection(call: Invocation, named: set[str]) -> set[str]:
    chosen = set(named)
    if call.params["include_sub_features"]:
        chosen = {name for name in _with_children(named) if name in named or not FEATURES[name].tool}
    if "Web-Server" in named:
        chosen |= set(DEFAULTS)
    if call.params["include_management_tools"] and any(name.startswith("Web-") for name in named):
        chosen |= set(MANAGEMENT_TOOLS)
    return chosen


def _with_needs(names: set[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            feature = FEATURES[name]
            waiting += [*feature.needs, *([feature.parent] if feature.parent else [])]
    return found


def _with_children(names: set[str]) -> set[str]:
    found = set(names)
    for name, feature in FEATURES.items():  # parents are listed before their children
        if feature.parent in found:
            found.add(name)
    return found


def _follow_services(node: Node, names: set[str], *, present: bool) -> None:
    services = [service for name in sorted(names) for service in FEATURES[name].services]
    for service in services if present else reversed(services):
        if present and node.services.find(service.name) is None:
            node.services.install(service)
        elif not present and node.services.find(service.name) is not None:
            node.services.stop(service.name, force=True)
            node.services.remove(service.name)
    for service in services if present else ():
        if service.start_mode == "auto":
            node.services.start(service.name)


def _describe(name: str) -> dict[str, Any]:
    return {
        "id": list(FEATURES).index(name) + 1,
        "display_name": FEATURES[name].title,
        "message": [],
        "reboot_required": False,
        "skip_reason": "NotSkipped",
        "success": True,
    }


MODULES = {
    "ansible.windows.win_feature": Module(
        run=win_feature,
        options=options("name state include_sub_features include_management_tools"),
    ),
}
