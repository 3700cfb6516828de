# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab: which machine has power, and what can be done to each. Lives in the supervisor."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from ..surface import disks
from . import jobs, lifetimes, stores
from .fabric import Condition, Fabric
from .machine import (
    EXIT_REBOOT,
    READY_TIMEOUT_S,
    Computer,
    Program,
    View,
    base_environment,
    new_boot_id,
    power_on,
    release,
)
from .namespaces import in_network_of
from .observers import Observers
from .places import Places
from .topology import STRANGER, Machine, Network, Topology

Listeners = dict[str, dict[str, socket.socket]]
"""Node -> "winrm" and "ssh" -> its listening socket, which belongs to the host's network."""

ProgramName = Literal["standin", "plain"]
"""standin: the stand-in for Windows; plain: only a web server, for tests of the lab and the benchmark's floor."""

RESTARTS_MAX = 20
"""Reboots that a node's program may ask for before the lab calls it broken."""


@dataclass(slots=True, kw_only=True)
class World:
    """Everything that runs in one lab."""

    places: Places
    topology: Topology
    program: ProgramName
    listeners: Listeners
    shape: dict[str, Any] = field(default_factory=dict)
    """What the topology was made with, for those who watch from outside."""

    fabric: Fabric = field(default_factory=Fabric)
    observers: Observers = field(default_factory=Observers)
    computers: dict[str, Computer] = field(default_factory=dict)
    background: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)
    """Machine without power -> why."""

    _before_freeze: dict[str, list[tuple[Network, Condition]]] = field(default_factory=dict)
    _watchers: set[asyncio.Task[None]] = field(default_factory=set)
    _switches: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))
    """One at a time turns a machine on, or clears up after one that ended by itself."""

    _restarts: int = 0

    async def build(self) -> None:
        """Networks are up and every machine is powered on and ready."""
        await self.fabric.build(self.topology.networks)
        await asyncio.gather(*(self.power_on(machine) for machine in self.topology.machines))

    async def power_on(self, machine: Machine) -> None:
        """The machine runs and its program has said that it is ready; nothing changes when it already did.

        Raises:
            RuntimeError: it did not become ready; the text names its log.
        """
        async with self._switches[machine.name]:
            if machine.name not in self.computers:
                await self._power_on(machine)

    async def _power_on(self, machine: Machine) -> None:
        boot_id = new_boot_id()
        ready, ready_end = os.pipe()
        try:
            program = self._program(machine, boot_id, ready_end)
            log = self.places.logs / f"{machine.name}.log"
            view = self._view(machine)
            computer = await power_on(machine, program=program, view=view, boot_id=boot_id, log=log)
        finally:
            os.close(ready_end)
        computer.namespace_id = await self.fabric.plug_in(machine, computer.pid)
        self.computers[machine.name] = computer
        self.ended.pop(machine.name, None)
        self.observers.tell(event="attach", machine=machine.name, pid=computer.pid)
        self._watch(computer)
        release(computer)
        await self._until_ready(computer, ready)

    async def power_off(self, machine: Machine, *, why: str = "powered off") -> None:
        """Nothing of the machine runs or answers; what was in its memory is gone. No effect when it is off."""
        computer = self.computers.pop(machine.name, None)
        if computer is None:
            return
        # Silence first: the kernel would tell clients that the killed processes' connections are closed.
        await self.fabric.silence(machine)
        computer.power_off()
        self.observers.tell(event="detach", machine=machine.name)
        await computer.process.wait()
        await self._after_end(computer, why)

    async def shut_down(self, machine: Machine, *, timeout_s: float = 60.0) -> None:
        """The machine's program has ended in order (powered off when it did not within the time)."""
        computer = self.computers.get(machine.name)
        if computer is None:
            return
        computer.ask_to_shut_down()
        try:
            await asyncio.wait_for(computer.ended.wait(), timeout_s)
        except TimeoutError:
            await self.power_off(machine, why="powered off, it did not shut down in time")

    async def freeze(self, machine: Machine) -> None:
        """Nothing on the machine runs, its kernel answers nobody, and no second counts for its addresses' lifetimes.

        One thing differs from a paused virtual machine: its monotonic clock goes on.
        """
        computer = self.computer(machine.name)
        if computer.frozen:
            return
        saved = [(network, self.fabric.condition(machine, network)) for network in machine.networks]
        self._before_freeze[machine.name] = saved
        await self.fabric.silence(machine)
        computer.freeze()
        self.observers.tell(event="freeze", machine=machine.name)
        computer.held = await asyncio.to_thread(in_network_of, computer.pid, lifetimes.hold)

    async def thaw(self, machine: Machine) -> None:
        """The machine goes on where it was, its cables first (the worse case for a former owner)."""
        computer = self.computer(machine.name)
        if not computer.frozen:
            return
        held, computer.held = computer.held, []
        await asyncio.to_thread(in_network_of, computer.pid, lambda: lifetimes.let_go(held))
        self.observers.tell(event="thaw", machine=machine.name)
        saved = self._before_freeze.pop(machine.name)
        await asyncio.gather(*(self.fabric.treat(machine, network, condition) for network, condition in saved))
        computer.thaw()

    async def close(self) -> None:
        """Everything is off; what still runs dies with the supervisor."""
        for process in self.background.values():
            await jobs.stop(process)
        await self.observers.close()
        for name in list(self.computers):
            await self.power_off(self.computers[name].machine)

    def computer(self, name: str) -> Computer:
        """The machine of this name, which has power.

        Raises:
            KeyError: there is none, or it is off.
        """
        if name not in self.computers:
            machine = STRANGER if name == STRANGER.name else self.topology.machine(name)
            raise KeyError(f"{machine.name} is off ({self.ended.get(name, 'never powered on')}); use power_on")
        return self.computers[name]

    def environment(self, computer: Computer) -> dict[str, str]:
        """The environment of a process on this machine."""
        node = self.places.node(computer.machine.name) if computer.machine.managed else None
        return base_environment(node_folder=node, boot_id=computer.boot_id)

    def _program(self, machine: Machine, boot_id: str, ready_end: int) -> Program:
        if machine.role == "store":
            arguments = stores.program(self.places, machine, self.topology.stores)
            return Program(arguments=arguments, environment=base_environment(node_folder=None, boot_id=boot_id))
        if not machine.managed:
            return Program()
        listeners, folder = self.listeners[machine.name], self.places.node(machine.name)
        for listener in listeners.values():
            listener.listen()
        module = "holdfast_lab.standin" if self.program == "standin" else "holdfast_lab.world.plain"
        inherited = {f"--{service}-fd": listener.fileno() for service, listener in listeners.items()}
        inherited["--ready-fd"] = ready_end
        options = [word for option, number in inherited.items() for word in (option, str(number))]
        return Program(
            arguments=(sys.executable, "-m", module, "--node", str(folder), *options),
            environment=base_environment(node_folder=folder, boot_id=boot_id),
            descriptors=tuple(inherited.values()),
        )

    def _view(self, machine: Machine) -> View:
        if not machine.managed:
            return View()
        disks = [self.places.disk(disk.id) for disk in self.topology.disks if machine.name in disk.attached]
        return View(hide=self.places.root, show=(self.places.node(machine.name), self.places.shares, *disks))

    async def _until_ready(self, computer: Computer, ready: int) -> None:
        name = computer.machine.name
        if not computer.machine.managed:
            os.close(ready)
            return
        try:
            line = await asyncio.wait_for(read_line(ready), READY_TIMEOUT_S)
        except TimeoutError:
            line = b""
        if line != b"ready\n":
            log = self.places.logs / f"{name}.log"
            raise RuntimeError(f"{name} ended, or was not ready after {READY_TIMEOUT_S:.0f} s; see {log}")

    def _watch(self, computer: Computer) -> None:
        task = asyncio.create_task(self._follow(computer))
        self._watchers.add(task)
        task.add_done_callback(self._watchers.discard)

    async def _follow(self, computer: Computer) -> None:
        """A machine that ends by itself is taken off the network, and started again when it asked for that."""
        code = await computer.process.wait()
        name = computer.machine.name
        async with self._switches[name]:
            if self.computers.get(name) is not computer:
                return
            del self.computers[name]
            self.observers.tell(event="detach", machine=name)
            await self._after_end(computer, "shut down" if code == 0 else f"ended with exit code {code}")
        if code == EXIT_REBOOT and self._restarts < RESTARTS_MAX:
            self._restarts += 1
            await self.power_on(computer.machine)

    async def _after_end(self, computer: Computer, why: str) -> None:
        machine = computer.machine
        self.ended[machine.name] = why
        self._before_freeze.pop(machine.name, None)
        await self.fabric.pull_out(machine)
        if machine.managed:
            # A listener that nobody accepts from would let callers hang; refuse them instead.
            for listener in self.listeners[machine.name].values():
                listener.shutdown(socket.SHUT_RDWR)
            forget_mounts(self.places.node(machine.name))
            disks.power_off(self.places.disks, node=machine.name)
        computer.ended.set()


async def read_line(descriptor: int) -> bytes:
    """The first line that comes through this pipe, empty when it is closed before; the descriptor is closed."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: protocol, os.fdopen(descriptor, "rb"))
    try:
        return await reader.readline()
    finally:
        transport.close()


def forget_mounts(node: Path) -> None:
    """The node has no drive letter but C:, as after a power cut; the disks' own state is untouched."""
    for entry in node.iterdir():
        if entry.is_symlink() and len(entry.name) == 1 and entry.name != "C":
            entry.unlink()
