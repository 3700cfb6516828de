# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""How the other files call Windows: libraries by ctypes, handles, COM per thread, errors as SurfaceError.

Rule: nothing here and beside runs at import time on another system; Windows-only modules are imported inside
functions. Error numbers are those of winerror.h (Windows SDK).
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import sys
import threading
from collections.abc import Iterator
from typing import Any, NoReturn

from ..errors import NotThereError, SurfaceError

ERROR_FILE_NOT_FOUND = 2
ERROR_PATH_NOT_FOUND = 3
ERROR_BAD_NET_NAME = 67
ERROR_INVALID_PARAMETER = 87
ERROR_SERVICE_DOES_NOT_EXIST = 1060
ERROR_NOT_FOUND = 1168
ERROR_OBJECT_ALREADY_EXISTS = 5010

_ABSENT = frozenset({ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_NOT_FOUND})
INVALID_HANDLE = ctypes.c_void_p(-1).value

GENERIC_READ = 0x80000000
GENERIC_WRITE = 0x40000000
_SHARE_READ_WRITE = 0x3
_OPEN_EXISTING = 3

_COINIT_MULTITHREADED = 0
_THREAD = threading.local()


@functools.cache
def library(name: str) -> Any:
    """The system library, with the last error kept for ``last_error``."""
    # ctypes has WinDLL on Windows only, and type checkers on other systems know that.
    return vars(ctypes)["WinDLL"](name, use_last_error=True)


def last_error() -> int:
    """The Win32 error of the last call of this thread."""
    return int(vars(ctypes)["get_last_error"]())


def error_of(primitive: str, doing: str, code: int) -> SurfaceError:
    """What a Win32 error code means: NotThereError for a thing that is absent, else SurfaceError."""
    kind = NotThereError if code in _ABSENT else SurfaceError
    return kind(primitive, f"{doing}: {vars(ctypes)['FormatError'](code)}", code)


def refused(primitive: str, doing: str, code: int) -> NoReturn:
    """Raises what the code means."""
    raise error_of(primitive, doing, code)


def check(primitive: str, doing: str, code: int) -> None:
    """The call whose result this is has succeeded, or what it means is raised."""
    if code:
        refused(primitive, doing, code)


@contextlib.contextmanager
def device(primitive: str, path: str, access: int) -> Iterator[int]:
    """A handle of a disk, volume or file, shared for reading and writing; closed at the end.

    Source: CreateFileW, learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-createfilew ("Physical
    Disks and Volumes": share mode read and write, OPEN_EXISTING, administrator).
    """
    kernel = library("kernel32")
    kernel.CreateFileW.restype = ctypes.c_void_p
    handle = kernel.CreateFileW(ctypes.c_wchar_p(path), access, _SHARE_READ_WRITE, None, _OPEN_EXISTING, 0, None)
    if handle in (None, INVALID_HANDLE):
        refused(primitive, f"opening {path}", last_error())
    try:
        yield handle
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))


def control(primitive: str, doing: str, handle: int, code: int, given: bytes = b"", wanted: int = 0) -> bytes:
    """What the device answers to the control code, at most ``wanted`` bytes.

    Source: DeviceIoControl, learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol
    """
    answer = ctypes.create_string_buffer(max(wanted, 1))
    length = ctypes.c_uint32(0)
    given_buffer = ctypes.create_string_buffer(given, len(given)) if given else None
    done = library("kernel32").DeviceIoControl(
        ctypes.c_void_p(handle),
        ctypes.c_uint32(code),
        given_buffer,
        len(given),
        answer if wanted else None,
        wanted,
        ctypes.byref(length),
        None,
    )
    if not done:
        refused(primitive, doing, last_error())
    return answer.raw[: length.value]


def use_com() -> None:
    """COM is ready in this thread, in the multithreaded apartment, for as long as the thread lives.

    It is never given back: an error keeps COM objects alive in its traceback, and releasing one after
    CoUninitialize can end the process. Importing pythoncom initialises the thread too, in the mode of coinit_flags.
    Source: CoInitializeEx, learn.microsoft.com/en-us/windows/win32/api/combaseapi/nf-combaseapi-coinitializeex;
    sys.coinit_flags, github.com/mhammond/pywin32 com/win32com/HTML/GeneratedSupport.html and pythoncom.cpp.
    """
    if getattr(_THREAD, "has_com", False):
        return
    vars(sys).setdefault("coinit_flags", _COINIT_MULTITHREADED)
    import pythoncom

    pythoncom.CoInitializeEx(_COINIT_MULTITHREADED)
    _THREAD.has_com = True
