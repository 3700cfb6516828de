# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few netlink messages about IPv4 addresses that the oracle needs, read and written by hand.

By hand because a dump every few milliseconds has to be cheap, and because one socket has to hear of every
namespace in the order in which things happened (NETLINK_LISTEN_ALL_NSID): two sockets would lose that order,
and an address that moved correctly could look as if it had been in two places.
Source: rtnetlink(7), netlink(7), linux/netlink.h.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass

RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTMGRP_IPV4_IFADDR = 0x10
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLMSG_DONE, NLMSG_ERROR = 3, 2
SOL_NETLINK, NETLINK_LISTEN_ALL_NSID = 270, 8
IFA_ADDRESS, IFA_LOCAL = 1, 2
RECEIVE_BYTES = 65_536
EVENT_BUFFER_BYTES = 8_000_000
DUMP_PARTS_MAX = 100

_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")
_NAMESPACE_ID = struct.Struct("=i")
_GET = _HEADER.pack(_HEADER.size + _ADDRESS.size, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 1, 0) + _ADDRESS.pack(
    socket.AF_INET, 0, 0, 0, 0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressChange:
    """An address was added to, or removed from, an interface of a namespace (None: the socket's own)."""

    namespace_id: int | None
    address: str
    added: bool


def open_events() -> socket.socket:
    """A socket that hears of every change of an IPv4 address in every namespace with an id, in order."""
    events = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    events.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, EVENT_BUFFER_BYTES)
    events.setsockopt(SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)
    events.bind((0, RTMGRP_IPV4_IFADDR))
    events.setblocking(False)
    return events


def read_events(events: socket.socket) -> Iterator[AddressChange]:
    """All changes that wait, oldest first. Raises OSError (ENOBUFS) when the kernel had to drop some."""
    while True:
        try:
            data, ancillary, _, _ = events.recvmsg(RECEIVE_BYTES, socket.CMSG_SPACE(_NAMESPACE_ID.size))
        except BlockingIOError:
            return
        namespace_id = None
        for level, kind, value in ancillary:
            if (level, kind) == (SOL_NETLINK, NETLINK_LISTEN_ALL_NSID):
                namespace_id = _NAMESPACE_ID.unpack(value[: _NAMESPACE_ID.size])[0]
        for kind, payload in split_messages(data):
            if kind in (RTM_NEWADDR, RTM_DELADDR) and (address := local_address(payload)):
                yield AddressChange(namespace_id=namespace_id, address=address, added=kind == RTM_NEWADDR)


def open_queries() -> socket.socket:
    """A socket for dumps, in the namespace of the calling thread."""
    queries = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    queries.settimeout(5)
    return queries


def addresses(queries: socket.socket) -> set[str]:
    """Every IPv4 address configured in the socket's namespace now."""
    queries.send(_GET)
    found: set[str] = set()
    for _unused in range(DUMP_PARTS_MAX):
        for kind, payload in split_messages(queries.recv(RECEIVE_BYTES)):
            if kind in (NLMSG_DONE, NLMSG_ERROR):
                return found
            if kind == RTM_NEWADDR and (address := local_address(payload)):
                found.add(address)
    raise OSError(f"a dump of addresses did not end after {DUMP_PARTS_MAX} parts")


def split_messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Type and payload of each message in a datagram."""
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, _, _, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size:
            return
        yield kind, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def local_address(payload: bytes) -> str | None:
    """The IPv4 address of an address message; None for another family."""
    if len(payload) < _ADDRESS.size or payload[0] != socket.AF_INET:
        return None
    values: dict[int, bytes] = {}
    offset = _ADDRESS.size
    while offset + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, offset)
        if length < _ATTRIBUTE.size:
            break
        values[kind] = payload[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    raw = values.get(IFA_LOCAL, values.get(IFA_ADDRESS))
    return socket.inet_ntoa(raw) if raw else None
