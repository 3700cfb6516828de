# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Files of which sharing matters."""

from __future__ import annotations

import ctypes
import os
from typing import BinaryIO

from . import api

SHARE_NOTHING = 0
OPEN_ALWAYS = 4
FILE_ATTRIBUTE_NORMAL = 0x80
FILE_FLAG_WRITE_THROUGH = 0x80000000


class Files:
    """Primitives of files."""

    def exclusive_file(self, *, path: str) -> BinaryIO:
        """A handle that shares nothing: another open of the file fails with ERROR_SHARING_VIOLATION, on every machine.

        Written through, so neither the client's nor the server's cache holds back what was written. Closing the file
        object closes the handle.
        Source: CreateFileW, dwShareMode 0 ("Prevents subsequent open operations on a file or device"), OPEN_ALWAYS,
        FILE_FLAG_WRITE_THROUGH, learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-createfilew; share
        modes over SMB, MS-SMB2 2.2.13 (ShareAccess), 3.3.5.9; open_osfhandle, docs.python.org/3/library/msvcrt.html.
        """
        import msvcrt

        kernel = api.library("kernel32")
        kernel.CreateFileW.restype = ctypes.c_void_p
        handle = kernel.CreateFileW(
            ctypes.c_wchar_p(path),
            api.GENERIC_READ | api.GENERIC_WRITE,
            SHARE_NOTHING,
            None,
            OPEN_ALWAYS,
            FILE_ATTRIBUTE_NORMAL | FILE_FLAG_WRITE_THROUGH,
            None,
        )
        if handle in (None, api.INVALID_HANDLE):
            api.refused("exclusive_file", f"opening {path}", api.last_error())
        binary = int(vars(os).get("O_BINARY", 0))
        number = vars(msvcrt)["open_osfhandle"](handle, os.O_RDWR | binary)
        return os.fdopen(number, "r+b", buffering=0)
