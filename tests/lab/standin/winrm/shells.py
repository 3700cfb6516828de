# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command shells: Create, Command, Send, Receive, Signal, Delete (the protocol that pywinrm speaks)."""

from __future__ import annotations

import base64
import threading
import uuid
from dataclasses import dataclass, field

from ..job import Job
from ..node import Node
from ..powershell.scripts import recognise_command
from . import soap
from .http import Connection
from .vanishing import Vanishing

# base64 of the output and the envelope around it must fit in the client's envelope
ENVELOPE_OVERHEAD = 2000
TERMINATE = ("terminate", "ctrl_c", "ctrl_break")


@dataclass(slots=True)
class _Shell:
    jobs: dict[str, Job] = field(default_factory=dict)


class Shells:
    """The command shells of one node."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._shells: dict[str, _Shell] = {}
        self._lock = threading.Lock()
        self._vanishing = Vanishing(node.config.shell_idle_s, self._close)

    def handle(self, request: soap.Request, connection: Connection) -> bytes:
        """The answer to one request of the shell protocol. Raises FaultError."""
        if request.action == f"{soap.TRANSFER}/Create":
            shell_id = str(uuid.uuid4()).upper()
            with self._lock:
                self._shells[shell_id] = _Shell()
            self._vanishing.used(shell_id, connection.number)
            return soap.shell_created(request, shell_id)
        shell = self._require(request.shell_id)
        self._vanishing.used(request.shell_id, connection.number)
        match request.action.rpartition("/")[2]:
            case "Command":
                return self._command(request, shell)
            case "Send":
                return self._send(request, shell)
            case "Receive":
                return self._receive(request, shell, connection)
            case "Signal":
                return self._signal(request, shell)
            case "Delete":
                self._close(request.shell_id)
                return soap.answer(request, "")
        raise soap.FaultError(soap.UNSUPPORTED_ACTION, f"the stand-in does not know the action {request.action!r}")

    def disconnected(self, connection: Connection) -> None:
        """Shells that only this connection used end soon, as there is nobody left to end them."""
        self._vanishing.gone(connection.number)

    def _command(self, request: soap.Request, shell: _Shell) -> bytes:
        line = "" if request.body is None else " ".join(part.text or "" for part in request.body)
        job = Job(recognise_command(line, self._node))
        if request.options.get("WINRS_CONSOLEMODE_STDIN") == "TRUE":
            job.feed(b"", last=True)  # a console: nobody will type
        command_id = str(uuid.uuid4()).upper()
        shell.jobs[command_id] = job
        return soap.command_created(request, command_id)

    def _send(self, request: soap.Request, shell: _Shell) -> bytes:
        for stream in request.body if request.body is not None else ():
            job = self._job(shell, stream.get("CommandId"))
            job.feed(base64.b64decode(stream.text or ""), last=stream.get("End", "").lower() == "true")
        return soap.answer(request, f'<rsp:SendResponse xmlns:rsp="{soap.SHELL}"/>')

    def _receive(self, request: soap.Request, shell: _Shell, connection: Connection) -> bytes:
        wanted = request.body[0] if request.body is not None else None
        command_id = (wanted.get("CommandId") if wanted is not None else None) or ""
        job = self._job(shell, command_id)
        limit = (request.envelope_bytes - ENVELOPE_OVERHEAD) * 3 // 4
        chunk = job.read(limit=limit, wait_s=request.timeout_s, gone=connection.gone)
        if chunk is None:
            raise soap.timed_out()
        parts = [("stdout", command_id, chunk.out), ("stderr", command_id, chunk.err)]
        encoded = [(name, command, base64.b64encode(data).decode()) for name, command, data in parts if data]
        state = soap.command_state(command_id, done=chunk.code is not None, code=chunk.code)
        return soap.streams(request, [*encoded], state=state)

    def _signal(self, request: soap.Request, shell: _Shell) -> bytes:
        command_id = request.body.get("CommandId", "") if request.body is not None else ""
        code = request.body.findtext(f"{{{soap.SHELL}}}Code", "") if request.body is not None else ""
        if not code.endswith(TERMINATE):
            raise soap.FaultError(soap.UNSUPPORTED_ACTION, f"the stand-in does not know the signal {code!r}")
        job = shell.jobs.pop(command_id, None)
        if job is not None:
            job.end()
        return soap.answer(request, f'<rsp:SignalResponse xmlns:rsp="{soap.SHELL}"/>')

    def _close(self, shell_id: str) -> None:
        with self._lock:
            shell = self._shells.pop(shell_id, None)
        self._vanishing.forget(shell_id)
        for job in shell.jobs.values() if shell else ():
            job.end()

    def _require(self, shell_id: str) -> _Shell:
        with self._lock:
            shell = self._shells.get(shell_id)
        if shell is None:
            raise soap.FaultError(soap.INVALID_SELECTOR, f"The shell was not found on the server: {shell_id}")
        return shell

    def _job(self, shell: _Shell, command_id: str | None) -> Job:
        job = shell.jobs.get(command_id or "")
        if job is None:
            raise soap.FaultError(soap.INVALID_SELECTOR, f"The command was not found in the shell: {command_id}")
        return job
