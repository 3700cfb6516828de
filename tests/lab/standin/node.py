# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One node: its drives, accounts, programs, services and private records, as the modules and transports see it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import Config, ConfigError
from .paths import Drives
from .programs import Launcher
from .scm.manager import Services

USER = "Administrator"
FOLDERS = (
    r"C:\Program Files",
    r"C:\ProgramData",
    r"C:\Windows\System32\inetsrv\config",
    r"C:\Windows\Temp",
    rf"C:\Users\{USER}\AppData\Local\Temp",
    r"C:\Users\Public",
    r"C:\inetpub\wwwroot",
)


class Records:
    """Small JSON documents in the node's private folder, each written whole and atomically."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.RLock()

    def read(self, name: str) -> dict[str, Any]:
        """The document; empty when it was never written."""
        with self._lock:
            try:
                value = json.loads((self._folder / name).read_text(encoding="utf-8"))
            except FileNotFoundError:
                return {}
        return dict(value)

    @contextmanager
    def change(self, name: str) -> Iterator[dict[str, Any]]:
        """The document to be edited in place; written at the end unless an exception came."""
        with self._lock:
            value = self.read(name)
            yield value
            write_atomically(self._folder / name, json.dumps(value, indent=1, sort_keys=True).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Everything that a module may touch."""

    config: Config
    drives: Drives
    launcher: Launcher
    services: Services
    records: Records
    users: Mapping[str, str]

    @property
    def name(self) -> str:
        """The computer name."""
        return self.config.name


def open_node(config: Config) -> Node:
    """The node with its folders made and its services known, none of them started yet. Raises ConfigError."""
    config.private.mkdir(parents=True, exist_ok=True)
    drives = Drives(root=config.node, variables=windows_variables(config.name))
    for folder in FOLDERS:
        drives.local(folder).mkdir(parents=True, exist_ok=True)
    environment = dict(config.environment) | {"HOLDFAST_LAB_NODE": str(config.node)}
    launcher = Launcher(drives=drives, environment=environment)
    services = Services(
        file=config.private / "services.json",
        launcher=launcher,
        host_programs=config.service_programs,
        settle_s=config.service_settle_s,
        stop_s=config.service_stop_s,
    )
    return Node(
        config=config,
        drives=drives,
        launcher=launcher,
        services=services,
        records=Records(config.private),
        users=read_users(config.users_file),
    )


def windows_variables(name: str) -> dict[str, str]:
    """The environment variables of the account, as paths and scripts may use them."""
    profile = rf"C:\Users\{USER}"
    temp = rf"{profile}\AppData\Local\Temp"
    return {
        "SystemDrive": "C:",
        "SystemRoot": r"C:\Windows",
        "windir": r"C:\Windows",
        "ProgramFiles": r"C:\Program Files",
        "ProgramData": r"C:\ProgramData",
        "ALLUSERSPROFILE": r"C:\ProgramData",
        "PUBLIC": r"C:\Users\Public",
        "USERPROFILE": profile,
        "APPDATA": rf"{profile}\AppData\Roaming",
        "LOCALAPPDATA": rf"{profile}\AppData\Local",
        "TEMP": temp,
        "TMP": temp,
        "USERNAME": USER,
        "USERDOMAIN": name.upper(),
        "COMPUTERNAME": name.upper(),
    }


def read_users(path: Path) -> dict[str, str]:
    """Account name to password. Raises ConfigError."""
    try:
        users = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"users file {path}: {error}") from error
    if not isinstance(users, dict) or not users or not all(isinstance(value, str) for value in users.values()):
        raise ConfigError(f'users file {path}: write a JSON object like {{"Administrator": "password"}}')
    return users


def write_atomically(path: Path, data: bytes) -> None:
    """The file holds exactly the data, for any reader at any moment; readable by its owner only."""
    temporary = path.with_name(f".{path.name}.{threading.get_ident()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    temporary.replace(path)
