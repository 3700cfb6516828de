# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control socket of the service control manager: ``DIR/standin/scm.sock``, one JSON object per line each way.

Requests and answers::

    {"op": "state", "name": "W3SVC"}   {"ok": true, "name": "W3SVC", "state": "running", "start_mode": "auto",
                                        "pid": 17, "exit_code": 0}; a service that is not there: "state": "absent"
    {"op": "list"}                     {"ok": true, "services": [the same, ...]}
    {"op": "start", "name": "X"}       {"ok": true, "state": "running"}
    {"op": "stop", "name": "X", "force": false}   {"ok": true, "state": "stopped"}
    {"op": "report", "name": "X", "state": "running"}   {"ok": true}; a service's process says that it is up, which
                                        ends the wait of whoever starts it; with "accepts": "preshutdown" (and
                                        with or without a state) it wants SIGUSR1 before a shutdown, and time
    {"op": "watch"}                    {"ok": true}, then {"name": "X", "state": "stopped"} at each change, until closed

A refusal is {"ok": false, "error": "text"}. A connection may carry many requests.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import socketserver
import threading
from pathlib import Path
from typing import Any

from .manager import ServiceError, Services

LOG = logging.getLogger(__name__)
REQUEST_BYTES_MAX = 65_536
WATCH_QUEUE_MAX = 1000


class ControlSocket(socketserver.ThreadingUnixStreamServer):
    """Serves the services at ``path`` until it is closed; a file left there from before is replaced."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path, services: Services) -> None:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self.services = services
        super().__init__(str(path), _Handler)
        path.chmod(0o600)
        threading.Thread(target=self.serve_forever, name="scm socket", daemon=True).start()


class _Handler(socketserver.StreamRequestHandler):
    server: ControlSocket

    def handle(self) -> None:
        while line := self.rfile.readline(REQUEST_BYTES_MAX):
            request: dict[str, Any] = {}
            try:
                request = dict(json.loads(line))
                answer = self._answer(request)
            except (ServiceError, ValueError, KeyError) as error:
                answer = {"ok": False, "error": str(error) or type(error).__name__}
            if request.get("op") == "watch":
                self._watch()
                return
            self._write(answer)

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        services = self.server.services
        match request["op"]:
            case "state":
                return {"ok": True, **self._describe(str(request["name"]))}
            case "list":
                return {"ok": True, "services": [self._describe(service.name) for service in services.all()]}
            case "start":
                services.start(str(request["name"]))
                return {"ok": True, "state": "running"}
            case "stop":
                services.stop(str(request["name"]), force=bool(request.get("force", False)))
                return {"ok": True, "state": "stopped"}
            case "report":
                if "accepts" in request:
                    services.accept(str(request["name"]), str(request["accepts"]))
                if "state" in request:
                    services.report(str(request["name"]), request["state"])
                return {"ok": True}
            case "watch":
                return {}
            case other:
                raise ValueError(f"unknown op {other!r}; write state, list, start, stop, report or watch")

    def _describe(self, name: str) -> dict[str, Any]:
        services = self.server.services
        service = services.find(name)
        if service is None:
            return {"name": name, "state": "absent", "start_mode": None, "pid": 0, "exit_code": 0}
        return {
            "name": service.name,
            "state": services.state(service.name),
            "start_mode": service.start_mode,
            "pid": services.process_id(service.name),
            "exit_code": services.exit_code(service.name),
        }

    def _watch(self) -> None:
        changes: queue.Queue[dict[str, Any]] = queue.Queue(WATCH_QUEUE_MAX)

        def tell(name: str, state: str) -> None:
            with contextlib.suppress(queue.Full):  # a watcher that does not read must not hold up the services
                changes.put_nowait({"name": name, "state": state})

        stop = self.server.services.listen(tell)
        try:
            self._write({"ok": True})  # from here on, no change is missed
            while True:
                self._write(changes.get())
        except OSError:
            LOG.debug("a watcher has gone")
        finally:
            stop()

    def _write(self, answer: dict[str, Any]) -> None:
        self.wfile.write(json.dumps(answer).encode() + b"\n")
