# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A file of two slots that are written in turn: durable with one flush, and never without a whole copy.

A move cannot go on before its registers are durable, so clients wait for this. Writing a new file and renaming it
takes two flushes, of the file and of the folder; overwriting bytes that are there takes one (measured: a quarter
of the time). A write never touches the slot that was written before, so a power cut leaves at least that one.
Each slot is one line, filled up with blanks.
"""

from __future__ import annotations

from pathlib import Path

from .disk import Disk, put_durably

SLOT_BYTES_MIN = 8192
SLOTS = 2


class SlotFile:
    """Used by one thread at a time."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self.path = path
        self._disk = disk
        self._slot_bytes = 0
        self._next = 0

    def read(self) -> list[bytes]:
        """What is in each slot, whatever it is; an empty list when there is no file."""
        content = self._disk.read(self.path)
        if content is None:
            return []
        self._slot_bytes = len(content) // SLOTS
        return [content[: self._slot_bytes], content[self._slot_bytes :]]

    def keep(self, slot: int) -> None:
        """This slot holds what counts; the other one is written next."""
        self._next = 1 - slot

    def write(self, line: bytes) -> None:
        """The line is durable; the one before it is still there."""
        if len(line) > self._slot_bytes:
            self._lay_out(line)
            return
        try:
            self._disk.overwrite(self.path, self._next * self._slot_bytes, _filled(line, self._slot_bytes))
        except FileNotFoundError:
            # Somebody deleted it under our feet; what we know is still true.
            self._lay_out(line)
            return
        self._disk.sync(self.path)
        self._next = 1 - self._next

    def _lay_out(self, line: bytes) -> None:
        """A new file, with room to grow; the old one is replaced as a whole."""
        size = SLOT_BYTES_MIN
        while size < 2 * len(line):
            size *= 2
        put_durably(self._disk, self.path, _filled(line, size) + _filled(b"\n", size))
        self._slot_bytes, self._next = size, 1


def _filled(line: bytes, size: int) -> bytes:
    return line[:-1].ljust(size - 1) + b"\n"
