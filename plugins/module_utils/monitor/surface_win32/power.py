# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The machine's time for us, and its end: priority of this process, and the reset."""

from __future__ import annotations

import contextlib
import ctypes
import threading

from ..errors import SurfaceError
from . import api

HIGH_PRIORITY_CLASS, ABOVE_NORMAL_PRIORITY_CLASS = 0x80, 0x8000
"""winbase.h."""

SHUTDOWN_REBOOT = 1
"""SHUTDOWN_ACTION.ShutdownReboot of ntpoapi.h."""

SE_SHUTDOWN_PRIVILEGE, SE_DEBUG_PRIVILEGE = 19, 20
"""wdm.h."""

PLANNED_OTHER = 0x80000000
"""SHTDN_REASON_FLAG_PLANNED of reason.h, with major and minor reason "other"."""

RESTART_S = 1.0
"""How long the kernel has for beginning the restart: it flushes file systems first, and one may hang."""

CRASH_EXIT_CODE = 1


class Power:
    """Primitives of priority and reset."""

    def raise_priority(self, *, highest: bool) -> None:
        """HIGH_PRIORITY_CLASS or ABOVE_NORMAL_PRIORITY_CLASS for the whole process.

        Source: SetPriorityClass, learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/
        nf-processthreadsapi-setpriorityclass.
        """
        kernel = api.library("kernel32")
        wanted = HIGH_PRIORITY_CLASS if highest else ABOVE_NORMAL_PRIORITY_CLASS
        if not kernel.SetPriorityClass(_this_process(), wanted):
            api.refused("raise_priority", "raising the priority of this process", api.last_error())

    def reset_machine(self, *, reason: str) -> None:
        """The kernel restarts; when it hangs on a disk or refuses, a bug check; when that is refused, a plain restart.

        Neither of the first two asks a program or waits for a service. A failover cluster does the same with a machine
        that it cannot trust (NetFT, bug check 0x9E, HangRecoveryAction).
        Source: NtShutdownSystem, ntdoc.m417z.com/ntshutdownsystem; RtlSetProcessIsCritical, ntdoc.m417z.com/
        rtlsetprocessiscritical and bug check 0xEF, learn.microsoft.com/en-us/windows-hardware/drivers/debugger/
        bug-check-0xef--critical-process-died; InitiateSystemShutdownExW, learn.microsoft.com/en-us/windows/win32/
        api/winreg/nf-winreg-initiatesystemshutdownexw. Unconfirmed: how long each takes on a machine with a hung disk.
        """
        with contextlib.suppress(SurfaceError):
            _enable(SE_SHUTDOWN_PRIVILEGE)
        restart = threading.Thread(target=_restart_kernel, name="restart", daemon=True)
        restart.start()
        restart.join(RESTART_S)
        with contextlib.suppress(SurfaceError):
            _crash()
        _restart_in_order(reason)


def _restart_kernel() -> None:
    """Returns only when it was refused."""
    api.library("ntdll").NtShutdownSystem(SHUTDOWN_REBOOT)


def _crash() -> None:
    """The end of this process is the end of the system. Raises SurfaceError when it may not be."""
    _enable(SE_DEBUG_PRIVILEGE)
    status = int(api.library("ntdll").RtlSetProcessIsCritical(1, None, 0))
    if status:
        raise SurfaceError("reset_machine", "this process may not be made a critical one", status)
    api.library("kernel32").TerminateProcess(_this_process(), CRASH_EXIT_CODE)


def _restart_in_order(reason: str) -> None:
    done = api.library("advapi32").InitiateSystemShutdownExW(None, ctypes.c_wchar_p(reason), 0, 1, 1, PLANNED_OTHER)
    if not done:
        api.refused("reset_machine", "restarting this machine", api.last_error())


def _enable(privilege: int) -> None:
    """Source: RtlAdjustPrivilege, ntdoc.m417z.com/rtladjustprivilege."""
    before = ctypes.c_ubyte(0)
    status = int(api.library("ntdll").RtlAdjustPrivilege(privilege, 1, 0, ctypes.byref(before)))
    if status:
        raise SurfaceError("reset_machine", f"the privilege {privilege} cannot be enabled", status)


def _this_process() -> ctypes.c_void_p:
    """The pseudo handle that GetCurrentProcess gives: -1, learn.microsoft.com/en-us/windows/win32/api/
    processthreadsapi/nf-processthreadsapi-getcurrentprocess."""
    return ctypes.c_void_p(-1)
