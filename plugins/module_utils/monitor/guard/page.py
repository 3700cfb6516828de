# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The file that monitor and guard have mapped: permits in one direction, signs of life in the other.

Writing is copying bytes to memory: it never waits for a disk. Two slots take turns and each carries a checksum, so a
reader always finds one whole permit, whenever the writer is stopped. Each area has one writer.
Views of one file are coherent between the processes of a machine: CreateFileMapping, learn.microsoft.com/en-us/windows/
win32/api/memoryapi/nf-memoryapi-createfilemappingw (Remarks); mmap with MAP_SHARED, POSIX.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GROUPS_MAX = 4096
"""How many groups a permit has room for."""

_PERMIT = struct.Struct("<IIQ8s8s")
"""Checksum of what follows, number of groups, serial number, plan, boot; then one double per group."""

_BEAT = struct.Struct("<IIQ8sdd")
"""Checksum of what follows, process id, serial number, boot, time of the last look, longest pause so far."""

_SLOT_BYTES = 36_864
_BEAT_AT = 2 * _SLOT_BYTES
_PAGE_BYTES = _BEAT_AT + 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """Until when each group of the plan may be served, in the plan's order; 0 means not at all."""

    serial: int
    plan: bytes
    boot: bytes
    until_s: Sequence[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """A sign of life of the guard. ``at_s`` is its last look; ``gap_s`` the longest time between two looks."""

    pid: int
    serial: int
    boot: bytes
    at_s: float
    gap_s: float


def token(text: str) -> bytes:
    """Eight bytes that stand for the text."""
    return hashlib.sha256(text.encode()).digest()[:8]


class Page:
    """The mapped file. Raises OSError when it cannot be made or mapped."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            # Whoever comes first makes it. It is never made anew: the other process has it mapped.
            if os.fstat(handle).st_size != _PAGE_BYTES:
                os.ftruncate(handle, _PAGE_BYTES)
            self._bytes = mmap.mmap(handle, _PAGE_BYTES)
        finally:
            os.close(handle)
        self._last: Permit | None = None
        self._slot = 0
        self._beats = 0

    def permit(self) -> Permit | None:
        """The latest whole permit; None when there was never one. Cheap while nothing was written."""
        serials = [self._serial(slot) for slot in (0, 1)]
        if self._last is None or max(serials) != self._last.serial:
            found = [(permit, slot) for slot in (0, 1) if (permit := self._read(slot)) is not None]
            if found:
                self._last, self._slot = max(found, key=lambda one: one[0].serial)
        return self._last

    def write(self, *, plan: bytes, boot: bytes, until_s: Sequence[float]) -> None:
        """The permit is this one. At most GROUPS_MAX groups."""
        last = self.permit()
        serial = 1 + max(self._serial(0), self._serial(1), 0 if last is None else last.serial)
        slot = 1 - self._slot
        body = array("d", until_s).tobytes()
        head = _PERMIT.pack(0, len(until_s), serial, plan, boot)[4:]
        checksum = zlib.crc32(body, zlib.crc32(head)).to_bytes(4, "little")
        start = slot * _SLOT_BYTES
        self._bytes[start : start + 4 + len(head) + len(body)] = checksum + head + body
        self._last = Permit(serial=serial, plan=plan, boot=boot, until_s=tuple(until_s))
        self._slot = slot

    def beat(self) -> Beat | None:
        """The guard's last sign of life; None when there is none, or it is being written at this moment."""
        raw = self._bytes[_BEAT_AT : _BEAT_AT + _BEAT.size]
        checksum, pid, serial, boot, at_s, gap_s = _BEAT.unpack(raw)
        if zlib.crc32(raw[4:]) != checksum:
            return None
        return Beat(pid=pid, serial=serial, boot=boot, at_s=at_s, gap_s=gap_s)

    def write_beat(self, *, boot: bytes, at_s: float, gap_s: float) -> None:
        """The guard has looked at this moment."""
        self._beats += 1
        raw = _BEAT.pack(0, os.getpid(), self._beats, boot, at_s, gap_s)[4:]
        self._bytes[_BEAT_AT : _BEAT_AT + _BEAT.size] = zlib.crc32(raw).to_bytes(4, "little") + raw

    def close(self) -> None:
        """The file is not mapped any more."""
        self._bytes.close()

    def _serial(self, slot: int) -> int:
        at = slot * _SLOT_BYTES + 8
        return int.from_bytes(self._bytes[at : at + 8], "little")

    def _read(self, slot: int) -> Permit | None:
        start = slot * _SLOT_BYTES
        checksum, count, serial, plan, boot = _PERMIT.unpack_from(self._bytes, start)
        if not serial > 0 or count > GROUPS_MAX:
            return None
        raw = self._bytes[start + 4 : start + _PERMIT.size + 8 * count]
        if zlib.crc32(raw) != checksum:
            return None
        until_s = array("d")
        until_s.frombytes(raw[_PERMIT.size - 4 :])
        return Permit(serial=serial, plan=plan, boot=boot, until_s=tuple(until_s))
