# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""PowerShell runspaces (the protocol that pypsrp speaks): fragments of MS-PSRP inside the shell protocol."""

from __future__ import annotations

import base64
import threading
import time
import uuid
import xml.etree.ElementTree as ET
from collections import defaultdict, deque
from dataclasses import dataclass, field

import psrpcore
from psrpcore.types import HostMethodIdentifier

from ..job import SLICE_S, Chunk, Job
from ..node import Node
from ..powershell import clixml
from ..powershell.scripts import recognise_script
from . import soap
from .http import Connection
from .vanishing import Vanishing

FRAGMENT_BYTES = 100_000
READ_BYTES = 1_000_000
READ_S = 3600.0
RESOURCE = "http://schemas.microsoft.com/powershell/"


@dataclass(slots=True)
class _Pool:
    """One runspace pool. ``waiting`` is what each pipeline (None: the pool) still has to send to the client."""

    pool: psrpcore.ServerRunspacePool
    changed: threading.Condition = field(default_factory=threading.Condition)
    waiting: dict[uuid.UUID | None, deque[bytes]] = field(default_factory=lambda: defaultdict(deque))
    pipelines: dict[uuid.UUID, psrpcore.ServerPipeline] = field(default_factory=dict)
    jobs: dict[uuid.UUID, Job] = field(default_factory=dict)
    done: set[uuid.UUID] = field(default_factory=set)

    def flush(self) -> None:
        """What psrpcore wants sent is in ``waiting``. Call it with ``changed`` held."""
        while payload := self.pool.data_to_send(FRAGMENT_BYTES):
            self.waiting[payload.pipeline_id].append(payload.data)
        self.changed.notify_all()


class Runspaces:
    """The runspace pools of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._pools: dict[str, _Pool] = {}
        self._lock = threading.Lock()
        self._vanishing = Vanishing(node.config.shell_idle_s, self._close)

    def handle(self, request: soap.Request, connection: Connection) -> bytes:
        """The answer to one request of the shell protocol. Raises FaultError."""
        if request.action == f"{soap.TRANSFER}/Create":
            return self._create(request, connection)
        pool = self._require(request.shell_id)
        self._vanishing.used(request.shell_id, connection.number)
        match request.action.rpartition("/")[2]:
            case "Command":
                return self._command(request, pool)
            case "Send":
                for stream in request.body if request.body is not None else ():
                    self._take(pool, base64.b64decode(stream.text or ""))
                return soap.answer(request, f'<rsp:SendResponse xmlns:rsp="{soap.SHELL}"/>')
            case "Receive":
                return _receive(request, pool, connection)
            case "Signal":
                return _signal(request, pool)
            case "Delete":
                self._close(request.shell_id)
                return soap.answer(request, "")
        raise soap.FaultError(soap.UNSUPPORTED_ACTION, f"the stand-in does not know the action {request.action!r}")

    def disconnected(self, connection: Connection) -> None:
        """Pools that only this connection used end soon."""
        self._vanishing.gone(connection.number)

    def _create(self, request: soap.Request, connection: Connection) -> bytes:
        if request.body is None:
            raise soap.FaultError(soap.UNSUPPORTED_ACTION, "Create without a shell")
        shell_id = (request.body.get("ShellId") or str(uuid.uuid4())).upper()
        opening = request.body.findtext("{http://schemas.microsoft.com/powershell}creationXml", "")
        pool = _Pool(pool=psrpcore.ServerRunspacePool())
        self._take(pool, base64.b64decode(opening))
        with self._lock:
            self._pools[shell_id] = pool
        self._vanishing.used(shell_id, connection.number)
        return soap.shell_created(request, shell_id)

    def _command(self, request: soap.Request, pool: _Pool) -> bytes:
        body = request.body if request.body is not None else ET.Element("none")
        command_id = (body.get("CommandId") or str(uuid.uuid4())).upper()
        identity = uuid.UUID(command_id)
        with pool.changed:
            pool.pipelines[identity] = psrpcore.ServerPipeline(pool.pool, identity)
        self._take(pool, base64.b64decode(body.findtext(f"{{{soap.SHELL}}}Arguments", "")))
        return soap.command_created(request, command_id)

    def _take(self, pool: _Pool, data: bytes) -> None:
        with pool.changed:
            pool.pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, None))
            while event := pool.pool.next_event():
                self._react(pool, event)
            pool.flush()

    def _react(self, pool: _Pool, event: psrpcore.PSRPEvent) -> None:
        if isinstance(event, psrpcore.CreatePipelineEvent):
            self._start(pool, event)
        elif isinstance(event, psrpcore.PipelineInputEvent) and event.pipeline_id in pool.jobs:
            pool.jobs[event.pipeline_id].feed(str(event.data).encode() + b"\n", last=False)
        elif isinstance(event, psrpcore.EndOfPipelineInputEvent) and event.pipeline_id in pool.jobs:
            pool.jobs[event.pipeline_id].feed(b"", last=True)

    def _start(self, pool: _Pool, event: psrpcore.CreatePipelineEvent) -> None:
        commands = event.pipeline.commands
        scripts = [command.command_text for command in commands if command.is_script and not command.parameters]
        # More than one command, or arguments, is nothing that we know; their text goes where unknown scripts go.
        script = scripts[0] if len(scripts) == len(commands) == 1 else f"pipeline {commands!r}"
        job = Job(recognise_script(script, self._node))
        if event.pipeline.no_input:
            job.feed(b"", last=True)
        pool.jobs[event.pipeline_id] = job
        pipeline = pool.pipelines[event.pipeline_id]
        # Set without the message of the Running state, which pypsrp takes for the answer to something else.
        pipeline.state = psrpcore.types.PSInvocationState.Running
        threading.Thread(target=_forward, args=(pool, pipeline, job), name="pipeline", daemon=True).start()

    def _close(self, shell_id: str) -> None:
        with self._lock:
            pool = self._pools.pop(shell_id, None)
        self._vanishing.forget(shell_id)
        for job in list(pool.jobs.values()) if pool else ():
            job.end()

    def _require(self, shell_id: str) -> _Pool:
        with self._lock:
            pool = self._pools.get(shell_id)
        if pool is None:
            raise soap.FaultError(soap.INVALID_SELECTOR, f"The shell was not found on the server: {shell_id}")
        return pool


def _forward(pool: _Pool, pipeline: psrpcore.ServerPipeline, job: Job) -> None:
    """The job's output went to the pipeline, line by line, and its exit code and end after it."""
    rest = b""
    errors = b""
    chunk: Chunk | None = None
    while chunk is None or chunk.code is None:
        chunk = job.read(limit=READ_BYTES, wait_s=READ_S)
        if chunk is None:
            continue
        errors += chunk.err
        *lines, rest = (rest + chunk.out).split(b"\n")
        with pool.changed:
            for line in lines:
                pipeline.write_output(line.rstrip(b"\r").decode(errors="replace"))
            pool.flush()
    with pool.changed:
        if rest:
            pipeline.write_output(rest.decode(errors="replace"))
        if errors:
            text = clixml.plain(errors).rstrip("\r\n")
            pipeline.host_call(HostMethodIdentifier.WriteErrorLine, [text + "\r\n"])
        if chunk.code:
            pipeline.host_call(HostMethodIdentifier.SetShouldExit, [chunk.code])
        pipeline.complete()
        pool.done.add(pipeline.pipeline_id)
        pool.flush()


def _receive(request: soap.Request, pool: _Pool, connection: Connection) -> bytes:
    wanted = request.body[0] if request.body is not None else None
    command_id = wanted.get("CommandId") if wanted is not None else None
    identity = uuid.UUID(command_id) if command_id else None
    room = request.envelope_bytes * 3 // 4
    deadline = time.monotonic() + request.timeout_s
    with pool.changed:
        queue = pool.waiting[identity]
        while not queue:
            left = deadline - time.monotonic()
            if left <= 0 or connection.gone():
                raise soap.timed_out()
            pool.changed.wait(min(left, SLICE_S))
        parts = [queue.popleft()]
        while queue and sum(map(len, parts)) + len(queue[0]) + FRAGMENT_BYTES // 10 < room:
            parts.append(queue.popleft())
        over = identity in pool.done and not queue
    data = base64.b64encode(b"".join(parts)).decode()
    state = soap.command_state(command_id, done=over, code=0 if over else None) if command_id else ""
    return soap.streams(request, [("stdout", command_id, data)], state=state)


def _signal(request: soap.Request, pool: _Pool) -> bytes:
    command_id = request.body.get("CommandId", "") if request.body is not None else ""
    job = pool.jobs.get(uuid.UUID(command_id)) if command_id else None
    if job is not None:
        job.end()
    return soap.answer(request, f'<rsp:SignalResponse xmlns:rsp="{soap.SHELL}"/>')
