# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Our process as a Windows service: who is told of a stop or a shutdown, and how the control manager is kept patient.

Rule: a request is answered at once and carried out by the body of the service; as long as that takes, the control
manager hears every few seconds that we are still stopping. A shutdown of the system waits for it in the same way.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from ..errors import SurfaceError
from ..surface import ServiceMain

PRESHUTDOWN_MS = 180_000
"""How long Windows waits for us when it shuts down; its own default is 10 s since build 15063.

Source: SERVICE_PRESHUTDOWN_INFO, learn.microsoft.com/en-us/windows/win32/api/winsvc/
"""

REPORT_EVERY_S = 2.0
WAIT_HINT_MS = 10_000


class Request:
    """A request that is never lost, whichever comes first: the request or who wants to hear of it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked = False
        self._listeners: list[Callable[[], None]] = []
        self.heard = False
        """Whether anybody ever wanted to hear of it."""
        self.on_heard: Callable[[], None] = _nothing
        """Called when the first one does."""

    def listen(self, listener: Callable[[], None]) -> None:
        """``listener`` is called once when it is asked for; at once when it was already."""
        with self._lock:
            first, self.heard = not self.heard, True
            asked = self._asked
            if not asked:
                self._listeners.append(listener)
        if first:
            self.on_heard()
        if asked:
            listener()

    def ask(self) -> None:
        """Everyone who listens has been called; a second request changes nothing."""
        with self._lock:
            listeners, self._listeners = self._listeners, []
            self._asked = True
        for listener in listeners:
            listener()


def report_until(done: threading.Event, report: Callable[[], None], every_s: float = REPORT_EVERY_S) -> None:
    """``report`` was called at once and then every so often until ``done`` was set."""
    report()
    while not done.wait(every_s):
        report()


class Body:
    """The body of the service in its run: it can be asked to stop, it ends, it may have failed."""

    def __init__(self, main: ServiceMain) -> None:
        self._main = main
        self.stop = Request()
        self.shutdown = Request()
        self.done = threading.Event()
        self.failure: BaseException | None = None

    def run(self) -> None:
        """The body has returned or raised; what it raised is kept and raised."""
        try:
            self._main(self.stop.listen, self.shutdown.listen)
        except BaseException as error:
            self.failure = error
            raise
        finally:
            self.done.set()


def _nothing() -> None:
    """For a request whose first listener is of no interest."""


def host(name: str, main: ServiceMain) -> None:
    """``main`` ran as the service's body and STOPPED was reported; an error of ``main`` is raised here again."""
    import pywintypes
    import servicemanager

    body = Body(main)
    try:
        _ask_for_time(name)
        servicemanager.Initialize()
        servicemanager.PrepareToHostSingle(_service_class(name, body))
        servicemanager.StartServiceCtrlDispatcher()  # type: ignore[no-untyped-call] # its stub has no types
    except pywintypes.error as error:
        message = f"this process was not started by the service control manager: {error}"
        raise SurfaceError("run_service", message, error.winerror) from error
    if body.failure is not None:
        raise body.failure


def _service_class(name: str, body: Body) -> type:
    """What pywin32 makes an instance of: controls in the dispatcher's thread, the body in one of its own.

    Stop is accepted, and pre-shutdown once the body wants to hear of it: it comes while W3SVC, disks and network
    still work, shutdown not. A service that accepts neither that nor shutdown runs until the system ends it. Source:
    learn.microsoft.com/en-us/windows/win32/services/service-control-handler-function; SERVICE_STATUS.
    dwControlsAccepted, learn.microsoft.com/en-us/windows/win32/api/winsvc/ns-winsvc-service_status;
    github.com/mhammond/pywin32 win32/Lib/win32serviceutil.py (ServiceFramework.ReportServiceStatus asks
    GetAcceptedControls each time). Unconfirmed: that a control accepted after the first RUNNING is delivered.
    """
    import win32service
    import win32serviceutil

    class Host(win32serviceutil.ServiceFramework):
        """The service as pywin32 wants it."""

        _svc_name_ = name

        def GetAcceptedControls(self) -> int:  # noqa: N802 - pywin32's name for it
            """Stop, and pre-shutdown when the body wants to hear of it."""
            preshutdown = win32service.SERVICE_ACCEPT_PRESHUTDOWN if body.shutdown.heard else 0
            return win32service.SERVICE_ACCEPT_STOP | preshutdown

        def SvcInterrogate(self) -> None:  # noqa: N802 - pywin32's name for it
            """The state that was reported last stands; pywin32's own answer would say "running" while we stop."""

        def SvcStop(self) -> None:  # noqa: N802 - pywin32's name for it
            """Still stopping, until the body has returned."""
            self._end_by(body.stop)

        def _end_by(self, request: Request) -> None:
            def pending() -> None:
                self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, WAIT_HINT_MS)

            threading.Thread(target=report_until, args=(body.done, pending), daemon=True).start()
            threading.Thread(target=request.ask, name="service-request", daemon=True).start()

        def SvcOtherEx(self, control: int, event_type: int, data: object) -> None:  # noqa: N802 - pywin32's name for it
            """Pre-shutdown: the system waits until we have stopped; nothing else was asked for."""
            del event_type, data
            if control == win32service.SERVICE_CONTROL_PRESHUTDOWN:
                self._end_by(body.shutdown)

        def SvcDoRun(self) -> None:  # noqa: N802 - pywin32's name for it
            """The body."""
            body.shutdown.on_heard = self._accept_more
            body.run()

        def _accept_more(self) -> None:
            self.ReportServiceStatus(win32service.SERVICE_RUNNING)

    return Host


def _ask_for_time(name: str) -> None:
    """Windows waits PRESHUTDOWN_MS for this service when it shuts down, should it want to be told."""
    import pywintypes
    import win32service

    # Handles of pywin32 close themselves.
    try:
        manager = win32service.OpenSCManager(None, None, win32service.SC_MANAGER_CONNECT)
        service = win32service.OpenService(manager, name, win32service.SERVICE_CHANGE_CONFIG)
        win32service.ChangeServiceConfig2(service, win32service.SERVICE_CONFIG_PRESHUTDOWN_INFO, PRESHUTDOWN_MS)
    except pywintypes.error as error:
        message = f"service {name} cannot be given its time for a shutdown: {error.strerror}"
        raise SurfaceError("run_service", message, error.winerror) from error
