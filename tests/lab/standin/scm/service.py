# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known of one Windows service, and the file that keeps it over a restart of the node."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

StartMode = Literal["auto", "delayed", "manual", "disabled"]
State = Literal["stopped", "start_pending", "running", "stop_pending"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureAction:
    """What happens ``delay_ms`` after a crash. Only restart has an effect in the lab."""

    type: str
    delay_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The configuration of a service, as ``sc qc`` and ``sc qfailure`` would show it.

    ``path`` is the command line. ``host``: the process is a program of the host named in the stand-in's
    configuration (or none), and the command line is for show.
    """

    name: str
    path: str
    display_name: str
    description: str | None = None
    start_mode: StartMode = "auto"
    username: str = "LocalSystem"
    dependencies: tuple[str, ...] = ()
    error_control: str = "normal"
    failure_actions: tuple[FailureAction, ...] = ()
    failure_actions_on_non_crash_failure: bool = False
    failure_command: str | None = None
    failure_reboot_msg: str | None = None
    failure_reset_period_sec: int = 0
    load_order_group: str = ""
    pre_shutdown_timeout_ms: int = 180_000
    required_privileges: tuple[str, ...] = ()
    service_type: str = "win32_own_process"
    sid_info: str = "none"
    desktop_interact: bool = False
    host: bool = False

    def changed(self, settings: Mapping[str, Any]) -> Service:
        """The service with these fields replaced."""
        return replace(self, **settings)


def _builtin(name: str, display_name: str, path: str, *dependencies: str, start_mode: StartMode = "auto") -> Service:
    return Service(
        name=name,
        display_name=display_name,
        path=path,
        dependencies=dependencies,
        start_mode=start_mode,
        service_type="win32_share_process",
        host=True,
    )


BUILTIN = (
    _builtin(
        "WinRM", "Windows Remote Management (WS-Management)", r"C:\Windows\System32\svchost.exe -k NetworkService"
    ),
    _builtin("EventLog", "Windows Event Log", r"C:\Windows\System32\svchost.exe -k LocalServiceNetworkRestricted"),
)
IIS_SERVICES = (
    _builtin(
        "WAS", "Windows Process Activation Service", r"C:\Windows\System32\svchost.exe -k iissvcs", start_mode="manual"
    ),
    _builtin("W3SVC", "World Wide Web Publishing Service", r"C:\Windows\System32\svchost.exe -k iissvcs", "WAS"),
)
FTP_SERVICES = (_builtin("FTPSVC", "Microsoft FTP Service", r"C:\Windows\System32\svchost.exe -k ftpsvc"),)
CANNOT_STOP = frozenset({"winrm", "eventlog"})


@dataclass(slots=True)
class Store:
    """The services in ``services.json``, written whole and atomically at each change."""

    file: Path
    _services: dict[str, Service] = field(default_factory=dict)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def load(self) -> None:
        """What the file says is known. A missing file is a fresh node with the built-in services."""
        if not self.file.exists():
            for service in BUILTIN:
                self.put(service)
            return
        raw = json.loads(self.file.read_text(encoding="utf-8"))
        with self._lock:
            self._services = {name.lower(): _from_json(value) for name, value in raw["services"].items()}

    def all(self) -> list[Service]:
        """Every installed service, by name."""
        with self._lock:
            return [self._services[key] for key in sorted(self._services)]

    def find(self, name: str) -> Service | None:
        """The service with this name or display name, without regard to letter case."""
        wanted = name.lower()
        with self._lock:
            found = self._services.get(wanted)
            shown = (service for service in self._services.values() if service.display_name.lower() == wanted)
            return found or next(shown, None)

    def put(self, service: Service) -> None:
        """The service is installed with this configuration."""
        with self._lock:
            self._services[service.name.lower()] = service
            self._write()

    def remove(self, name: str) -> None:
        """The service is not installed."""
        with self._lock:
            self._services.pop(name.lower(), None)
            self._write()

    def _write(self) -> None:
        document = {"services": {service.name: asdict(service) for service in self._services.values()}}
        temporary = self.file.with_suffix(".new")
        temporary.write_text(json.dumps(document, indent=1), encoding="utf-8")
        temporary.replace(self.file)


def _from_json(raw: Mapping[str, Any]) -> Service:
    lists: dict[str, Any] = {key: tuple(raw[key]) for key in ("dependencies", "required_privileges")}
    lists["failure_actions"] = tuple(FailureAction(**action) for action in raw["failure_actions"])
    return Service(**{**raw, **lists})
