# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services of a node at work: start, stop, crash and restart, and everyone who wants to be told.

Rules: a service that runs has exactly one process; a stop that returned has ended it; a process that ends without
having been asked is a crash, unless its exit code is 0, and is treated by the service's failure actions.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..config import READY_FD
from ..programs import Launcher, ProgramMissingError, ProgramUnknownError, kill_group, split_command_line
from .service import CANNOT_STOP, Service, State, Store

LOG = logging.getLogger(__name__)
Listener = Callable[[str, State], None]
KILL_WAIT_S = 5.0
REPORT_S = 30.0  # ServicesPipeTimeout: how long Windows waits for a service to report
SHORTEST_RESTART_S = 0.05
PRESHUTDOWN_SIGNAL = signal.SIGUSR1
"""How the notice before a shutdown reaches a service's process (holdfast_lab.surface.servicebody)."""


class ServiceError(Exception):
    """The service control manager refuses, with a text like that of Windows."""


@dataclass(slots=True)
class _Live:
    """What a service is doing now. ``busy`` serialises start and stop of one service."""

    state: State = "stopped"
    process: subprocess.Popen[bytes] | None = None
    exit_code: int = 0
    asked_to_stop: bool = False
    failures: int = 0
    last_failure_s: float = 0.0
    busy: threading.RLock = field(default_factory=threading.RLock)
    will_report: bool = False
    reported: threading.Event = field(default_factory=threading.Event)
    stop_asked: threading.Event = field(default_factory=threading.Event)
    hears_shutdown: bool = False


class Services:
    """The service control manager of one node."""

    def __init__(
        self,
        *,
        file: Path,
        launcher: Launcher,
        host_programs: Mapping[str, Sequence[str]],
        settle_s: float,
        stop_s: float,
    ) -> None:
        self._store = Store(file)
        self._store.load()
        self._launcher = launcher
        self._host_programs = {name.lower(): tuple(argv) for name, argv in host_programs.items()}
        self._settle_s = settle_s
        self._stop_s = stop_s
        self._live: dict[str, _Live] = {}
        self._lock = threading.Lock()
        self._listeners: list[Listener] = []

    # -- what is installed ------------------------------------------------------------------------
    def all(self) -> list[Service]:
        """Every installed service, by name."""
        return self._store.all()

    def find(self, name: str) -> Service | None:
        """The service with this name or display name."""
        return self._store.find(name)

    def install(self, service: Service) -> None:
        """The service is installed, or its configuration replaced; a running process stays as it is."""
        self._store.put(service)

    def remove(self, name: str) -> None:
        """The service is stopped and not installed. Raises ServiceError when it cannot be stopped."""
        self.stop(name, force=False)
        self._store.remove(name)
        with self._lock:
            self._live.pop(name.lower(), None)

    def dependents(self, name: str) -> list[Service]:
        """The services that name this one as a dependency."""
        wanted = name.lower()
        return [item for item in self.all() if wanted in (other.lower() for other in item.dependencies)]

    # -- what runs --------------------------------------------------------------------------------
    def state(self, name: str) -> State:
        """The state of an installed service."""
        return self._of(name).state

    def process_id(self, name: str) -> int:
        """The process of a running service; 0 when it has none."""
        process = self._of(name).process
        return process.pid if process is not None else 0

    def exit_code(self, name: str) -> int:
        """The exit code of its last process; 0 when there was none."""
        return self._of(name).exit_code

    def start(self, name: str) -> None:
        """The service runs, after those it depends on. Raises ServiceError when it does not come up."""
        service = self._require(name)
        live = self._of(service.name)
        with live.busy:
            if live.state == "running":
                return
            if service.start_mode == "disabled":
                raise ServiceError(
                    f"Service '{service.display_name} ({service.name})' cannot be started: it is disabled"
                )
            for dependency in service.dependencies:
                self.start(dependency)
            live.asked_to_stop = False
            live.stop_asked.clear()
            self._launch(service, live)

    def stop(self, name: str, *, force: bool) -> None:
        """The service and, with ``force``, what depends on it is stopped, its process gone. Raises ServiceError."""
        service = self._require(name)
        running = [item for item in self.dependents(service.name) if self.state(item.name) != "stopped"]
        if running and not force:
            raise ServiceError(
                f"Cannot stop service '{service.display_name} ({service.name})' because it has dependent services. "
                "It can only be stopped if the Force flag is set."
            )
        if service.name.lower() in CANNOT_STOP:
            raise ServiceError(f"Service '{service.display_name} ({service.name})' cannot be stopped in the lab")
        for item in running:
            self.stop(item.name, force=True)
        live = self._of(service.name)
        live.asked_to_stop = True
        live.stop_asked.set()
        with live.busy:
            self._end(service, live)

    def report(self, name: str, state: State) -> None:
        """A service's own process says what it is doing; only ``running`` has an effect."""
        if state == "running":
            self._of(self._require(name).name).reported.set()

    def accept(self, name: str, what: str) -> None:
        """A service's own process wants to be told of this. Raises ServiceError for what the lab does not know."""
        if what != "preshutdown":
            raise ServiceError(f"the lab cannot tell a service of {what!r}; write preshutdown")
        self._of(self._require(name).name).hears_shutdown = True

    def listen(self, listener: Listener) -> Callable[[], None]:
        """The listener is told of every change of state, until the returned function is called."""
        with self._lock:
            self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    # -- the node's start and end -----------------------------------------------------------------
    def start_automatic(self) -> None:
        """Every automatic service was started, those it depends on first; one that fails is logged."""
        for mode in ("auto", "delayed"):
            for service in self.all():
                if service.start_mode == mode:
                    try:
                        self.start(service.name)
                    except ServiceError as error:
                        LOG.warning("automatic start: %s", error)

    def announce_shutdown(self) -> None:
        """Every service that wants to be told of a shutdown was told, and has ended or had its time."""
        ending = [
            threading.Thread(target=self._tell_of_shutdown, args=(service,), name=f"preshutdown {service.name}")
            for service in self.all()
            if self._of(service.name).hears_shutdown and self.state(service.name) == "running"
        ]
        for thread in ending:
            thread.start()
        for thread in ending:
            thread.join()

    def stop_all(self) -> None:
        """No service runs; dependents went first."""
        for service in self.all():
            if service.name.lower() not in CANNOT_STOP:
                self.stop(service.name, force=True)

    # -- inside -----------------------------------------------------------------------------------
    def _require(self, name: str) -> Service:
        service = self.find(name)
        if service is None:
            raise ServiceError(f"Cannot find any service with service name '{name}'.")
        return service

    def _of(self, name: str) -> _Live:
        with self._lock:
            return self._live.setdefault(name.lower(), _Live())

    def _enter(self, service: Service, live: _Live, state: State) -> None:
        live.state = state
        with self._lock:
            listeners = list(self._listeners)
        for listener in listeners:
            listener(service.name, state)

    def _launch(self, service: Service, live: _Live) -> None:
        live.reported.clear()
        live.hears_shutdown = False
        self._enter(service, live, "start_pending")
        try:
            live.process = self._spawn(service, live)
        except (ProgramMissingError, ProgramUnknownError) as error:
            self._enter(service, live, "stopped")
            raise ServiceError(
                f"Service '{service.display_name} ({service.name})' cannot be started: {error}"
            ) from error
        if live.process is not None and not self._came_up(live.process, live):
            live.exit_code = live.process.returncode
            live.process = None
            self._enter(service, live, "stopped")
            raise ServiceError(
                f"Service '{service.display_name} ({service.name})' cannot be started: its process ended at once "
                f"with exit code {live.exit_code}"
            )
        self._enter(service, live, "running")
        if live.process is not None:
            arguments = (service.name, live, live.process)
            threading.Thread(target=self._watch, args=arguments, name=f"service {service.name}", daemon=True).start()

    def _spawn(self, service: Service, live: _Live) -> subprocess.Popen[bytes] | None:
        environment = {"HOLDFAST_STANDIN_SERVICE": service.name}
        if service.host:
            argv = self._host_programs.get(service.name.lower())
            return self._spawn_host(argv, live, environment) if argv else None
        program, *arguments = split_command_line(service.path) or [""]
        return self._launcher.start(program, arguments, environment=environment, streams=False)

    def _spawn_host(self, argv: Sequence[str], live: _Live, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        if READY_FD not in argv:
            return self._launcher.start_argv(argv, environment=environment, streams=False)
        reader, writer = os.pipe()
        try:
            line = [str(writer) if word == READY_FD else word for word in argv]
            process = self._launcher.start_argv(line, environment=environment, streams=False, descriptors=[writer])
        except ProgramMissingError:
            os.close(reader)
            raise
        finally:
            os.close(writer)
        live.will_report = True
        threading.Thread(target=_await_ready, args=(reader, live.reported), name="ready", daemon=True).start()
        return process

    def _came_up(self, process: subprocess.Popen[bytes], live: _Live) -> bool:
        deadline = time.monotonic() + (REPORT_S if live.will_report else self._settle_s)
        while time.monotonic() < deadline and not live.reported.wait(0.02):
            if process.poll() is not None:
                return False
        return process.poll() is None

    def _end(self, service: Service, live: _Live) -> None:
        process = live.process
        if process is None or process.poll() is not None:
            live.process = None
            if live.state != "stopped":
                self._enter(service, live, "stopped")
            return
        self._enter(service, live, "stop_pending")
        process.terminate()
        try:
            process.wait(self._stop_s)
        except subprocess.TimeoutExpired:
            LOG.warning("service %s did not stop within %s s and is killed", service.name, self._stop_s)
        kill_group(process)
        live.exit_code = process.wait(KILL_WAIT_S)
        live.process = None
        self._enter(service, live, "stopped")

    def _tell_of_shutdown(self, service: Service) -> None:
        live = self._of(service.name)
        with live.busy:
            process = live.process
            if process is None or process.poll() is not None:
                return
            live.asked_to_stop = True
            live.stop_asked.set()
            self._enter(service, live, "stop_pending")
            process.send_signal(PRESHUTDOWN_SIGNAL)
        try:
            live.exit_code = process.wait(service.pre_shutdown_timeout_ms / 1000)
        except subprocess.TimeoutExpired:
            LOG.warning("service %s was not ready for the shutdown in its time", service.name)

    def _watch(self, name: str, live: _Live, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        with live.busy:
            if live.asked_to_stop or live.process is not process:
                return
            kill_group(process)
            live.process, live.exit_code = None, code
            service = self.find(name)
            if service is None:
                return
            self._enter(service, live, "stopped")
        if code != 0:
            LOG.warning("service %s crashed with exit code %s", name, code)
            self._recover(service, live)

    def _recover(self, service: Service, live: _Live) -> None:
        while (delay_s := self._restart_delay_s(service, live)) is not None:
            if live.stop_asked.wait(delay_s):
                return
            try:
                with live.busy:
                    if not live.asked_to_stop:
                        self.start(service.name)
                return
            except ServiceError as error:
                LOG.warning("restart after a crash: %s", error)

    def _restart_delay_s(self, service: Service, live: _Live) -> float | None:
        """Seconds until the restart that the failure actions ask for, or None for no restart."""
        now_s = time.monotonic()
        if now_s - live.last_failure_s > service.failure_reset_period_sec:
            live.failures = 0
        live.failures, live.last_failure_s = live.failures + 1, now_s
        if not service.failure_actions:
            return None
        action = service.failure_actions[min(live.failures, len(service.failure_actions)) - 1]
        return max(action.delay_ms / 1000, SHORTEST_RESTART_S) if action.type == "restart" else None


def _await_ready(descriptor: int, reported: threading.Event) -> None:
    """The event is set when the process wrote its line; a descriptor that just closes sets nothing."""
    with os.fdopen(descriptor, "rb") as pipe:
        if pipe.readline():
            reported.set()
