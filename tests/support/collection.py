# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the collection as ansible sees it: modules, what they take, roles, playbooks."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from checkout import ROOT, environment

COLLECTION = "holdfast.iis"
SURVIVORS = ("meta", "plugins", "roles", "playbooks")
"""The directories a collection must be able to do with (collection requirements, "Other directories")."""

Options = dict[str, dict[str, Any]]


def modules() -> Sequence[str]:
    """The short names of all modules."""
    return sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("[!_]*.py"))


def actions() -> Sequence[str]:
    """The short names of all action plugins."""
    return sorted(path.stem for path in (ROOT / "plugins" / "action").glob("[!_]*.py"))


def roles() -> Sequence[str]:
    """The short names of all roles."""
    return sorted(path.name for path in (ROOT / "roles").glob("*") if path.is_dir())


def playbooks() -> Sequence[str]:
    """The short names of all playbooks."""
    return sorted(path.stem for path in (ROOT / "playbooks").glob("*.yml"))


def argument_spec(module: str) -> Mapping[str, Any]:
    """ARGUMENT_SPEC of a module's action plugin."""
    plugin = importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.action.{module}")
    spec: Mapping[str, Any] = plugin.ARGUMENT_SPEC
    return spec


def documents(names: Sequence[str], env: Mapping[str, str] | None = None) -> dict[str, dict[str, Any]]:
    """What ansible-doc says of each module, fragments merged, by short name."""
    wanted = [f"{COLLECTION}.{name}" for name in names]
    found = json.loads(ansible("ansible-doc", "--json", "--type", "module", *wanted, env=env))
    return {name.rpartition(".")[2]: document for name, document in found.items()}


def documented(options: Mapping[str, Any]) -> Options:
    """Documented options in the notation that `specified` has too."""
    return {name: _normal(option, option.get("suboptions")) for name, option in options.items()}


def specified(spec: Mapping[str, Any]) -> Options:
    """An argument spec in the notation that `documented` has too."""
    return {name: _normal(option, option.get("options")) for name, option in spec.items()}


def load(path: Path) -> Any:
    """The content of a YAML file."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def survivors_below(folder: Path) -> dict[str, str]:
    """An environment in which the collection below this folder has lost all but SURVIVORS."""
    home = folder / "ansible_collections" / Path(*COLLECTION.split("."))
    home.mkdir(parents=True)
    for name in SURVIVORS:
        if (ROOT / name).exists():
            shutil.copytree(ROOT / name, home / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "galaxy.yml", home)
    settings = folder / "ansible.cfg"
    settings.write_text("[defaults]\n")
    own = {"ANSIBLE_CONFIG": str(settings), "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    return {name: value for name, value in {**environment(), **own}.items() if name != "PYTHONPATH"}


def ansible(*command: str, env: Mapping[str, str] | None = None, timeout_s: float = 50) -> str:
    """The output of an ansible program that ended well."""
    done = subprocess.run(
        command,
        cwd=ROOT if env is None else os.path.dirname(env["ANSIBLE_CONFIG"]),
        env=environment() if env is None else dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _normal(option: Mapping[str, Any], inner: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "type": option.get("type", "str"),
        "elements": option.get("elements"),
        "required": bool(option.get("required", False)),
        "default": option.get("default"),
        "choices": list(option["choices"]) if option.get("choices") else None,
        "aliases": sorted(option.get("aliases") or ()),
        "options": {
            name: _normal(sub, sub.get("suboptions", sub.get("options"))) for name, sub in (inner or {}).items()
        },
    }
