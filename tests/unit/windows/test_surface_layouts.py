# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bytes exchanged with Windows: every offset against the C declarations of the SDK, laid out by ctypes.

The structures below repeat the declarations of netioapi.h, ws2ipdef.h, winioctl.h and scsi.h member by member;
ctypes gives them natural alignment, the same on Linux as on Windows for these types.
"""

from __future__ import annotations

import ctypes as c
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.surface import FOREVER_S
from holdfast.surface_win32 import layout_disk as disk
from holdfast.surface_win32 import layout_ip as ip
from holdfast.surface_win32.network import other_address_of

U8, U16, U32, U64, I32, I64 = c.c_uint8, c.c_uint16, c.c_uint32, c.c_uint64, c.c_int32, c.c_int64


class SockaddrIn(c.Structure):
    _fields_ = [("family", U16), ("port", U16), ("addr", U8 * 4), ("zero", U8 * 8)]


class SockaddrIn6(c.Structure):
    _fields_ = [("family", U16), ("port", U16), ("flowinfo", U32), ("addr", U8 * 16), ("scope_id", U32)]


class SockaddrInet(c.Union):
    _fields_ = [("v4", SockaddrIn), ("v6", SockaddrIn6), ("family", U16)]


class UnicastRow(c.Structure):
    _fields_ = [
        ("address", SockaddrInet), ("luid", U64), ("index", U32), ("prefix_origin", I32), ("suffix_origin", I32),
        ("valid", U32), ("preferred", U32), ("prefix", U8), ("skip", U8), ("dad", I32), ("scope_id", U32),
        ("created", I64),
    ]  # fmt: skip


class NeighbourRow(c.Structure):
    _fields_ = [
        ("address", SockaddrInet), ("index", U32), ("luid", U64), ("mac", U8 * 32), ("mac_length", U32),
        ("state", I32), ("flags", U8), ("reachable", U32),
    ]  # fmt: skip


class InterfaceRow(c.Structure):
    _fields_ = [
        ("luid", U64), ("index", U32), ("guid", U8 * 16), ("alias", U16 * 257), ("description", U16 * 257),
        ("mac_length", U32), ("mac", U8 * 32), ("permanent_mac", U8 * 32), ("mtu", U32), ("type", U32),
        ("tunnel_type", I32), ("media_type", I32), ("physical_medium", I32), ("access", I32), ("direction", I32),
        ("flags", U8), ("oper", I32), ("admin", I32), ("media", I32), ("network_guid", U8 * 16),
        ("connection_type", I32), ("transmit", U64), ("receive", U64), ("counters", U64 * 18),
    ]  # fmt: skip


class SetDiskAttributes(c.Structure):
    _fields_ = [
        ("version", U32), ("persist", U8), ("reserved1", U8 * 3), ("attributes", U64), ("mask", U64),
        ("reserved2", U32 * 4),
    ]  # fmt: skip


class DiskExtent(c.Structure):
    _fields_ = [("number", U32), ("start", I64), ("length", I64)]


class VolumeDiskExtents(c.Structure):
    _fields_ = [("count", U32), ("extents", DiskExtent * 3)]


class ReserveOutParameters(c.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [
        ("key", U8 * 8), ("other", U8 * 8), ("scope", U8 * 4), ("flags", U8), ("reserved", U8), ("obsolete", U8 * 2),
    ]  # fmt: skip


# -- addresses ------------------------------------------------------------------------------------
def test_sizes_are_those_of_the_declarations() -> None:
    assert (
        c.sizeof(SockaddrInet), c.sizeof(UnicastRow), c.sizeof(NeighbourRow), c.sizeof(InterfaceRow),
    ) == (ip.SOCKADDR_INET, ip.UNICAST_ROW, ip.NEIGHBOUR_ROW, ip.INTERFACE_ROW)  # fmt: skip


@given(
    address=st.ip_addresses(),
    luid=st.integers(0, 2**64 - 1),
    prefix=st.integers(0, 128),
    skip=st.booleans(),
    lifetime=st.integers(1, FOREVER_S),
)
def test_a_new_entry_stands_where_the_declaration_says(
    address: object, luid: int, prefix: int, skip: bool, lifetime: int
) -> None:
    initial = UnicastRow(prefix_origin=16, suffix_origin=16, valid=FOREVER_S, preferred=FOREVER_S, prefix=255)
    packed = ip.with_new_entry(
        bytes(initial),
        luid=luid,
        address=str(address),
        prefix_length=prefix,
        skip_as_source=skip,
        lifetime_s=lifetime,
    )
    row = UnicastRow.from_buffer_copy(packed)
    assert (row.luid, row.prefix, row.skip, row.dad) == (luid, prefix, int(skip), ip.DAD_PREFERRED)
    assert (row.valid, row.preferred) == (lifetime, lifetime)
    assert (row.prefix_origin, row.suffix_origin, row.index, row.created) == (16, 16, 0, 0)
    assert ip.read_unicast_row(packed) == ip.UnicastRow(
        luid=luid,
        address=str(address),
        prefix_length=prefix,
        skip_as_source=skip,
        lifetime_s=lifetime,
        dad_state=ip.DAD_PREFERRED,
    )


def test_an_address_stands_where_winsock_has_it() -> None:
    four = SockaddrInet.from_buffer_copy(ip.pack_address("10.77.0.113"))
    assert (four.family, four.v4.port, bytes(four.v4.addr)) == (2, 0, bytes([10, 77, 0, 113]))
    six = SockaddrInet.from_buffer_copy(ip.pack_address("2001:db8::5"))
    assert (six.family, bytes(six.v6.addr)[:4], six.v6.addr[15]) == (23, b"\x20\x01\x0d\xb8", 5)


def test_a_key_names_address_and_interface_and_nothing_else() -> None:
    row = UnicastRow.from_buffer_copy(ip.pack_unicast_key(luid=7, address="10.0.0.1"))
    assert (row.luid, row.index, row.prefix, row.valid, bytes(row.address.v4.addr)) == (7, 0, 0, 0, b"\x0a\0\0\1")


def test_an_entry_of_a_foreign_family_is_passed_over() -> None:
    assert ip.read_unicast_row(bytes(ip.UNICAST_ROW)) is None


def test_rows_of_a_table_begin_after_the_padded_count() -> None:
    rows = [bytes([number]) * 80 for number in (1, 2)]
    table = struct.pack("<I4x", 2) + b"".join(rows) + b"rest"
    assert ip.rows_of(table, 80) == rows


@pytest.mark.parametrize(
    ("oper", "admin", "media", "up"),
    [(1, 1, 1, True), (1, 1, 0, True), (2, 1, 1, False), (1, 2, 1, False), (1, 1, 2, False)],
)
def test_a_card_is_up_when_enabled_operational_and_not_unplugged(oper: int, admin: int, media: int, up: bool) -> None:
    row = InterfaceRow(
        luid=99, mac_length=6, mac=(U8 * 32)(2, 0x48, 0x46, 0, 0, 1), type=6, oper=oper, admin=admin, media=media
    )
    for index, unit in enumerate("Büro LAN".encode("utf-16-le")[::2]):
        row.alias[index] = unit
    found = ip.read_interface_row(bytes(row))
    assert found == ip.InterfaceRow(luid=99, alias="Büro LAN", mac="02:48:46:00:00:01", up=up, card=True)


@pytest.mark.parametrize(
    ("kind", "flags", "mac_length", "card"),
    [(6, 1, 6, True), (71, 1, 6, True), (6, 2, 6, False), (24, 0, 0, False), (131, 0, 6, False), (6, 0, 0, False)],
)
def test_filter_drivers_loopback_and_tunnels_are_no_cards(kind: int, flags: int, mac_length: int, card: bool) -> None:
    row = InterfaceRow(type=kind, flags=flags, mac_length=mac_length)
    assert ip.read_interface_row(bytes(row)).card is card


def test_a_neighbour_is_asked_for_and_read_where_the_declaration_says() -> None:
    row = NeighbourRow.from_buffer_copy(ip.pack_neighbour_key(luid=5, address="10.77.0.113"))
    assert (row.luid, row.mac_length, bytes(row.address.v4.addr)) == (5, 0, bytes([10, 77, 0, 113]))
    assert ip.read_neighbour(bytes(row)) is None
    row.mac_length, row.mac = 6, (U8 * 32)(2, 0x48, 0x46, 0, 0, 2)
    assert ip.read_neighbour(bytes(row)) == "02:48:46:00:00:02"


@pytest.mark.parametrize(
    ("address", "own", "other"),
    [
        ("10.77.0.113", ["10.77.0.11/24", "10.77.0.113/24"], "10.77.0.1"),
        ("10.77.0.113", ["10.77.0.1/24", "10.77.0.113/32"], "10.77.0.2"),
        ("10.77.0.113", ["10.77.0.113/32"], None),
        ("10.0.0.5", ["192.0.2.1/24", "10.0.0.5/31"], "10.0.0.4"),
        ("2001:db8::113", ["2001:db8::113/64", "fe80::1/64"], "2001:db8::1"),
    ],
)
def test_an_address_is_announced_to_another_host_of_its_own_network(
    address: str, own: list[str], other: str | None
) -> None:
    assert other_address_of(address, own) == other


# -- disks ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(("online", "persist", "attributes", "mask"), [(True, 0, 0, 0b11), (False, 1, 0b01, 0b01)])
def test_online_is_for_this_boot_and_writable_offline_is_for_good(
    online: bool, persist: int, attributes: int, mask: int
) -> None:
    packed = disk.pack_attributes(online=online)
    made = SetDiskAttributes.from_buffer_copy(packed)
    assert len(packed) == c.sizeof(SetDiskAttributes) == made.version
    assert (made.persist, made.attributes, made.mask) == (persist, attributes, mask)


@pytest.mark.parametrize(
    ("bits", "expected"), [(0, (True, False)), (1, (False, False)), (2, (True, True)), (3, (False, True))]
)
def test_attributes_are_read(bits: int, expected: tuple[bool, bool]) -> None:
    assert disk.read_attributes(struct.pack("<IIQ", 16, 0, bits)) == expected


def test_extents_of_a_volume_over_two_disks_are_read() -> None:
    raw = VolumeDiskExtents(count=2)
    raw.extents[0] = DiskExtent(number=3, start=1 << 20, length=1 << 40)
    raw.extents[1] = DiskExtent(number=4, start=0, length=5)
    assert disk.read_extents(bytes(raw)) == [
        disk.Extent(disk_number=3, length=1 << 40),
        disk.Extent(disk_number=4, length=5),
    ]


def test_asking_for_reservations_fits_what_the_class_driver_accepts() -> None:
    """classpnp utils.c: input of at least 12 bytes, Size at least 12, the allocation length at offset 10."""
    raw = disk.pack_reserve_in(disk.READ_RESERVATION, 4096)
    assert struct.unpack("<IIBBH", raw) == (12, 12, 1, 0, 4096)


def test_changing_a_reservation_fits_what_the_class_driver_accepts() -> None:
    """classpnp utils.c: at least 36 bytes, Size covers them, the parameter list begins at offset 10."""
    key, other = "2feadc20bf20372e", "00000000000000ff"
    raw = disk.pack_reserve_out(disk.PREEMPT_ABORT, key=key, other=other, keep=True)
    assert len(raw) == 36
    version, size, action, type_and_scope = struct.unpack_from("<IIBB", raw)
    assert (version, size, action, type_and_scope) == (12, 36, 5, 0x05)
    parameters = ReserveOutParameters.from_buffer_copy(raw, 10)
    assert (bytes(parameters.key).hex(), bytes(parameters.other).hex()) == (key, other)
    assert (parameters.flags, parameters.reserved, bytes(parameters.scope)) == (1, 0, bytes(4))


def test_unregistering_is_registering_the_key_zero() -> None:
    raw = disk.pack_reserve_out(disk.REGISTER_IGNORE_EXISTING, key=disk.NO_KEY)
    parameters = ReserveOutParameters.from_buffer_copy(raw, 10)
    assert (raw[8], bytes(parameters.other), parameters.flags) == (6, bytes(8), 0)


def test_the_holder_is_read_big_endian_and_none_without_a_reservation() -> None:
    descriptor = bytes.fromhex("2feadc20bf20372e") + bytes(4) + b"\0\x05" + bytes(2)
    assert disk.read_holder(struct.pack(">II", 7, 16) + descriptor + bytes(100)) == "2feadc20bf20372e"
    assert disk.read_holder(struct.pack(">II", 7, 0) + bytes(100)) is None
    assert disk.read_holder(b"") is None


@given(keys=st.lists(st.binary(min_size=8, max_size=8), max_size=8), rest=st.binary(max_size=20))
def test_registered_keys_are_read_and_what_follows_is_not(keys: list[bytes], rest: bytes) -> None:
    raw = struct.pack(">II", 1, 8 * len(keys)) + b"".join(keys) + rest
    assert disk.read_keys(raw) == [key.hex() for key in keys]


def _control_code(device: int, function: int, method: int, access: int) -> int:
    """CTL_CODE of winioctl.h."""
    return device << 16 | access << 14 | function << 2 | method


def test_control_codes_are_what_ctl_code_makes_of_their_parts() -> None:
    file_disk, mass_storage, volume, file_system = 0x07, 0x2D, 0x56, 0x09
    read, write = 1, 2
    assert _control_code(file_disk, 0x3C, 0, 0) == disk.GET_ATTRIBUTES
    assert _control_code(file_disk, 0x3D, 0, read | write) == disk.SET_ATTRIBUTES
    assert _control_code(file_disk, 0x50, 0, 0) == disk.UPDATE_PROPERTIES
    assert _control_code(volume, 0, 0, 0) == disk.GET_EXTENTS
    assert [_control_code(file_system, function, 0, 0) for function in (6, 7, 8)] == [
        disk.LOCK_VOLUME,
        disk.UNLOCK_VOLUME,
        disk.DISMOUNT_VOLUME,
    ]
    assert _control_code(mass_storage, 0x406, 0, read) == disk.RESERVE_IN
    assert _control_code(mass_storage, 0x407, 0, read | write) == disk.RESERVE_OUT
