# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The machine itself: boot id, clock, files, event log."""

from __future__ import annotations

import ctypes
import functools
import time
from pathlib import Path
from typing import Literal

from ..errors import SurfaceError
from . import api

_BOOT_NUMBER = 0x7FFE0000 + 0x2C4
"""KUSER_SHARED_DATA, mapped at this address in every process, member BootId."""

_FOLDER_SDDL = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"
_FILE_SDDL = "D:P(A;;FA;;;SY)(A;;FA;;;BA)"

EVENT_SOURCE = "Holdfast"
EVENT_ID_MAX = 0xFFFF
"""Highest id that .NET's message file has a text for (EventLog.WriteEntry, learn.microsoft.com/dotnet/api/)."""

_EVENT_MESSAGES = (
    r"%SystemRoot%\Microsoft.NET\Framework64\v4.0.30319\EventLogMessages.dll;%SystemRoot%\System32\EventCreate.exe"
)
"""Message files that show the text as it is; the second one, of eventcreate, knows the ids 1 to 1000 only."""


class Machine:
    """Primitives of the machine."""

    def boot_id(self) -> str:
        """The boot sequence number that the kernel shows to every process.

        Source: KUSER_SHARED_DATA.BootId, learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntddk/
        ns-ntddk-kuser_shared_data; offset 0x2c4: vergiliusproject.com, kernels of Windows 10 and 11; used in the
        same way by github.com/rabbitstack/fibratus pkg/util/bootid. Unconfirmed: Windows Server 2016.
        """
        number = ctypes.c_uint32.from_address(_BOOT_NUMBER).value
        if not number:
            raise SurfaceError("boot_id", "this Windows shows no boot number (KUSER_SHARED_DATA.BootId is 0)")
        return f"boot-{number}"

    def monotonic_s(self) -> float:
        """QueryPerformanceCounter: finer than GetTickCount64, on which time.monotonic stands before Python 3.13.

        One clock for all processes of the machine: the counter is the system's, the same on all processors, and Python
        takes nothing off it (github.com/python/cpython Python/pytime.c, py_get_win_perf_counter).
        Source: learn.microsoft.com/en-us/windows/win32/sysinfo/acquiring-high-resolution-time-stamps;
        github.com/python/cpython issue 88494.
        """
        return time.perf_counter()

    def local_path(self, windows_path: str) -> Path:
        """The path itself."""
        return Path(windows_path)

    def restrict_to_administrators(self, windows_path: str) -> None:
        """A protected DACL with full access for SYSTEM and Administrators and nobody else.

        Source: SetNamedSecurityInfo, learn.microsoft.com/en-us/windows/win32/api/aclapi/; SDDL strings,
        learn.microsoft.com/en-us/windows/win32/secauthz/ace-strings. Inheritable entries reach what is inside.
        """
        import pywintypes
        import win32security as security

        sddl = _FOLDER_SDDL if Path(windows_path).is_dir() else _FILE_SDDL
        convert = security.ConvertStringSecurityDescriptorToSecurityDescriptor
        dacl = convert(sddl, security.SDDL_REVISION_1).GetSecurityDescriptorDacl()
        parts = security.DACL_SECURITY_INFORMATION | security.PROTECTED_DACL_SECURITY_INFORMATION
        try:
            security.SetNamedSecurityInfo(windows_path, security.SE_FILE_OBJECT, parts, None, None, dacl, None)
        except pywintypes.error as error:
            raise api.error_of("restrict_to_administrators", windows_path, error.winerror) from error

    def log_event(self, *, event_id: int, level: Literal["info", "warning", "error"], text: str) -> None:
        """One entry of the Application log, readable through message files that every Windows Server has.

        Source: ReportEvent, learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-reporteventw; several
        files in EventMessageFile, learn.microsoft.com/en-us/openspecs/windows_protocols/ms-even/ 3.2.4.1.4.
        Unconfirmed: the path of .NET's file on Windows Server 2025.
        """
        import pywintypes
        import win32evtlog
        import win32evtlogutil

        if not 1 <= event_id <= EVENT_ID_MAX:
            raise SurfaceError("log_event", f"event id {event_id} is not between 1 and {EVENT_ID_MAX}")
        kinds = {
            "info": win32evtlog.EVENTLOG_INFORMATION_TYPE,
            "warning": win32evtlog.EVENTLOG_WARNING_TYPE,
            "error": win32evtlog.EVENTLOG_ERROR_TYPE,
        }
        try:
            _register_event_source()
            win32evtlogutil.ReportEvent(EVENT_SOURCE, event_id, eventType=kinds[level], strings=[text])
        except pywintypes.error as error:
            raise SurfaceError("log_event", f"the event log refused an entry: {error}", error.winerror) from error


@functools.cache
def _register_event_source() -> None:
    """The source stands in the registry; once per process (pywin32 win32/Lib/win32evtlogutil.py)."""
    import win32evtlogutil

    win32evtlogutil.AddSourceToRegistry(EVENT_SOURCE, _EVENT_MESSAGES, "Application")
