# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Being told of changes: cards and addresses by the IP Helper library, services by their control manager, drives and
sites by looking.

What Windows calls back from is a thread of its own; only the notice is handed on there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import SurfaceError
from ..surface import Notice
from . import api, iis_com
from .iis import CONFIG_FOLDER, FILE, run_states
from .layout_ip import AF_UNSPEC

SERVICES = ("W3SVC", "WAS")
LOOK_S = 0.5
LOOK_SHARE = 20
"""Looking takes at most one part in this many of the time: each question for a run state is a call to a service."""

PARAMETERS_S = 1.0
"""At most one notice in this time for changed parameters: renewing the lifetime of an address counts as one."""

SLEEP_MS = 500
AGAIN_S = 5.0
"""How soon a service that is not there, or a manager that lost us, is tried again."""

MIB_PARAMETER_NOTIFICATION, MIB_INITIAL_NOTIFICATION = 0, 3
"""MIB_NOTIFICATION_TYPE of netioapi.h."""

SERVICE_QUERY_STATUS, SC_MANAGER_CONNECT = 0x4, 0x1
NOTIFY_ANY_STATE = 0x7F
"""SERVICE_NOTIFY_STOPPED to SERVICE_NOTIFY_PAUSED of winsvc.h."""

_CHANGED = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int)
_NOTIFIED = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
"""On 64-bit Windows there is one calling convention, so CFUNCTYPE is WINFUNCTYPE."""

_ALIVE: list[object] = []
"""Callbacks that Windows may call; kept for good, because nothing says when it calls for the last time."""

Tell = Callable[[Notice], None]


class ServiceNotify(ctypes.Structure):
    """SERVICE_NOTIFY_2W of winsvc.h."""

    _fields_ = (
        ("version", ctypes.c_uint32),
        ("callback", _NOTIFIED),
        ("context", ctypes.c_void_p),
        ("status", ctypes.c_uint32),
        ("service_status", ctypes.c_uint32 * 9),
        ("triggered", ctypes.c_uint32),
        ("names", ctypes.c_void_p),
    )


class Notices:
    """The primitive ``watch``."""

    def watch(self, on_change: Tell) -> Callable[[], None]:
        """Told at once of cards, addresses and services; of drives, sites and pools within LOOK_S or so.

        Source: NotifyUnicastIpAddressChange and NotifyIpInterfaceChange, learn.microsoft.com/en-us/windows/win32/api/
        netioapi/; NotifyServiceStatusChangeW, learn.microsoft.com/en-us/windows/win32/api/winsvc/
        nf-winsvc-notifyservicestatuschangew; GetLogicalDrives, learn.microsoft.com/en-us/windows/win32/api/fileapi/.
        IIS tells nobody that a site was stopped, as far as is documented: unconfirmed, so it is looked at.
        """
        ended = threading.Event()

        def tell(kind: Notice) -> None:
            if not ended.is_set():
                on_change(kind)

        cancel = _watch_network(tell)
        for name in SERVICES:
            arguments = (name, tell, ended)
            threading.Thread(target=_watch_service, args=arguments, name=f"watch {name}", daemon=True).start()
        threading.Thread(target=_look, args=(tell, ended), name="watch drives and sites", daemon=True).start()

        def end() -> None:
            ended.set()
            cancel()

        return end


def _watch_network(tell: Tell) -> Callable[[], None]:
    """Registered; the function that is returned takes it back, and must not be called from a callback."""
    library, handles = api.library("iphlpapi"), []
    told_s = -PARAMETERS_S

    def changed(_context: object, _row: object, kind: int) -> None:
        nonlocal told_s
        now_s = time.perf_counter()
        if kind == MIB_INITIAL_NOTIFICATION:
            return
        if kind == MIB_PARAMETER_NOTIFICATION:
            if now_s - told_s < PARAMETERS_S:
                return
            told_s = now_s
        tell("network")

    callback = _CHANGED(changed)
    _ALIVE.append(callback)
    for function in ("NotifyUnicastIpAddressChange", "NotifyIpInterfaceChange"):
        handle = ctypes.c_void_p()
        code = getattr(library, function)(ctypes.c_uint16(AF_UNSPEC), callback, None, 0, ctypes.byref(handle))
        api.check("watch", f"registering with {function}", code)
        handles.append(handle)

    def cancel() -> None:
        for handle in handles:
            library.CancelMibChangeNotify2(handle)

    return cancel


def _watch_service(name: str, tell: Tell, ended: threading.Event) -> None:
    while not ended.is_set():
        with contextlib.suppress(SurfaceError):
            _follow_service(name, tell, ended)
        ended.wait(AGAIN_S)


def _follow_service(name: str, tell: Tell, ended: threading.Event) -> None:
    """Tells of every change; returns when the manager has lost us or the service is not there.

    The first notice comes at once, with the state that the service has: not told of. The callback is an APC of this
    thread, which is why it sleeps alertably, and the registration is made anew outside of it.
    """
    library = api.library("advapi32")
    library.OpenSCManagerW.restype = library.OpenServiceW.restype = ctypes.c_void_p
    manager = library.OpenSCManagerW(None, None, SC_MANAGER_CONNECT)
    if not manager:
        api.refused("watch", "opening the service control manager", api.last_error())
    service = library.OpenServiceW(ctypes.c_void_p(manager), ctypes.c_wchar_p(name), SERVICE_QUERY_STATUS)
    try:
        first = True
        while service and not ended.is_set():
            fired = threading.Event()
            callback = _NOTIFIED(lambda _parameter, fired=fired: fired.set())
            notify = ServiceNotify(version=2, callback=callback)
            mask = ctypes.c_uint32(NOTIFY_ANY_STATE)
            if library.NotifyServiceStatusChangeW(ctypes.c_void_p(service), mask, ctypes.byref(notify)):
                return
            while not fired.is_set() and not ended.is_set():
                api.library("kernel32").SleepEx(SLEEP_MS, 1)
            if not first:
                tell("service")
            first = False
    finally:
        # Closing the service's handle also ends a registration that is still open.
        for handle in (service, manager):
            if handle:
                library.CloseServiceHandle(ctypes.c_void_p(handle))


def _look(tell: Tell, ended: threading.Event) -> None:
    drives, sites, took_s = _drives(), _sites(), 0.0
    while not ended.wait(max(LOOK_S, LOOK_SHARE * took_s)):
        began_s = time.perf_counter()
        before, drives = drives, _drives()
        if drives != before:
            tell("disk")
        seen, sites = sites, _sites()
        if sites != seen:
            tell("iis")
        took_s = time.perf_counter() - began_s


def _drives() -> int:
    return int(api.library("kernel32").GetLogicalDrives())


def _sites() -> tuple[float, Mapping[str, Any]]:
    """When the configuration was written, and the run state of every site and pool; empty while IIS cannot be asked."""
    file = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / CONFIG_FOLDER / FILE
    try:
        written_s = file.stat().st_mtime
        with iis_com.session("watch") as manager:
            return written_s, run_states(manager)
    except (OSError, SurfaceError):
        return 0.0, {}
