# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Our process as a Windows service, against an imitation of what pywin32's service host does with our class.

The imitation follows win32/src/PythonService.cpp (instance from the service's arguments, SvcRun, STOPPED at the end)
and the ServiceFramework of win32/Lib/win32serviceutil.py (which control calls which method).
"""

from __future__ import annotations

import sys
import threading
import types
from typing import Any

import pytest

from holdfast.errors import SurfaceError
from holdfast.surface import Listen
from holdfast.surface_win32 import Win32Surface, service_host

STOP, INTERROGATE, PRESHUTDOWN = 1, 4, 15
STOPPED, STOP_PENDING, RUNNING = 1, 3, 4


class ApiError(Exception):
    """pywintypes.error."""

    def __init__(self, winerror: int, text: str) -> None:
        super().__init__(winerror, text)
        self.winerror, self.strerror = winerror, text


class Framework:
    """The parts of win32serviceutil.ServiceFramework that matter here."""

    manager: ServiceManager

    def __init__(self, arguments: list[str]) -> None:
        self.name = arguments[0]

    def ReportServiceStatus(self, status: int, wait_hint_ms: int = 5000) -> None:  # noqa: N802 - pywin32's name
        del wait_hint_ms
        self.manager.accepted = getattr(self, "GetAcceptedControls")()  # noqa: B009 - the subclass has it
        self.manager.reported.append(status)
        if status == RUNNING and self.manager.accepted & self.manager.awaits:
            self.manager.ready.set()

    def ServiceCtrlHandlerEx(self, control: int) -> None:  # noqa: N802 - pywin32's name
        handlers: dict[int, Any] = {STOP: "SvcStop", INTERROGATE: "SvcInterrogate"}
        if control in handlers:
            getattr(self, handlers[control])()
        else:
            getattr(self, "SvcOtherEx")(control, 0, None)  # noqa: B009 - the subclass has it

    def SvcRun(self) -> None:  # noqa: N802 - pywin32's name
        self.ReportServiceStatus(RUNNING)
        getattr(self, "SvcDoRun")()  # noqa: B009 - the subclass has it
        self.ReportServiceStatus(STOP_PENDING)


class ServiceManager:
    """The service control manager and pywin32's C part, as the module servicemanager."""

    def __init__(self, controls: list[int]) -> None:
        self.controls = controls
        self.reported: list[int] = []
        self.accepted = 0
        self.preshutdown_ms = 0
        self.awaits = 0x1
        """Controls are sent once one of these is accepted."""
        self.ready = threading.Event()
        self.started_by_scm = True
        self._class: Any = None

    def Initialize(self) -> None:  # noqa: N802 - pywin32's name
        Framework.manager = self

    def PrepareToHostSingle(self, hosted: Any) -> None:  # noqa: N802 - pywin32's name
        self._class = hosted

    def StartServiceCtrlDispatcher(self) -> None:  # noqa: N802 - pywin32's name
        if not self.started_by_scm:
            raise ApiError(1063, "the service process could not connect to the service controller")
        instance = self._class(["Holdfast"])
        thread = threading.Thread(target=self._run, args=(instance,))
        thread.start()
        assert self.ready.wait(10)
        for control in self.controls:
            instance.ServiceCtrlHandlerEx(control)
        thread.join(10)
        self.reported.append(STOPPED)

    def _run(self, instance: Any) -> None:
        try:
            instance.SvcRun()
        except ValueError:
            self.reported.append(-1)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> ServiceManager:
    made = ServiceManager([STOP])

    def configure(_service: object, kind: int, value: int) -> None:
        assert kind == 7
        made.preshutdown_ms = value

    win32service = types.SimpleNamespace(
        SERVICE_ACCEPT_STOP=1,
        SERVICE_ACCEPT_PRESHUTDOWN=0x100,
        SERVICE_CONTROL_PRESHUTDOWN=PRESHUTDOWN,
        SERVICE_STOP_PENDING=STOP_PENDING,
        SERVICE_RUNNING=RUNNING,
        SERVICE_CONFIG_PRESHUTDOWN_INFO=7,
        SERVICE_CHANGE_CONFIG=2,
        SERVICE_QUERY_STATUS=4,
        SC_MANAGER_CONNECT=1,
        OpenSCManager=lambda _machine, _database, _access: "scm",
        OpenService=_open_service,
        CloseServiceHandle=lambda _handle: None,
        ChangeServiceConfig2=configure,
        QueryServiceStatusEx=lambda service: {"CurrentState": {"W3SVC": 4, "WAS": 2, "SPOOLER": 7}[service]},
    )
    monkeypatch.setitem(sys.modules, "pywintypes", types.SimpleNamespace(error=ApiError))
    monkeypatch.setitem(sys.modules, "win32service", win32service)
    monkeypatch.setitem(sys.modules, "win32serviceutil", types.SimpleNamespace(ServiceFramework=Framework))
    monkeypatch.setitem(sys.modules, "servicemanager", made)
    return made


def _open_service(_manager: object, name: str, _access: int) -> str:
    if name == "nope":
        raise ApiError(1060, "the specified service does not exist")
    if name == "secret":
        raise ApiError(5, "access is denied")
    return name


def _until_stopped(on_stop: Listen, on_shutdown: Listen) -> None:
    asked = threading.Event()
    on_stop(asked.set)
    on_shutdown(asked.set)
    assert asked.wait(10)


@pytest.mark.parametrize("control", [STOP, PRESHUTDOWN])
def test_stop_and_preshutdown_end_the_body_and_the_manager_hears_of_it(manager: ServiceManager, control: int) -> None:
    manager.controls, manager.awaits = [INTERROGATE, control], 0x100
    Win32Surface().run_service(name="Holdfast", main=_until_stopped)
    assert manager.reported[:2] == [RUNNING, RUNNING]
    assert manager.reported[-1] == STOPPED
    assert STOP_PENDING in manager.reported
    assert manager.reported.count(RUNNING) == 2


def test_windows_is_asked_for_preshutdown_and_for_the_time_it_takes(manager: ServiceManager) -> None:
    manager.awaits = 0x100
    Win32Surface().run_service(name="Holdfast", main=_until_stopped)
    assert manager.accepted == 0x101
    assert manager.preshutdown_ms == service_host.PRESHUTDOWN_MS


def test_a_body_that_does_not_want_to_hear_of_a_shutdown_is_not_told(manager: ServiceManager) -> None:
    def guard(on_stop: Listen, on_shutdown: Listen) -> None:
        del on_shutdown
        asked = threading.Event()
        on_stop(asked.set)
        assert asked.wait(10)

    Win32Surface().run_service(name="HoldfastGuard", main=guard)
    assert manager.accepted == 0x1


def test_a_shutdown_is_another_request_than_a_stop_and_is_waited_for(manager: ServiceManager) -> None:
    told: list[str] = []

    def moving(on_stop: Listen, on_shutdown: Listen) -> None:
        moved = threading.Event()
        on_stop(lambda: told.append("stop"))
        on_shutdown(moved.set)
        assert moved.wait(10)
        told.append("moved")

    manager.controls, manager.awaits = [PRESHUTDOWN], 0x100
    Win32Surface().run_service(name="Holdfast", main=moving)
    assert told == ["moved"]
    assert manager.reported[-1] == STOPPED


def test_what_the_body_raises_comes_out(manager: ServiceManager) -> None:
    def failing(on_stop: object, on_shutdown: object) -> None:
        del on_stop, on_shutdown
        raise ValueError("torn state file")

    manager.controls = []
    with pytest.raises(ValueError, match="torn state file"):
        Win32Surface().run_service(name="Holdfast", main=failing)
    assert manager.reported == [RUNNING, -1, STOPPED]


def test_a_process_that_the_manager_did_not_start_is_told_so(manager: ServiceManager) -> None:
    manager.started_by_scm = False
    with pytest.raises(SurfaceError, match="was not started by the service control manager") as caught:
        Win32Surface().run_service(name="Holdfast", main=_until_stopped)
    assert caught.value.code == 1063


def test_a_service_that_may_not_change_its_time_is_told_so(manager: ServiceManager) -> None:
    del manager
    with pytest.raises(SurfaceError, match="service secret cannot be given its time for a shutdown: access is denied"):
        Win32Surface().run_service(name="secret", main=_until_stopped)


def test_states_of_services_are_read(manager: ServiceManager) -> None:
    del manager
    surface = Win32Surface()
    states = [surface.service_state(name) for name in ("W3SVC", "WAS", "SPOOLER", "nope")]
    assert states == ["running", "start_pending", "paused", "absent"]
    with pytest.raises(SurfaceError, match="service secret: access is denied"):
        surface.service_state("secret")
