# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network part of the Windows surface against an imitation of iphlpapi.dll that works on the same buffers.

The imitation keeps what the pages of the functions say: which error for what, who initialises which member. It shows
that our calls fit together; what a real stack does is what ``holdfast selftest`` finds out.
"""

from __future__ import annotations

import ctypes
import struct
import time
from typing import Any

import pytest

from holdfast.errors import NotThereError, SurfaceError
from holdfast.surface import FOREVER_S, Address, Interface
from holdfast.surface_win32 import Win32Surface, api, network
from holdfast.surface_win32 import layout_ip as layout

LAN, FILTER = 0x6008000000000, 0x6008001000000
PREFERRED, TENTATIVE, DUPLICATE = 4, 1, 2


class IpHelper:
    """iphlpapi.dll: addresses by interface and text, neighbours by text."""

    def __init__(self) -> None:
        self.rows: dict[tuple[int, str], bytes] = {}
        self.neighbours: dict[str, bytes] = {}
        self.states: list[int] = []
        self.asked: list[tuple[str, str | None]] = []
        self.slow_s = 0.0
        self.going: set[str] = set()
        self.tables: dict[int, Any] = {}
        self.up = True

    def GetIfTable2(self, pointer: Any) -> int:  # noqa: N802 - the library's name
        rows = [_interface(LAN, "LAN", flags=1, up=self.up), _interface(FILTER, "LAN-WFP-0000", flags=2, up=True)]
        return self._give(rows, pointer)

    def GetUnicastIpAddressTable(self, family: Any, pointer: Any) -> int:  # noqa: N802 - the library's name
        assert family.value == 0
        return self._give(list(self.rows.values()), pointer)

    def FreeMibTable(self, pointer: Any) -> None:  # noqa: N802 - the library's name
        del self.tables[pointer.value]

    def InitializeUnicastIpAddressEntry(self, row: Any) -> None:  # noqa: N802 - the library's name
        row[:] = struct.pack("<28x4xQIiiIIBB2xiIq", 0, 0, 16, 16, FOREVER_S, FOREVER_S, 255, 0, 0, 0, 0)

    def CreateUnicastIpAddressEntry(self, row: Any) -> int:  # noqa: N802 - the library's name
        parsed = layout.read_unicast_row(row.raw)
        assert parsed is not None
        if parsed.prefix_length > 32:
            return 87
        if (parsed.luid, parsed.address) in self.rows:
            return 5010
        self.rows[(parsed.luid, parsed.address)] = row.raw
        return 0

    def GetUnicastIpAddressEntry(self, row: Any) -> int:  # noqa: N802 - the library's name
        found = self.rows.get(_key(row))
        if found is None:
            return 1168
        changed = bytearray(found)
        if self.states:
            struct.pack_into("<i", changed, 64, self.states.pop(0))
        row[:] = bytes(changed)
        return 0

    def SetUnicastIpAddressEntry(self, row: Any) -> int:  # noqa: N802 - the library's name
        if _key(row) not in self.rows or _key(row)[1] in self.going:
            return 1168
        self.rows[_key(row)] = row.raw
        return 0

    def DeleteUnicastIpAddressEntry(self, row: Any) -> int:  # noqa: N802 - the library's name
        return 0 if self.rows.pop(_key(row), None) else 1168

    def ResolveIpNetEntry2(self, row: Any, source: Any) -> int:  # noqa: N802 - the library's name
        address = layout.read_address(row.raw[:28]) or ""
        self.asked.append((address, None if source is None else layout.read_address(source.raw)))
        time.sleep(self.slow_s)
        if address not in self.neighbours:
            return 67
        mac = self.neighbours[address]
        row[40 : 40 + len(mac)] = mac
        row[72:76] = len(mac).to_bytes(4, "little")
        return 0

    def _give(self, rows: list[bytes], pointer: Any) -> int:
        table = ctypes.create_string_buffer(struct.pack("<I4x", len(rows)) + b"".join(rows))
        self.tables[ctypes.addressof(table)] = table
        pointer._obj.value = ctypes.addressof(table)
        return 0


def _interface(luid: int, alias: str, *, flags: int, up: bool) -> bytes:
    row = bytearray(layout.INTERFACE_ROW)
    struct.pack_into("<Q", row, 0, luid)
    name = alias.encode("utf-16-le")
    row[28 : 28 + len(name)] = name
    row[1056:1066] = struct.pack("<I6B", 6, 2, 0x48, 0x46, 0, 0, 1)
    struct.pack_into("<I", row, 1128, 6)
    row[1152] = flags
    struct.pack_into("<III", row, 1156, 1 if up else 2, 1, 1)
    return bytes(row)


def _key(row: Any) -> tuple[int, str]:
    parsed = layout.read_unicast_row(row.raw)
    assert parsed is not None
    return parsed.luid, parsed.address


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch) -> IpHelper:
    made = IpHelper()
    monkeypatch.setattr(api, "library", {"iphlpapi": made}.__getitem__)
    monkeypatch.setattr(ctypes, "FormatError", lambda code: f"error {code}", raising=False)
    monkeypatch.setattr(network, "DAD_WAIT_S", 0.3)
    return made


def _add(address: str = "10.77.0.113", *, lifetime_s: int = FOREVER_S, interface: str = "LAN") -> None:
    Win32Surface().add_address(
        interface=interface, address=address, prefix_length=24, skip_as_source=True, lifetime_s=lifetime_s
    )


def test_cards_are_listed_without_the_filters_on_them(helper: IpHelper) -> None:
    assert Win32Surface().interfaces() == [Interface(name="LAN", mac="02:48:46:00:00:01", up=True)]
    helper.up = False
    assert not Win32Surface().interfaces()[0].up
    assert helper.tables == {}


def test_an_added_address_is_listed_as_it_was_asked_for(helper: IpHelper) -> None:
    _add(lifetime_s=30)
    expected = Address(
        interface="LAN", address="10.77.0.113", prefix_length=24, usable=True, skip_as_source=True, lifetime_s=30
    )
    assert Win32Surface().addresses() == [expected]
    assert helper.tables == {}


def test_adding_it_again_only_renews_its_lifetime(helper: IpHelper) -> None:
    _add(lifetime_s=2)
    before = helper.rows[(LAN, "10.77.0.113")]
    _add(lifetime_s=9)
    after = helper.rows[(LAN, "10.77.0.113")]
    assert after[52:60] == struct.pack("<II", 9, 9)
    assert before[:52] + before[60:] == after[:52] + after[60:]


def test_a_tentative_address_is_waited_for(helper: IpHelper) -> None:
    helper.states = [TENTATIVE, TENTATIVE, PREFERRED]
    _add()
    assert helper.states == []


@pytest.mark.parametrize(
    ("states", "said"),
    [([DUPLICATE], "another machine has it"), ([TENTATIVE] * 99, "its state is 1"), ([0], "its state is 0")],
)
def test_an_address_that_does_not_become_usable_is_an_error(helper: IpHelper, states: list[int], said: str) -> None:
    helper.states = states
    with pytest.raises(SurfaceError, match=f"cannot be used: {said}"):
        _add()


def test_what_the_stack_refuses_is_an_error_with_its_code(helper: IpHelper) -> None:
    del helper
    with pytest.raises(SurfaceError, match=r"adding 10\.0\.0\.1 to 'LAN': error 87") as caught:
        Win32Surface().add_address(
            interface="LAN", address="10.0.0.1", prefix_length=99, skip_as_source=True, lifetime_s=1
        )
    assert caught.value.code == 87


def test_a_card_that_is_not_there_is_named_with_those_that_are(helper: IpHelper) -> None:
    del helper
    with pytest.raises(NotThereError, match=r"no network interface 'WAN' \(there are: 'LAN'\)"):
        _add(interface="WAN")


def test_removing_may_be_repeated(helper: IpHelper) -> None:
    _add()
    for _ in range(2):
        Win32Surface().remove_address(interface="LAN", address="10.77.0.113")
    assert helper.rows == {}


def test_a_neighbour_that_answers_and_one_that_does_not(helper: IpHelper) -> None:
    helper.neighbours["10.77.0.12"] = bytes([2, 0x48, 0x46, 0, 0, 2])
    surface = Win32Surface()
    assert surface.neighbour(interface="LAN", address="10.77.0.12", timeout_s=5.0) == "02:48:46:00:00:02"
    assert surface.neighbour(interface="LAN", address="10.77.0.99", timeout_s=5.0) is None


def test_a_neighbour_is_waited_for_no_longer_than_asked(helper: IpHelper) -> None:
    helper.slow_s = 4.0
    began_s = time.monotonic()
    assert Win32Surface().neighbour(interface="LAN", address="10.77.0.12", timeout_s=0.1) is None
    assert time.monotonic() - began_s < helper.slow_s


def test_an_announcement_asks_for_another_host_in_the_name_of_the_address(helper: IpHelper) -> None:
    _add("10.77.0.11")
    _add("10.77.0.113")
    Win32Surface().announce(interface="LAN", address="10.77.0.113")
    assert helper.asked == [("10.77.0.1", "10.77.0.113")]


def test_an_announcement_does_not_wait_for_a_host_that_is_silent(helper: IpHelper) -> None:
    helper.slow_s = 4.0
    _add("10.77.0.113")
    began_s = time.monotonic()
    Win32Surface().announce(interface="LAN", address="10.77.0.113")
    assert time.monotonic() - began_s < helper.slow_s


def test_what_is_not_here_cannot_be_announced(helper: IpHelper) -> None:
    with pytest.raises(NotThereError, match=r"10\.77\.0\.113 is not on 'LAN'"):
        Win32Surface().announce(interface="LAN", address="10.77.0.113")
    assert helper.asked == []


def test_renewing_prolongs_what_is_there_and_adds_nothing(helper: IpHelper) -> None:
    for address in ("10.77.0.113", "10.77.0.114", "10.77.0.115"):
        _add(address, lifetime_s=2)
    helper.going.add("10.77.0.115")
    Win32Surface().renew_addresses(addresses=["10.77.0.113", "10.77.0.115", "10.77.0.200"], lifetime_s=7)
    lifetimes = {entry.address: (entry.lifetime_s, entry.skip_as_source) for entry in Win32Surface().addresses()}
    assert lifetimes == {"10.77.0.113": (7, True), "10.77.0.114": (2, True), "10.77.0.115": (2, True)}
