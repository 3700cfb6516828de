# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The primitive for exclusive files against an imitation of kernel32.dll and msvcrt: the arguments, and the errors."""

from __future__ import annotations

import ctypes
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import NotThereError, SurfaceError
from holdfast.surface_win32 import Win32Surface, api

PATH = r"\\files\quorum\holdfast-web.records"
HANDLE = 0x1234


class Kernel:
    """CreateFileW, and the error it leaves."""

    def __init__(self) -> None:
        self.error = 0
        self.calls: list[tuple[Any, ...]] = []
        self.CreateFileW: Any = _Function(self._create)

    def _create(self, *given: Any) -> int | None:
        self.calls.append(tuple(getattr(each, "value", each) for each in given))
        return ctypes.c_void_p(-1).value if self.error else HANDLE


class _Function:
    def __init__(self, call: Any) -> None:
        self.call = call
        self.restype: Any = None

    def __call__(self, *given: Any) -> Any:
        return self.call(*given)


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kernel:
    kernel = Kernel()
    backing = tmp_path / "backing"
    backing.write_bytes(b"there before")

    def open_osfhandle(handle: int, flags: int) -> int:
        assert handle == HANDLE
        return os.open(backing, flags)

    msvcrt: Any = types.ModuleType("msvcrt")
    msvcrt.open_osfhandle = open_osfhandle
    monkeypatch.setitem(sys.modules, "msvcrt", msvcrt)
    monkeypatch.setattr(api, "library", lambda _name: kernel)
    monkeypatch.setattr(api, "last_error", lambda: kernel.error)
    monkeypatch.setattr(ctypes, "FormatError", lambda code: f"error {code}", raising=False)
    return kernel


def test_the_file_is_shared_with_nobody_made_when_missing_and_written_through(kernel: Kernel) -> None:
    with Win32Surface().exclusive_file(path=PATH) as file:
        found = file.read(100)
        file.seek(0)
        file.write(b"here now")

    assert found == b"there before"
    [(path, access, share, _security, disposition, flags, _template)] = kernel.calls
    # Values of winnt.h and fileapi.h: read and write, no sharing, OPEN_ALWAYS, normal and written through.
    assert (path, access, share, disposition, flags) == (PATH, 0xC0000000, 0, 4, 0x80000080)


def test_a_file_that_another_has_open_is_a_sharing_violation(kernel: Kernel) -> None:
    kernel.error = 32

    with pytest.raises(SurfaceError) as refused:
        Win32Surface().exclusive_file(path=PATH)

    assert refused.value.code == 32
    assert not isinstance(refused.value, NotThereError)


def test_a_folder_that_is_missing_is_not_there(kernel: Kernel) -> None:
    kernel.error = 3

    with pytest.raises(NotThereError):
        Win32Surface().exclusive_file(path=PATH)
