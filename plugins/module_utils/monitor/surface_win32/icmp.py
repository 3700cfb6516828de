# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""ICMP echo requests, by the IP Helper library."""

from __future__ import annotations

import contextlib
import ctypes
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from ..errors import NotThereError
from ..surface import Address
from . import api
from .layout_ip import AF_INET6

DATA = b"holdfast"
ROOM = 1024
"""More than a reply structure, the data and eight bytes for an ICMP error, which the functions ask for."""

IP_SUCCESS = 0
_STATUS_V4, _STATUS_V6 = 4, 28
"""Offsets of Status: behind IPAddr Address in ICMP_ECHO_REPLY, behind the 26 packed bytes of IPV6_ADDRESS_EX and two
of padding in ICMPV6_ECHO_REPLY (ipexport.h)."""


class Icmp(ABC):
    """The primitive ``ping``; ``addresses`` comes from the network's family."""

    @abstractmethod
    def addresses(self) -> Sequence[Address]:
        """All unicast addresses."""

    def ping(self, *, address: str, timeout_s: float, interface: str | None = None) -> bool:
        """Sent from an address of the interface: by the strong host model it leaves through that card.

        Source: IcmpSendEcho2Ex and Icmp6SendEcho2, learn.microsoft.com/en-us/windows/win32/api/icmpapi/
        nf-icmpapi-icmpsendecho2ex; WeakHostSend is off by default, learn.microsoft.com/en-us/powershell/module/
        nettcpip/set-netipinterface. Unconfirmed: that an unspecified source address lets the route choose.
        """
        target = ip_address(address)
        source = None if interface is None else _source(self.addresses(), interface, target.version)
        reply = ctypes.create_string_buffer(ROOM)
        with _handle(target.version) as (library, handle):
            count = _send(library, handle, target, source, reply, timeout_ms=max(1, int(timeout_s * 1000)))
        at = _STATUS_V4 if target.version == 4 else _STATUS_V6
        return count > 0 and int.from_bytes(reply.raw[at : at + 4], "little") == IP_SUCCESS


def _source(own: Sequence[Address], interface: str, version: int) -> str:
    """An address of the machine itself on the interface; a switchable one only where there is no other."""
    found = [one for one in own if one.interface == interface and ip_address(one.address).version == version]
    if not found:
        raise NotThereError("ping", f"interface {interface!r} has no address of IP version {version} to send from")
    return min(found, key=lambda one: one.skip_as_source).address


@contextlib.contextmanager
def _handle(version: int) -> Iterator[tuple[Any, ctypes.c_void_p]]:
    library = api.library("iphlpapi")
    create = library.IcmpCreateFile if version == 4 else library.Icmp6CreateFile
    create.restype = ctypes.c_void_p
    handle = create()
    if handle in (None, ctypes.c_void_p(-1).value):
        api.refused("ping", "opening ICMP", api.last_error())
    try:
        yield library, ctypes.c_void_p(handle)
    finally:
        library.IcmpCloseHandle(ctypes.c_void_p(handle))


def _send(
    library: Any,
    handle: ctypes.c_void_p,
    target: IPv4Address | IPv6Address,
    source: str | None,
    reply: Any,
    *,
    timeout_ms: int,
) -> int:
    """How many replies came; none is what a time-out gives, too."""
    if isinstance(target, IPv4Address):
        sender, receiver = _number(IPv4Address(source or "0.0.0.0")), _number(target)
        return int(
            library.IcmpSendEcho2Ex(
                handle, None, None, None, sender, receiver, DATA, len(DATA), None, reply, ROOM, timeout_ms
            )
        )
    ends = [ctypes.create_string_buffer(_socket_address(one), 28) for one in (source or "::", str(target))]
    return int(library.Icmp6SendEcho2(handle, None, None, None, *ends, DATA, len(DATA), None, reply, ROOM, timeout_ms))


def _number(address: IPv4Address) -> ctypes.c_uint32:
    """IPAddr: the four bytes in network order."""
    return ctypes.c_uint32(int.from_bytes(address.packed, "little"))


def _socket_address(address: str) -> bytes:
    """sockaddr_in6 of ws2ipdef.h."""
    return struct.pack("<HHI16sI", AF_INET6, 0, 0, IPv6Address(address.partition("%")[0]).packed, 0)
