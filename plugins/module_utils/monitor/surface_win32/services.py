# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The service control manager: states of services, and our own process as one."""

from __future__ import annotations

from typing import Any

from ..errors import SurfaceError
from ..surface import ServiceMain, ServiceState
from .api import ERROR_SERVICE_DOES_NOT_EXIST
from .service_host import host

_STATES: dict[int, ServiceState] = {
    1: "stopped",
    2: "start_pending",
    3: "stop_pending",
    4: "running",
    5: "start_pending",
    6: "stop_pending",
    7: "paused",
}
"""dwCurrentState of winsvc.h; continuing counts as starting, pausing as stopping."""


class Services:
    """Primitives of services."""

    def service_state(self, name: str) -> ServiceState:
        """From QueryServiceStatusEx with the least rights.

        Source: learn.microsoft.com/en-us/windows/win32/api/winsvc/nf-winsvc-queryservicestatusex.
        """
        import pywintypes
        import win32service

        try:
            manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
            try:
                service = win32service.OpenService(manager, name, win32service.SERVICE_QUERY_STATUS)
                try:
                    # A dictionary (win32service.i), whatever the type stubs say.
                    status: Any = win32service.QueryServiceStatusEx(service)
                finally:
                    win32service.CloseServiceHandle(service)
            finally:
                win32service.CloseServiceHandle(manager)
        except pywintypes.error as error:
            if error.winerror == ERROR_SERVICE_DOES_NOT_EXIST:
                return "absent"
            raise SurfaceError("service_state", f"service {name}: {error.strerror}", error.winerror) from error
        return _STATES[int(status["CurrentState"])]

    def run_service(self, *, name: str, main: ServiceMain) -> None:
        """python.exe itself is the service process; the dispatcher takes the main thread until STOPPED.

        Source: github.com/mhammond/pywin32 win32/Demos/service/nativePipeTestService.py and
        win32/src/PythonService.cpp.
        """
        host(name, main)
