# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Undoing whatever was done to the lab's machines, without knowing what it was."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from ..surface import faults as primitives
from . import aside, namespaces, sites
from .machine import Computer
from .topology import STRANGER, Machine
from .world import World

RESETS_MAX = 5
ENDING_S = 5.0
"""A machine whose processes are gone has ended within this time."""


async def heal(world: World, name: str) -> None:
    """The machine, or with ``all`` every one, runs, on good cables, with everything it had at first.

    Sites that were stopped or crashed stay so: bringing them back is what is tested.
    """
    machines = [one for one in world.topology.machines if name in ("all", one.name)]
    if not machines:
        raise KeyError(f"no machine {name!r} in this lab")
    if name == "all" and STRANGER.name in world.computers:
        await world.power_off(STRANGER, why="gave back what it took")
    await asyncio.gather(*(_heal(world, machine) for machine in machines))


async def _heal(world: World, machine: Machine) -> None:
    """The machine is healed, also one that a reset ends meanwhile."""
    for _ in range(RESETS_MAX):
        await world.power_on(machine)  # and one that boots is waited for
        computer = world.computers.get(machine.name)
        try:
            return await _mend(world, machine)
        except (KeyError, OSError):
            if computer and not await _ends(computer):
                raise
    raise RuntimeError(f"{machine.name} was reset {RESETS_MAX} times while it was healed")


async def _ends(computer: Computer) -> bool:
    """Whether the machine was about to end, and did."""
    with suppress(TimeoutError):
        await asyncio.wait_for(computer.ended.wait(), ENDING_S)
    return computer.ended.is_set()


async def _mend(world: World, machine: Machine) -> None:
    if machine.role == "node":
        primitives.clear(world.places.node(machine.name))
    await world.thaw(machine)
    await _mend_cables(world, machine)
    _wake(world.computer(machine.name))
    if machine.role == "node":
        await _bring_back(world, machine)


async def _mend_cables(world: World, machine: Machine) -> None:
    for network in machine.networks:
        if world.fabric.condition(machine, network) != "good":
            await world.fabric.treat(machine, network, "good")


def _wake(computer: Computer) -> None:
    """No process of the machine is stopped by a signal."""
    for pid in namespaces.processes_of_namespace(computer.pid):
        if namespaces.state_of(pid) == "T":
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def _bring_back(world: World, machine: Machine) -> None:
    given = {"node": machine.name}
    for disk in world.topology.disks:
        if aside.is_detached(world, machine, disk.id):
            await aside.restore_disk_path(world, {**given, "disk": disk.id})
    if aside.has_certificates(world, machine):
        await aside.restore_certificate(world, {**given, "thumbprint": "all"})
    await sites.start_iis(world, machine)
    with suppress(OSError):  # it may be off all the same, when the machine has no such service
        for site in await sites.names(world, machine):
            await sites.wake_site(world, {**given, "site": site})
