# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to a node's web sites and to the primitives of its system without anybody asking Holdfast."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..surface import control
from ..surface import faults as primitives
from .topology import Machine
from .world import World

Arguments = Mapping[str, str]
ANSWER_S = 10.0


async def stop_site(world: World, given: Arguments) -> None:
    await _tell_iis(world, given, op="stop", site=given["site"])


async def start_site(world: World, given: Arguments) -> None:
    await _tell_iis(world, given, op="start", site=given["site"])


async def crash_site(world: World, given: Arguments) -> None:
    await _tell_iis(world, given, op="crash", site=given["site"])


async def hang_site(world: World, given: Arguments) -> None:
    await _tell_iis(world, given, op="hang", site=given["site"])


async def wake_site(world: World, given: Arguments) -> None:
    await _tell_iis(world, given, op="wake", site=given["site"])


async def break_primitive(world: World, given: Arguments) -> None:
    fault: dict[str, Any] = {"hang_s": float(given["hang_s"])} if float(given["hang_s"]) else {}
    if given["fail"]:
        fault["fail"] = given["fail"]
    primitives.inject(_folder(world, given), {given["primitive"]: fault})


async def mend_primitives(world: World, given: Arguments) -> None:
    primitives.clear(_folder(world, given))


async def names(world: World, machine: Machine) -> list[str]:
    """The sites of a node that is on. Raises OSError when its IIS does not run."""
    answer = await _tell_iis(world, {"node": machine.name}, op="list")
    return [site["name"] for site in answer["sites"]]


async def start_iis(world: World, machine: Machine) -> None:
    """The service of the node's IIS runs, if it has one."""
    socket = world.places.node(machine.name) / "standin" / "scm.sock"
    if socket.exists():
        await asyncio.to_thread(control.call, socket, {"op": "start", "name": "W3SVC"}, timeout_s=ANSWER_S)


def _folder(world: World, given: Arguments) -> Path:
    return world.places.node(world.topology.machine(given["node"]).name)


async def _tell_iis(world: World, given: Arguments, **request: str) -> dict[str, Any]:
    world.computer(given["node"])
    socket = _folder(world, given) / "standin" / "iis.sock"
    answer = await asyncio.to_thread(control.call, socket, request, timeout_s=ANSWER_S)
    if not answer["ok"]:
        raise ValueError(f"IIS of {given['node']}: {answer['error']}")
    return answer
