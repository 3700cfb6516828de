# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The few operations on files that durability rests on, and the one safe order of them.

Blocking; called in worker threads only.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol

WINDOWS = os.name == "nt"
REPLACE_TRIES = 50
REPLACE_PAUSE_S = 0.02
"""A virus scanner or a backup that has the file open makes a replacement fail on Windows for a moment. PostgreSQL
repeats it in the same way (src/port/dirmod.c, pgrename)."""


class Disk(Protocol):
    """Files as durability sees them. Every operation raises OSError when it fails."""

    def read(self, path: Path) -> bytes | None:
        """The content; None when there is no such file."""

    def write(self, path: Path, data: bytes) -> None:
        """The file has this content, for readers; after a power cut it may have any other."""

    def overwrite(self, path: Path, offset: int, data: bytes) -> None:
        """The existing bytes there are these now, for readers; after a power cut they may be any mix of both."""

    def sync(self, path: Path) -> None:
        """The content stays through a power cut."""

    def replace(self, source: Path, target: Path) -> None:
        """For readers, target is what source was, and source is gone; there is no moment in between."""

    def sync_folder(self, folder: Path) -> None:
        """The names in the folder stay through a power cut."""


class RealDisk:
    """The file system of this machine."""

    def read(self, path: Path) -> bytes | None:
        """The content; None when there is no such file."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None

    def write(self, path: Path, data: bytes) -> None:
        """The file has this content, for readers."""
        path.write_bytes(data)

    def overwrite(self, path: Path, offset: int, data: bytes) -> None:
        """The existing bytes there are these now."""
        with path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def sync(self, path: Path) -> None:
        """The content stays through a power cut."""
        # Windows flushes only through a handle that may write.
        with path.open("r+b") as file:
            _flush(file.fileno())

    def replace(self, source: Path, target: Path) -> None:
        """Target is what source was."""
        for tries_left in reversed(range(REPLACE_TRIES)):
            try:
                os.replace(source, target)
                break
            except PermissionError:
                if not WINDOWS or not tries_left:
                    raise
                time.sleep(REPLACE_PAUSE_S)
        if WINDOWS:
            # There is no folder to flush there; a flush of the renamed file takes the rename along (NTFS keeps
            # both in one log). PostgreSQL does the same (src/common/file_utils.c, durable_rename).
            self.sync(target)

    def sync_folder(self, folder: Path) -> None:
        """The names in the folder stay through a power cut."""
        if WINDOWS:
            return
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


_flush = getattr(os, "fdatasync", os.fsync)
"""Without the times of the file, where the system can leave them out: they would cost another write."""


def put_durably(disk: Disk, path: Path, data: bytes) -> None:
    """After it returned, the file has the new content for ever; when it is interrupted, the old or the new."""
    fresh = path.with_name(f"{path.name}.new")
    disk.write(fresh, data)
    disk.sync(fresh)
    disk.replace(fresh, path)
    disk.sync_folder(path.parent)
