# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Bytes of the IP Helper structures, packed and read. Pure; the offsets are those of the Windows SDK headers.

Sources: netioapi.h, ws2ipdef.h, ifdef.h, nldef.h (github.com/microsoft/win32metadata, RecompiledIdlHeaders/shared);
field meanings at learn.microsoft.com/en-us/windows/win32/api/netioapi/. Natural alignment, the same with 32 and 64
bits. tests/unit/windows/test_surface_layouts.py derives the same offsets from the C declarations.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 23
SOCKADDR_INET = 28
UNICAST_ROW = 80
NEIGHBOUR_ROW = 88
INTERFACE_ROW = 1352
TABLE_HEAD = 8
"""MIB_..._TABLE: ULONG NumEntries, padding, then the rows (their first member needs 8-byte alignment)."""

DAD_TENTATIVE, DAD_DUPLICATE, DAD_PREFERRED = 1, 2, 4
"""NL_DAD_STATE of nldef.h."""

_FILTER_INTERFACE = 0x02
"""InterfaceAndOperStatusFlags.FilterInterface: a driver stacked on a card, not a card."""

_LUID, _PREFIX, _SKIP, _DAD = 32, 60, 61, 64
_VALID, _PREFERRED_LIFE = 52, 56
_OPER_STATUS, _ADMIN_STATUS, _MEDIA_STATE = 1156, 1160, 1164
_ALIAS, _ALIAS_BYTES, _MAC_LENGTH, _MAC, _TYPE, _FLAGS = 28, 514, 1056, 1060, 1128, 1152
_UP, _DISCONNECTED = 1, 2
_CARD_TYPES = frozenset({6, 71})
"""IF_TYPE_ETHERNET_CSMACD and IF_TYPE_IEEE80211 of ipifcons.h; teams and virtual switches are type 6 too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnicastRow:
    """A MIB_UNICASTIPADDRESS_ROW."""

    luid: int
    address: str
    prefix_length: int
    skip_as_source: bool
    lifetime_s: int
    dad_state: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceRow:
    """The part of a MIB_IF_ROW2 that matters; ``card``: a network card, neither filter driver nor tunnel."""

    luid: int
    alias: str
    mac: str
    up: bool
    card: bool


def pack_address(address: str) -> bytes:
    """A SOCKADDR_INET without port."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv4Address):
        return struct.pack("<HH4s20x", AF_INET, 0, parsed.packed)
    return struct.pack("<HHI16sI", AF_INET6, 0, 0, parsed.packed, 0)


def read_address(raw: bytes) -> str | None:
    """The address in a SOCKADDR_INET, None for another family."""
    family = int.from_bytes(raw[:2], "little")
    if family == AF_INET:
        return str(IPv4Address(raw[4:8]))
    return str(IPv6Address(raw[8:24])) if family == AF_INET6 else None


def pack_unicast_key(*, luid: int, address: str) -> bytes:
    """A row that names an entry and is otherwise zero, for getting and deleting."""
    row = bytearray(UNICAST_ROW)
    row[:SOCKADDR_INET] = pack_address(address)
    struct.pack_into("<Q", row, _LUID, luid)
    return bytes(row)


def with_new_entry(
    initial: bytes, *, luid: int, address: str, prefix_length: int, skip_as_source: bool, lifetime_s: int
) -> bytes:
    """A row as InitializeUnicastIpAddressEntry left it, made ready for creating: preferred from the start."""
    row = bytearray(with_lifetime(initial, lifetime_s))
    row[:SOCKADDR_INET] = pack_address(address)
    struct.pack_into("<Q", row, _LUID, luid)
    row[_PREFIX] = prefix_length
    row[_SKIP] = int(skip_as_source)
    struct.pack_into("<i", row, _DAD, DAD_PREFERRED)
    return bytes(row)


def with_lifetime(initial: bytes, lifetime_s: int) -> bytes:
    """The row with both lifetimes set; the preferred one must not be longer than the valid one."""
    row = bytearray(initial)
    struct.pack_into("<II", row, _VALID, lifetime_s, lifetime_s)
    return bytes(row)


def read_unicast_row(row: bytes) -> UnicastRow | None:
    """The row as values, None for an address family that is neither IPv4 nor IPv6."""
    address = read_address(row[:SOCKADDR_INET])
    if address is None:
        return None
    return UnicastRow(
        luid=int.from_bytes(row[_LUID : _LUID + 8], "little"),
        address=address,
        prefix_length=row[_PREFIX],
        skip_as_source=bool(row[_SKIP]),
        lifetime_s=int.from_bytes(row[_VALID : _VALID + 4], "little"),
        dad_state=int.from_bytes(row[_DAD : _DAD + 4], "little"),
    )


def rows_of(table: bytes, size: int) -> list[bytes]:
    """The rows of a MIB table."""
    count = int.from_bytes(table[:4], "little")
    starts = range(TABLE_HEAD, TABLE_HEAD + count * size, size)
    return [table[start : start + size] for start in starts]


def read_interface_row(row: bytes) -> InterfaceRow:
    """The row as values. Up: operational, enabled, and not without medium."""
    oper, admin, media = (
        int.from_bytes(row[at : at + 4], "little") for at in (_OPER_STATUS, _ADMIN_STATUS, _MEDIA_STATE)
    )
    length = int.from_bytes(row[_MAC_LENGTH : _MAC_LENGTH + 4], "little")
    kind = int.from_bytes(row[_TYPE : _TYPE + 4], "little")
    alias = row[_ALIAS : _ALIAS + _ALIAS_BYTES].decode("utf-16-le").partition("\0")[0]
    return InterfaceRow(
        luid=int.from_bytes(row[:8], "little"),
        alias=alias,
        mac=format_mac(row[_MAC : _MAC + min(length, 32)]),
        up=oper == _UP and admin == _UP and media != _DISCONNECTED,
        card=kind in _CARD_TYPES and length > 0 and not row[_FLAGS] & _FILTER_INTERFACE,
    )


def pack_neighbour_key(*, luid: int, address: str) -> bytes:
    """A MIB_IPNET_ROW2 that asks for an address on an interface."""
    row = bytearray(NEIGHBOUR_ROW)
    row[:SOCKADDR_INET] = pack_address(address)
    struct.pack_into("<Q", row, 32, luid)
    return bytes(row)


def read_neighbour(row: bytes) -> str | None:
    """The hardware address in a MIB_IPNET_ROW2, None when there is none."""
    length = int.from_bytes(row[72:76], "little")
    return format_mac(row[40 : 40 + min(length, 32)]) or None


def format_mac(raw: bytes) -> str:
    """The bytes as "aa:bb:cc:dd:ee:ff"."""
    return ":".join(f"{byte:02x}" for byte in raw)
