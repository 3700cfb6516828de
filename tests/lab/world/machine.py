# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One powered-on machine: its namespaces, its program, and being stopped, frozen and entered from outside."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..surface.netlink import LinkAddress
from . import namespaces
from .places import PYTHON_PATH, REPOSITORY
from .topology import Machine

BOOT_TIMEOUT_S = 30.0
READY_TIMEOUT_S = 60.0
FREEZE_ROUNDS_MAX = 50
EXIT_REBOOT = 10
"""Exit code of a node's program that asks to be started again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a machine runs, with the file descriptors it inherits; none for a machine that only exists."""

    arguments: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    descriptors: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What of the lab's folder the machine's mount namespace shows; all of it when hide is None."""

    hide: Path | None = None
    show: tuple[Path, ...] = ()


@dataclass(slots=True, kw_only=True)
class Computer:
    """A machine with power: processes in namespaces of their own."""

    machine: Machine
    process: asyncio.subprocess.Process
    """The `unshare` that holds the machine; it ends when the machine does, with its exit code."""

    pid: int
    """Process 1 of the machine, as the supervisor numbers it."""

    boot_id: str
    namespace_id: int = 0
    frozen: bool = False
    held: list[LinkAddress] = field(default_factory=list)
    """While frozen: its addresses that would have run out."""

    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when nothing of the machine is left."""

    def power_off(self) -> None:
        """Every process of the machine has been killed, without a chance to notice."""
        if self.process.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def ask_to_shut_down(self) -> None:
        """The machine's program has been asked to shut down in order (SIGTERM)."""
        os.kill(self.pid, signal.SIGTERM)

    def freeze(self) -> None:
        """No process of the machine runs (the pause of a virtual machine).

        A process can fork while the others are being stopped, so this goes on until a round finds all stopped.
        """
        for _unused in range(FREEZE_ROUNDS_MAX):
            running = [
                pid
                for pid in namespaces.processes_of_namespace(self.pid)
                if namespaces.state_of(pid) not in ("T", "Z", "X", None)
            ]
            if not running:
                self.frozen = True
                return
            for pid in running:
                _signal(pid, signal.SIGSTOP)
        raise RuntimeError(f"{self.machine.name} still runs after {FREEZE_ROUNDS_MAX} rounds of stopping it")

    def thaw(self) -> None:
        """All processes of the machine go on."""
        for pid in namespaces.processes_of_namespace(self.pid):
            _signal(pid, signal.SIGCONT)
        self.frozen = False

    def enter(self, arguments: Sequence[str], environment: dict[str, str]) -> list[str]:
        """The command line that runs these arguments on the machine, in the repository's folder.

        `env` changes the folder inside: one that `nsenter` kept from outside would be unreachable there.
        """
        variables = [f"{name}={value}" for name, value in environment.items()]
        return [
            *("nsenter", "--target", str(self.pid), "--net", "--mount", "--pid", "--"),
            *("env", "-i", "-C", str(REPOSITORY), *variables, *arguments),
        ]

    def processes_with(self, *words: str) -> list[int]:
        """The machine's processes whose command line holds all these words (each within one argument)."""
        found = []
        for pid in namespaces.processes_of_namespace(self.pid):
            line = namespaces.command_line(pid)
            if all(any(word in argument for argument in line) for word in words):
                found.append(pid)
        return found


def base_environment(*, node_folder: Path | None, boot_id: str) -> dict[str, str]:
    """The environment of every process on a machine: nothing of the caller's gets in."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(PYTHON_PATH),
        "PYTHONUNBUFFERED": "1",
        "HOLDFAST_LAB_BOOT_ID": boot_id,
        "HOLDFAST_LAB_PYTHON": sys.executable,
        "HOLDFAST_LAB_ROOT": str(REPOSITORY),
    }
    if node_folder is not None:
        environment["HOLDFAST_LAB_NODE"] = str(node_folder)
        environment["HOLDFAST_SURFACE"] = "holdfast_lab.surface:open"
    return environment


async def power_on(machine: Machine, *, program: Program, view: View, boot_id: str, log: Path) -> Computer:
    """The machine has namespaces and waits for its cards; `release` then lets its program start."""
    order = {
        "hide": str(view.hide) if view.hide else None,
        "show": [str(path) for path in view.show],
        "program": list(program.arguments),
        "environment": program.environment,
        "directory": str(REPOSITORY),
    }
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *("unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc", "--"),
            *(sys.executable, "-m", "holdfast_lab.world.boot", json.dumps(order)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            pass_fds=program.descriptors,
        )
    line = await asyncio.wait_for(_read_line(process), BOOT_TIMEOUT_S)
    if line != "unshared":
        raise RuntimeError(f"{machine.name} did not start; see {log}")
    [pid] = namespaces.children_of(process.pid)
    return Computer(machine=machine, process=process, pid=pid, boot_id=boot_id)


def release(computer: Computer) -> None:
    """The machine's program starts."""
    if computer.process.stdin is not None:
        computer.process.stdin.write(b"go\n")


def new_boot_id() -> str:
    """A name for one start of a machine, never used before."""
    return str(uuid.uuid4())


async def _read_line(process: asyncio.subprocess.Process) -> str:
    if process.stdout is None:
        return ""
    return (await process.stdout.readline()).decode().strip()


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
