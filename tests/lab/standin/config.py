# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of one stand-in: parsed once, frozen, unknown keys refused. Keys: see the package."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

DEFAULT_FEATURES = ("Web-Server", "Web-WebServer", "Web-Default-Doc", "Web-Static-Content")
PASSED_ON = ("PATH", "LANG", "PYTHONPATH", "PYTHONUNBUFFERED")
READY_FD = "{ready_fd}"


class ConfigError(Exception):
    """The configuration cannot be used; the text says which key and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the package's documentation lists. Relative paths are not accepted."""

    node: Path
    name: str
    winrm_fd: int
    certificate: Path
    key: Path
    users_file: Path
    ssh_fd: int | None = None
    ssh_host_key: Path
    ssh_authorized_keys: Path
    ready_fd: int | None = None
    features: tuple[str, ...] = DEFAULT_FEATURES
    service_programs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    shell_idle_s: float = 2.0
    service_settle_s: float = 1.0
    service_stop_s: float = 10.0

    @property
    def private(self) -> Path:
        """The folder of the stand-in's own state, which programs on the node never look into."""
        return self.node / "standin"


def parse(raw: Mapping[str, Any]) -> Config:
    """The configuration with its defaults filled in. Raises ConfigError."""
    known = {item.name for item in fields(Config)}
    if unknown := sorted(set(raw) - known):
        raise ConfigError(f"stand-in configuration: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")
    for key in ("node", "winrm_fd"):
        if key not in raw:
            raise ConfigError(f"stand-in configuration: the key {key!r} is required")
    node = _absolute(raw, "node", None)
    private = node / "standin"
    given = dict(raw) | {
        "node": node,
        "name": str(raw.get("name", node.name)),
        "certificate": _absolute(raw, "certificate", private / "winrm.crt"),
        "key": _absolute(raw, "key", private / "winrm.key"),
        "users_file": _absolute(raw, "users_file", private / "users.json"),
        "ssh_host_key": _absolute(raw, "ssh_host_key", private / "ssh_host_key"),
        "ssh_authorized_keys": _absolute(raw, "ssh_authorized_keys", private / "authorized_keys"),
        "features": tuple(raw.get("features", DEFAULT_FEATURES)),
        "service_programs": {name: tuple(argv) for name, argv in raw.get("service_programs", {}).items()},
        "environment": dict(raw.get("environment", inherited_environment())),
    }
    return Config(**given)


def load(path: Path) -> Config:
    """The configuration in this JSON file. Raises ConfigError when it is not one."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"stand-in configuration {path}: {error}") from error
    if not isinstance(raw, dict):
        raise ConfigError(f"stand-in configuration {path}: it must be a JSON object")
    return parse(raw)


def by_convention(*, node: Path, winrm_fd: int, ssh_fd: int | None, ready_fd: int | None) -> Config:
    """The configuration of a lab's node: files in its folder, IIS behind W3SVC."""
    python = os.environ.get("HOLDFAST_LAB_PYTHON", sys.executable)
    return parse(
        {
            "node": str(node),
            "winrm_fd": winrm_fd,
            "ssh_fd": ssh_fd,
            "ready_fd": ready_fd,
            "service_programs": {
                "W3SVC": [python, "-m", "holdfast_lab.iis", "--node", str(node), "--ready-fd", READY_FD]
            },
        }
    )


def inherited_environment() -> dict[str, str]:
    """What the programs on a node get from the process that started the stand-in."""
    return {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("HOLDFAST_")}


def _absolute(raw: Mapping[str, Any], key: str, default: Path | None) -> Path:
    path = Path(raw[key]) if raw.get(key) else default
    if path is None or not path.is_absolute():
        raise ConfigError(f"stand-in configuration: {key} is {raw.get(key)!r}; write an absolute path")
    return path
