# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Bytes of the disk controls: attributes, volume extents, SCSI-3 persistent reservations. Pure.

Sources: winioctl.h and scsi.h (github.com/microsoft/win32metadata); meanings at
learn.microsoft.com/en-us/windows/win32/api/winioctl/ and windows-hardware/drivers/ddi/ntddstor/
(IOCTL_STORAGE_PERSISTENT_RESERVE_IN, _OUT). What is accepted was read from Microsoft's own class driver,
github.com/microsoft/Windows-driver-samples storage/class/classpnp/src/utils.c (ClasspPersistentReserve): input of
PERSISTENT RESERVE OUT is at least 36 bytes, Size covers it, the parameter list begins at offset 10.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

GET_ATTRIBUTES = 0x000700F0
SET_ATTRIBUTES = 0x0007C0F4
UPDATE_PROPERTIES = 0x00070140
GET_EXTENTS = 0x00560000
LOCK_VOLUME, UNLOCK_VOLUME, DISMOUNT_VOLUME = 0x00090018, 0x0009001C, 0x00090020
RESERVE_IN, RESERVE_OUT = 0x002D5018, 0x002DD01C

READ_KEYS, READ_RESERVATION = 0, 1
RESERVE, RELEASE, PREEMPT_ABORT, REGISTER_IGNORE_EXISTING = 1, 2, 5, 6
WRITE_EXCLUSIVE_REGISTRANTS = 5

ERROR_BUSY = 170
"""A reservation conflict, by the pages of both controls."""

_OFFLINE, _READ_ONLY = 1, 2
_COMMAND, _OUT_SIZE = 12, 36
_APTPL = 1
NO_KEY = "0" * 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """A piece of a volume on a disk, by the disk's number of this boot."""

    disk_number: int
    length: int


def pack_attributes(*, online: bool) -> bytes:
    """A SET_DISK_ATTRIBUTES for going online (until the next boot) or offline (for good).

    Offline persists and online does not: a node that crashed comes back with the disk offline.
    """
    attributes = 0 if online else _OFFLINE
    mask = _OFFLINE | _READ_ONLY if online else _OFFLINE
    return struct.pack("<IB3xQQ16x", 40, int(not online), attributes, mask)


def read_attributes(raw: bytes) -> tuple[bool, bool]:
    """Online and read-only from a GET_DISK_ATTRIBUTES."""
    attributes = int.from_bytes(raw[8:16], "little")
    return not attributes & _OFFLINE, bool(attributes & _READ_ONLY)


def read_extents(raw: bytes) -> list[Extent]:
    """The extents of a VOLUME_DISK_EXTENTS."""
    count = int.from_bytes(raw[:4], "little")
    found = []
    for index in range(count):
        number, length = struct.unpack_from("<I4x8xq", raw, 8 + 24 * index)
        found.append(Extent(disk_number=number, length=length))
    return found


def pack_reserve_in(action: int, room: int) -> bytes:
    """A PERSISTENT_RESERVE_COMMAND that asks; ``room`` bytes are there for the answer."""
    return struct.pack("<IIBxH", _COMMAND, _COMMAND, action, room)


def pack_reserve_out(action: int, *, key: str, other: str = NO_KEY, keep: bool = False) -> bytes:
    """A PERSISTENT_RESERVE_COMMAND that changes something, scope logical unit, write exclusive for registrants.

    ``key`` is ours as registered; ``other`` the key to register or the victim. ``keep``: the registration
    survives a loss of power of the disk (APTPL). Keys are big-endian on the wire.
    """
    head = struct.pack("<IIBB", _COMMAND, _OUT_SIZE, action, WRITE_EXCLUSIVE_REGISTRANTS)
    flags = _APTPL if keep else 0
    return head + struct.pack(">8s8s4xBx2x", bytes.fromhex(key), bytes.fromhex(other), flags) + b"\0\0"


def read_keys(raw: bytes) -> Sequence[str]:
    """The registered keys of a PRI_REGISTRATION_LIST, one for each path of each node."""
    length = int.from_bytes(raw[4:8], "big")
    body = raw[8 : 8 + length]
    return [body[at : at + 8].hex() for at in range(0, len(body) - 7, 8)]


def read_holder(raw: bytes) -> str | None:
    """The key of the reservation in a PRI_RESERVATION_LIST, None when nobody holds one."""
    length = int.from_bytes(raw[4:8], "big")
    return raw[8:16].hex() if length >= 16 and len(raw) >= 16 else None
