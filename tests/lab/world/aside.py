# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node can no longer see: its way to a disk, certificates of its store. Set aside, and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import jobs
from .topology import Machine
from .world import World

Arguments = Mapping[str, str]


async def remove_disk_path(world: World, given: Arguments) -> None:
    path, aside = _disk_paths(world, given)
    await _on_node(world, given, f"mkdir -p '{aside}' && mount --move '{path}' '{aside}' && rmdir '{path}'")


async def restore_disk_path(world: World, given: Arguments) -> None:
    path, aside = _disk_paths(world, given)
    await _on_node(world, given, f"mkdir -p '{path}' && mount --move '{aside}' '{path}' && rmdir '{aside}'")


async def remove_certificate(world: World, given: Arguments) -> None:
    store, aside = _certificate_stores(world, given)
    aside.mkdir(parents=True, exist_ok=True)
    for file in _certificates(store, given["thumbprint"]):
        file.rename(aside / file.name)


async def restore_certificate(world: World, given: Arguments) -> None:
    store, aside = _certificate_stores(world, given)
    for file in _certificates(aside, given["thumbprint"]):
        file.rename(store / file.name)


def is_detached(world: World, machine: Machine, disk: str) -> bool:
    """Whether the node, which is on, has lost its way to this disk."""
    _, aside = _disk_paths(world, {"disk": disk})
    seen = Path(f"/proc/{world.computer(machine.name).pid}/root", *aside.parts[1:])
    return seen.exists()


def has_certificates(world: World, machine: Machine) -> bool:
    """Whether certificates of this node were set aside."""
    _, aside = _certificate_stores(world, {"node": machine.name})
    return any(aside.glob("*.pem"))


def _disk_paths(world: World, given: Arguments) -> tuple[Path, Path]:
    disk = given["disk"] or world.topology.disks[0].id
    return world.places.disk(disk), world.places.root / "detached" / disk


async def _on_node(world: World, given: Arguments, script: str) -> None:
    computer = world.computer(given["node"])
    outcome = await jobs.run(computer.enter(["sh", "-ec", script], world.environment(computer)), stdin="", timeout_s=20)
    if outcome.code != 0:
        raise OSError(f"on {given['node']}: {outcome.err.strip() or outcome.code}")


def _certificate_stores(world: World, given: Arguments) -> tuple[Path, Path]:
    name = world.topology.machine(given["node"]).name
    return world.places.node(name) / "standin" / "certs" / "My", world.places.root / "set-aside" / name


def _certificates(folder: Path, thumbprint: str) -> list[Path]:
    found = sorted(folder.glob("*.pem" if thumbprint == "all" else f"{thumbprint.upper()}.pem"))
    if not found:
        raise OSError(f"no certificate {thumbprint} in {folder}")
    return found
