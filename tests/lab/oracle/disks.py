# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle: which machine has a way to a shared disk's files. Asks the file system, never the monitor.

A machine's right to write is the link `paths/<machine>` in the disk's folder (tests/lab/surface/disks.py). One
inotify queue tells every change of every disk in order; a sample proves that none was missed.
Source: inotify(7).
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .records import Record, Source

IN_CREATE, IN_DELETE, IN_MOVED_FROM, IN_MOVED_TO = 0x100, 0x200, 0x40, 0x80
IN_Q_OVERFLOW = 0x4000
READ_BYTES = 65_536

_libc = ctypes.CDLL(None, use_errno=True)
_EVENT = struct.Struct("iIII")


@dataclass(slots=True, kw_only=True)
class DiskOracle:
    """Follows the `paths` folders of the disks."""

    disks: dict[str, Path]
    """Disk id -> its folder of ways."""

    clock: Callable[[], float]
    descriptor: int = -1
    present: set[tuple[str, str]] = field(default_factory=set)
    doubtful: set[tuple[str, str]] = field(default_factory=set)
    watched: dict[int, str] = field(default_factory=dict)

    def begin(self) -> Iterator[Record]:
        """All disks are watched; who has a way already is recorded. Raises OSError when a folder is missing."""
        self.descriptor = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        mask = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO
        for disk, folder in self.disks.items():
            number = _libc.inotify_add_watch(self.descriptor, str(folder).encode(), mask)
            if number < 0:
                raise OSError(ctypes.get_errno(), f"cannot watch {folder}")
            self.watched[number] = disk
        for disk, machine in sorted(self._found()):
            yield from self._set(disk, machine, present=True, source="sample")

    def follow(self) -> Iterator[Record]:
        """What the events that wait say."""
        try:
            data = os.read(self.descriptor, READ_BYTES)
        except BlockingIOError:
            return
        offset = 0
        while offset < len(data):
            watch, mask, _, length = _EVENT.unpack_from(data, offset)
            name = data[offset + _EVENT.size : offset + _EVENT.size + length].rstrip(b"\0").decode()
            offset += _EVENT.size + length
            if mask & IN_Q_OVERFLOW:
                yield Record(
                    t_s=self.clock(), kind="trouble", subject="", holder="oracle", present=True, source="event"
                )
            elif watch in self.watched:
                came = bool(mask & (IN_CREATE | IN_MOVED_TO))
                yield from self._set(self.watched[watch], name, present=came, source="event")

    def sample(self) -> Iterator[Record]:
        """Where the folders differ, twice in a row, from what the events said; normally nothing."""
        found = self._found()
        yield from self.follow()
        differ = found ^ self.present
        for disk, machine in sorted(differ & self.doubtful):
            yield from self._set(disk, machine, present=(disk, machine) in found, source="sample")
        self.doubtful = differ

    def _found(self) -> set[tuple[str, str]]:
        return {(disk, name) for disk, folder in self.disks.items() for name in os.listdir(folder)}

    def _set(self, disk: str, machine: str, *, present: bool, source: Source) -> Iterator[Record]:
        pair = (disk, machine)
        if (pair in self.present) == present:
            return
        (self.present.add if present else self.present.discard)(pair)
        yield Record(t_s=self.clock(), kind="disk", subject=disk, holder=machine, present=present, source=source)
