# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The supervisor's control socket: one JSON request per line, one JSON answer per line.

Requests are `{"do": "<verb>", ...}`, answers `{"ok": true, "data": ...}` or `{"ok": false, "error": "..."}`.
"""

from __future__ import annotations

import asyncio
import json
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from . import jobs
from .faults import FaultError, cause
from .machine import base_environment
from .world import World

OUTSIDE = "lab"
"""In the place of a machine's name: the supervisor's own namespaces, from which every machine can be entered."""

LINE_BYTES_MAX = 16_000_000
Request = Mapping[str, Any]


class Control:
    """Answers requests about one world; every connection may ask any number, one after the other."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.closing = asyncio.Event()
        self._verbs: dict[str, Callable[[Request], Awaitable[Any]]] = {
            "status": self._status,
            "exec": self._exec,
            "start": self._start,
            "stop": self._stop,
            "wait": self._wait,
            "fault": self._fault,
            "watch": self._watch,
            "unwatch": self._unwatch,
            "down": self._down,
        }

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Every request of this connection has been answered."""
        try:
            while line := await reader.readline():
                answer = await self.answer(line)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except OSError:
            pass  # the caller went away; what it asked for has been done
        finally:
            writer.close()

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one request; whatever goes wrong is told, for a person has to read it."""
        try:
            request = json.loads(line)
            verb = self._verbs.get(request["do"])
            if verb is None:
                raise FaultError(f"no verb {request['do']!r}; there are: {', '.join(self._verbs)}")
            return {"ok": True, "data": await verb(request)}
        except (FaultError, KeyError) as error:
            return {"ok": False, "error": str(error.args[0] if error.args else error)}
        except Exception as error:  # noqa: BLE001 - the lab must live on and say what happened
            traceback.print_exc(file=sys.stderr)
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    async def _status(self, _request: Request) -> dict[str, Any]:
        world = self._world
        machines = {}
        for machine in world.topology.machines:
            computer = world.computers.get(machine.name)
            cables = {n.name: world.fabric.condition(machine, n) for n in machine.networks} if computer else {}
            machines[machine.name] = {
                "role": machine.role,
                "state": ("frozen" if computer.frozen else "on") if computer else "off",
                "why": None if computer else world.ended.get(machine.name),
                "boot_id": computer.boot_id if computer else None,
                "pid": computer.pid if computer else None,
                "namespace_id": computer.namespace_id if computer else None,
                "cables": {name: c if isinstance(c, str) else asdict(c) for name, c in cables.items()},
            }
        return {
            "program": world.program,
            "topology": world.shape,
            "machines": machines,
            "background": sorted(world.background),
        }

    async def _exec(self, request: Request) -> dict[str, Any]:
        command = self._entered(request)
        stdin, timeout_s = str(request.get("stdin", "")), float(request.get("timeout_s", 60))
        return asdict(await jobs.run(command, stdin=stdin, timeout_s=timeout_s))

    async def _start(self, request: Request) -> None:
        name = str(request["name"])
        if name in self._world.background:
            raise FaultError(f"a background command {name!r} runs already; stop it first")
        self._world.background[name] = await jobs.start(self._entered(request), log=Path(request["log"]))

    async def _stop(self, request: Request) -> int:
        return await jobs.stop(self._background(request))

    async def _wait(self, request: Request) -> int:
        return await asyncio.wait_for(self._background(request).wait(), float(request.get("timeout_s", 60)))

    async def _fault(self, request: Request) -> None:
        await cause(self._world, str(request["name"]), dict(request.get("with", {})))

    async def _watch(self, request: Request) -> None:
        """An oracle watches from now on: it is told of every machine that is on, then waits for its readiness."""
        name, world = str(request["name"]), self._world
        if name in world.observers.processes:
            raise FaultError(f"an oracle {name!r} watches already; use unwatch")
        log = world.places.logs / f"{name}.log"
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "holdfast_lab.oracle.watch", "--orders", json.dumps(request["orders"])),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        world.observers.processes[name] = process
        for computer in world.computers.values():
            world.observers.tell(event="attach", machine=computer.machine.name, pid=computer.pid)
            if computer.frozen:
                world.observers.tell(event="freeze", machine=computer.machine.name)
        world.observers.tell(event="begin", machine="")
        if process.stdout is None or await asyncio.wait_for(process.stdout.readline(), 20) != b"ready\n":
            raise FaultError(f"the oracle did not start; see {log}")

    async def _unwatch(self, request: Request) -> int:
        return await self._world.observers.stop(str(request["name"]))

    async def _down(self, _request: Request) -> None:
        self.closing.set()

    def _entered(self, request: Request) -> list[str]:
        if request["machine"] == OUTSIDE:
            variables = base_environment(node_folder=None, boot_id="") | request.get("environment", {})
            pairs = [f"{name}={value}" for name, value in variables.items()]
            return ["env", "-i", *pairs, *(str(word) for word in request["command"])]
        computer = self._world.computer(str(request["machine"]))
        environment = {**self._world.environment(computer), **request.get("environment", {})}
        return computer.enter([str(word) for word in request["command"]], environment)

    def _background(self, request: Request) -> asyncio.subprocess.Process:
        name = str(request["name"])
        if name not in self._world.background:
            raise FaultError(f"no background command {name!r}; there are: {sorted(self._world.background)}")
        return self._world.background.pop(name) if request["do"] == "stop" else self._world.background[name]
