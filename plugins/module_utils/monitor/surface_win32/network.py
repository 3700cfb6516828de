# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Network cards and addresses, by the IP Helper library (iphlpapi.dll)."""

from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Collection, Sequence
from ipaddress import ip_address, ip_interface
from typing import Any

from ..errors import NotThereError, SurfaceError
from ..surface import Address, Interface
from . import api
from . import layout_ip as layout

DAD_WAIT_S = 4.0
"""Longest duplicate detection by the page of CreateUnicastIpAddressEntry: about 3 s for IPv4."""

ANNOUNCE_WAIT_S = 0.2
"""Whoever is there answers an ARP request in milliseconds; the request itself is on the wire at once."""

_POLL_S = 0.05
_ABSENT_NEIGHBOUR = frozenset({api.ERROR_BAD_NET_NAME, api.ERROR_NOT_FOUND})


class Network:
    """Primitives of the network."""

    def interfaces(self) -> Sequence[Interface]:
        """Network cards, without the filter drivers that GetIfTable2 lists beside them.

        Source: GetIfTable2 and MIB_IF_ROW2, learn.microsoft.com/en-us/windows/win32/api/netioapi/
        nf-netioapi-getiftable2; up as in github.com/giampaolo/psutil psutil/arch/windows/net.c.
        """
        return [Interface(name=row.alias, mac=row.mac, up=row.up) for row in _interface_rows() if row.card]

    def addresses(self) -> Sequence[Address]:
        """Every unicast address of every interface, loopback too.

        Source: GetUnicastIpAddressTable, learn.microsoft.com/en-us/windows/win32/api/netioapi/
        nf-netioapi-getunicastipaddresstable.
        """
        names = {row.luid: row.alias for row in _interface_rows()}
        table = _table("addresses", "GetUnicastIpAddressTable", layout.UNICAST_ROW, layout.AF_UNSPEC)
        rows = [layout.read_unicast_row(raw) for raw in table]
        return [_address(row, names.get(row.luid, "")) for row in rows if row is not None]

    def add_address(
        self, *, interface: str, address: str, prefix_length: int, skip_as_source: bool, lifetime_s: int
    ) -> None:
        """Made preferred from the start, so that there is no wait for duplicate detection (Windows 10 and later).

        Source: CreateUnicastIpAddressEntry and SetUnicastIpAddressEntry,
        learn.microsoft.com/en-us/windows/win32/api/netioapi/nf-netioapi-createunicastipaddressentry. Not persistent.
        Unconfirmed: how precisely ValidLifetime is kept for manual IPv4 addresses.
        """
        luid = _luid("add_address", interface)
        library = api.library("iphlpapi")
        initial = ctypes.create_string_buffer(layout.UNICAST_ROW)
        library.InitializeUnicastIpAddressEntry(initial)
        row = layout.with_new_entry(
            initial.raw,
            luid=luid,
            address=address,
            prefix_length=prefix_length,
            skip_as_source=skip_as_source,
            lifetime_s=lifetime_s,
        )
        code = library.CreateUnicastIpAddressEntry(ctypes.create_string_buffer(row, len(row)))
        if code == api.ERROR_OBJECT_ALREADY_EXISTS:
            code = _renew(library, luid=luid, address=address, lifetime_s=lifetime_s)
        api.check("add_address", f"adding {address} to {interface!r}", code)
        _await_usable(library, luid=luid, address=address, interface=interface)

    def renew_addresses(self, *, addresses: Collection[str], lifetime_s: int) -> None:
        """Each row of the table that is wanted is set with the new lifetimes; one that went meanwhile stays away.

        Source: SetUnicastIpAddressEntry, learn.microsoft.com/en-us/windows/win32/api/netioapi/
        nf-netioapi-setunicastipaddressentry (ERROR_NOT_FOUND: no such address). Unconfirmed as in ``add_address``.
        """
        wanted = {ip_address(one) for one in addresses}
        library = api.library("iphlpapi")
        for raw in _table("renew_addresses", "GetUnicastIpAddressTable", layout.UNICAST_ROW, layout.AF_UNSPEC):
            row = layout.read_unicast_row(raw)
            if row is not None and ip_address(row.address) in wanted:
                renewed = layout.with_lifetime(raw, lifetime_s)
                code = library.SetUnicastIpAddressEntry(ctypes.create_string_buffer(renewed, len(renewed)))
                if code != api.ERROR_NOT_FOUND:
                    api.check("renew_addresses", f"renewing {row.address}", code)

    def remove_address(self, *, interface: str, address: str) -> None:
        """Gone, or was not there.

        Source: DeleteUnicastIpAddressEntry, learn.microsoft.com/en-us/windows/win32/api/netioapi/
        nf-netioapi-deleteunicastipaddressentry (ERROR_NOT_FOUND: no such address).
        """
        key = layout.pack_unicast_key(luid=_luid("remove_address", interface), address=address)
        code = api.library("iphlpapi").DeleteUnicastIpAddressEntry(ctypes.create_string_buffer(key, len(key)))
        if code != api.ERROR_NOT_FOUND:
            api.check("remove_address", f"removing {address} from {interface!r}", code)

    def neighbour(self, *, interface: str, address: str, timeout_s: float) -> str | None:
        """Asked anew: ResolveIpNetEntry2 flushes the cached entry and sends ARP requests or solicitations.

        Source: learn.microsoft.com/en-us/windows/win32/api/netioapi/nf-netioapi-resolveipnetentry2. It takes about
        3 s when nobody answers (unconfirmed), so it runs in a thread of its own that may outlive this call.
        """
        row = layout.pack_neighbour_key(luid=_luid("neighbour", interface), address=address)
        answer: list[tuple[int, bytes]] = []
        worker = _resolve(row, None, answer)
        worker.join(timeout_s)
        if not answer:
            return None
        code, filled = answer[0]
        if code in _ABSENT_NEIGHBOUR:
            return None
        api.check("neighbour", f"asking for {address} on {interface!r}", code)
        return layout.read_neighbour(filled)

    def announce(self, *, interface: str, address: str) -> None:
        """A request for another address of the network, sent from this one: who knows this address learns anew.

        Receivers of an ARP request update the entry they have for its sender (RFC 826). Source of the call as in
        ``neighbour``, with SourceAddress. Unconfirmed: that Windows puts SourceAddress into the request as sender,
        and what it announces by itself for an address that was created preferred; both need a packet trace.
        """
        luid = _luid("announce", interface)
        own = [entry for entry in self.addresses() if entry.interface == interface]
        if address not in [entry.address for entry in own]:
            raise NotThereError("announce", f"{address} is not on {interface!r}")
        target = other_address_of(address, [f"{entry.address}/{entry.prefix_length}" for entry in own])
        if target is None:
            return
        row = layout.pack_neighbour_key(luid=luid, address=target)
        _resolve(row, layout.pack_address(address), []).join(ANNOUNCE_WAIT_S)


def other_address_of(address: str, own: Sequence[str]) -> str | None:
    """Another host address of the network that the address belongs to, the first one (usually the gateway).

    ``own``: the addresses of the interface with their prefix lengths. None when no network has a second host.
    """
    wanted = ip_interface(address).ip
    networks = [ip_interface(text).network for text in own]
    fitting = [network for network in networks if wanted in network and network.num_addresses > 1]
    if not fitting:
        return None
    widest = min(fitting, key=lambda network: network.prefixlen)
    taken = {str(ip_interface(text).ip) for text in own}
    return next((str(host) for host in widest.hosts() if str(host) not in taken), None)


def _interface_rows() -> list[layout.InterfaceRow]:
    rows = _table("interfaces", "GetIfTable2", layout.INTERFACE_ROW)
    return [layout.read_interface_row(raw) for raw in rows]


def _table(primitive: str, function: str, row_size: int, *arguments: int) -> list[bytes]:
    """The rows of a table that the library allocates; freed before this returns (FreeMibTable)."""
    library = api.library("iphlpapi")
    pointer = ctypes.c_void_p()
    code = getattr(library, function)(*[ctypes.c_uint16(each) for each in arguments], ctypes.byref(pointer))
    api.check(primitive, f"reading the table of {function}", code)
    try:
        start = pointer.value or 0
        count = ctypes.c_uint32.from_address(start).value
        return layout.rows_of(ctypes.string_at(start, layout.TABLE_HEAD + count * row_size), row_size)
    finally:
        library.FreeMibTable(pointer)


def _luid(primitive: str, interface: str) -> int:
    rows = _interface_rows()
    for row in rows:
        if row.alias == interface:
            return row.luid
    names = ", ".join(repr(row.alias) for row in rows if row.card)
    raise NotThereError(primitive, f"there is no network interface {interface!r} (there are: {names})")


def _address(row: layout.UnicastRow, interface: str) -> Address:
    return Address(
        interface=interface,
        address=row.address,
        prefix_length=row.prefix_length,
        usable=row.dad_state == layout.DAD_PREFERRED,
        skip_as_source=row.skip_as_source,
        lifetime_s=row.lifetime_s,
    )


def _entry(library: Any, *, luid: int, address: str) -> tuple[int, bytes]:
    key = layout.pack_unicast_key(luid=luid, address=address)
    row = ctypes.create_string_buffer(key, len(key))
    return int(library.GetUnicastIpAddressEntry(row)), row.raw


def _renew(library: Any, *, luid: int, address: str, lifetime_s: int) -> int:
    code, row = _entry(library, luid=luid, address=address)
    if code:
        return code
    renewed = layout.with_lifetime(row, lifetime_s)
    return int(library.SetUnicastIpAddressEntry(ctypes.create_string_buffer(renewed, len(renewed))))


def _await_usable(library: Any, *, luid: int, address: str, interface: str) -> None:
    """The address is preferred; at once where the system takes our word for it, else after its own detection."""
    deadline_s = time.perf_counter() + DAD_WAIT_S
    while True:
        code, raw = _entry(library, luid=luid, address=address)
        api.check("add_address", f"reading back {address} on {interface!r}", code)
        row = layout.read_unicast_row(raw)
        state = None if row is None else row.dad_state
        if state == layout.DAD_PREFERRED:
            return
        if state != layout.DAD_TENTATIVE or time.perf_counter() > deadline_s:
            found = "another machine has it" if state == layout.DAD_DUPLICATE else f"its state is {state}"
            raise SurfaceError("add_address", f"{address} on {interface!r} cannot be used: {found}")
        time.sleep(_POLL_S)


def _resolve(row: bytes, source: bytes | None, answer: list[tuple[int, bytes]]) -> threading.Thread:
    """A running thread that appends the result code and the filled row to ``answer``."""

    def ask() -> None:
        buffer = ctypes.create_string_buffer(row, len(row))
        sender = None if source is None else ctypes.create_string_buffer(source, len(source))
        code = api.library("iphlpapi").ResolveIpNetEntry2(buffer, sender)
        answer.append((int(code), buffer.raw))

    thread = threading.Thread(target=ask, name="resolve-neighbour", daemon=True)
    thread.start()
    return thread
