# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Links and IPv4 addresses of this network namespace, over raw netlink: one message and one answer per change.

No program is started and nothing is cached; each call has its own socket, so any thread may call. Sources:
linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h, linux/if_link.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_LINK = struct.Struct("=BxHiII")
_ATTRIBUTE = struct.Struct("=HH")
_CACHE = struct.Struct("=IIII")

NLMSG_ERROR, NLMSG_DONE = 2, 3
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTMGRP_LINK, RTMGRP_IPV4_IFADDR = 0x1, 0x10
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP, NLM_F_REPLACE, NLM_F_CREATE = 0x1, 0x4, 0x300, 0x100, 0x400
IFA_LOCAL, IFA_ADDRESS, IFA_LABEL, IFA_BROADCAST, IFA_CACHEINFO, IFA_FLAGS = 2, 1, 3, 4, 6, 8
IFLA_ADDRESS, IFLA_IFNAME = 1, 3
IFA_F_DADFAILED, IFA_F_TENTATIVE = 0x08, 0x40
IFF_UP, IFF_LOOPBACK, IFF_LOWER_UP = 0x1, 0x8, 0x10000
FOREVER_S = 0xFFFFFFFF
BATCH = 100
"""Changes in one message to the kernel; their acknowledgements have to fit into the socket's buffer."""

ANSWER_S = 5.0
"""The kernel answers at once; a longer silence is a fault of ours, not something to wait for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A network card. ``up``: enabled, and there is a signal from the other side."""

    index: int
    name: str
    mac: str
    up: bool
    loopback: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAddress:
    """An IPv4 address; ``label`` is the free text the kernel keeps with it, ``lifetime_s`` what is left of it."""

    index: int
    address: IPv4Interface
    label: str
    usable: bool
    lifetime_s: int


def links() -> list[Link]:
    """All links, loopback included."""
    found = []
    for body in _dump(RTM_GETLINK, _LINK.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
        _family, _type, index, flags, _change = _LINK.unpack_from(body)
        values = _attributes(body[_LINK.size :])
        name = values[IFLA_IFNAME].rstrip(b"\0").decode()
        mac = values.get(IFLA_ADDRESS, b"").hex(":")
        up = bool(flags & IFF_UP and flags & IFF_LOWER_UP)
        found.append(Link(index=index, name=name, mac=mac, up=up, loopback=bool(flags & IFF_LOOPBACK)))
    return found


def addresses() -> list[LinkAddress]:
    """All IPv4 addresses of all links."""
    found = []
    for body in _dump(RTM_GETADDR, _ADDRESS.pack(socket.AF_INET, 0, 0, 0, 0)):
        _family, prefix_length, flags, _scope, index = _ADDRESS.unpack_from(body)
        values = _attributes(body[_ADDRESS.size :])
        if IFA_FLAGS in values:
            flags = int.from_bytes(values[IFA_FLAGS], "little")
        local = values.get(IFA_LOCAL, values.get(IFA_ADDRESS, b""))
        _preferred, valid, _created, _changed = _CACHE.unpack(values[IFA_CACHEINFO])
        found.append(
            LinkAddress(
                index=index,
                address=IPv4Interface((local, prefix_length)),
                label=values.get(IFA_LABEL, b"").rstrip(b"\0").decode(),
                usable=not flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED),
                lifetime_s=valid,
            )
        )
    return found


def add(*, index: int, address: IPv4Interface, label: str, lifetime_s: int) -> None:
    """The address is on the link for this long; when it was there, its lifetime is new. Raises OSError."""
    body = _ADDRESS.pack(socket.AF_INET, address.network.prefixlen, 0, 0, index)
    body += _attribute(IFA_LOCAL, address.packed) + _attribute(IFA_ADDRESS, address.packed)
    body += _attribute(IFA_BROADCAST, address.network.broadcast_address.packed)
    body += _attribute(IFA_LABEL, label.encode() + b"\0")
    body += _attribute(IFA_CACHEINFO, _CACHE.pack(lifetime_s, lifetime_s, 0, 0))
    _change(RTM_NEWADDR, NLM_F_REPLACE | NLM_F_CREATE, body)


def remove(*, index: int, address: IPv4Address) -> None:
    """The address is not on the link, with no prefix length. One that was not there is no error. Raises OSError."""
    body = _ADDRESS.pack(socket.AF_INET, 0, 0, 0, index) + _attribute(IFA_LOCAL, address.packed)
    for _prefix_length in range(33):
        try:
            _change(RTM_DELADDR, 0, body)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return
            raise


def renew(wanted: Collection[IPv4Address], *, lifetime_s: int) -> None:
    """Those of the addresses that are there live for this long from now. Raises OSError.

    The kernel would add one that is removed in between: the caller keeps others from removing meanwhile.
    """
    bodies = [
        _ADDRESS.pack(socket.AF_INET, one.address.network.prefixlen, 0, 0, one.index)
        + _attribute(IFA_LOCAL, one.address.packed)
        + _attribute(IFA_ADDRESS, one.address.packed)
        + _attribute(IFA_CACHEINFO, _CACHE.pack(lifetime_s, lifetime_s, 0, 0))
        for one in addresses()
        if one.address.ip in wanted
    ]
    for start in range(0, len(bodies), BATCH):
        _change_all(RTM_NEWADDR, NLM_F_REPLACE, bodies[start : start + BATCH])


class Changes:
    """What happens to links and addresses from now on; a renewed lifetime is no change."""

    def __init__(self) -> None:
        self._netlink = _socket()
        self._netlink.bind((0, RTMGRP_LINK | RTMGRP_IPV4_IFADDR))
        self._links = {link.index: link for link in links()}
        self._addresses = {(one.index, one.address) for one in addresses()}

    def close(self) -> None:
        """Nothing is heard of any more."""
        self._netlink.close()

    def wait(self, timeout_s: float) -> bool:
        """Something has changed; False when nothing did within the time."""
        self._netlink.settimeout(timeout_s)
        try:
            data = self._netlink.recv(65536)
        except TimeoutError:
            return False
        except OSError as error:
            # More changes than the kernel keeps for us: some were lost, so it may be anything.
            return error.errno == errno.ENOBUFS
        news = [self._is_news(kind, body) for kind, body in _messages(data)]
        return any(news)

    def _is_news(self, kind: int, body: bytes) -> bool:
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            before, self._links = self._links, {link.index: link for link in links()}
            return before != self._links
        if kind not in (RTM_NEWADDR, RTM_DELADDR):
            return False
        _family, prefix_length, _flags, _scope, index = _ADDRESS.unpack_from(body)
        values = _attributes(body[_ADDRESS.size :])
        one = (index, IPv4Interface((values.get(IFA_LOCAL, values.get(IFA_ADDRESS, b"")), prefix_length)))
        known = one in self._addresses
        if kind == RTM_NEWADDR:
            self._addresses.add(one)
            return not known
        self._addresses.discard(one)
        return True


def index_of(name: str) -> int:
    """The number of the link with this name. Raises OSError."""
    return socket.if_nametoindex(name)


def _change(kind: int, flags: int, body: bytes) -> None:
    with _socket() as netlink:
        netlink.send(_message(kind, NLM_F_REQUEST | NLM_F_ACK | flags, body))
        for answer, content in _messages(netlink.recv(65536)):
            if answer == NLMSG_ERROR:
                _raise_for(content)
                return
    raise OSError(errno.EPROTO, "the kernel did not acknowledge the change")


def _change_all(kind: int, flags: int, bodies: Sequence[bytes]) -> None:
    with _socket() as netlink:
        netlink.send(b"".join(_message(kind, NLM_F_REQUEST | NLM_F_ACK | flags, body) for body in bodies))
        acknowledged = 0
        while acknowledged < len(bodies):
            for answer, content in _messages(netlink.recv(65536)):
                if answer == NLMSG_ERROR:
                    acknowledged += 1
                    _raise_for(content)


def _dump(kind: int, body: bytes) -> Iterator[bytes]:
    with _socket() as netlink:
        netlink.send(_message(kind, NLM_F_REQUEST | NLM_F_DUMP, body))
        while True:
            for answer, content in _messages(netlink.recv(65536)):
                if answer == NLMSG_DONE:
                    return
                if answer == NLMSG_ERROR:
                    _raise_for(content)
                yield content


def _socket() -> socket.socket:
    netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
    netlink.settimeout(ANSWER_S)
    return netlink


def _message(kind: int, flags: int, body: bytes) -> bytes:
    message = _HEADER.pack(_HEADER.size + len(body), kind, flags, 1, 0) + body
    return message + bytes(_aligned(len(message)) - len(message))


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= _HEADER.size:
        length, kind, _flags, _sequence, _sender = _HEADER.unpack_from(data)
        yield kind, data[_HEADER.size : length]
        data = data[_aligned(length) :]


def _raise_for(content: bytes) -> None:
    code = -int.from_bytes(content[:4], "little", signed=True)
    if code:
        raise OSError(code, os.strerror(code))


def _attribute(kind: int, value: bytes) -> bytes:
    length = _ATTRIBUTE.size + len(value)
    return _ATTRIBUTE.pack(length, kind) + value + bytes(_aligned(length) - length)


def _attributes(data: bytes) -> dict[int, bytes]:
    found = {}
    while len(data) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(data)
        if length < _ATTRIBUTE.size:
            break
        found[kind] = data[_ATTRIBUTE.size : length]
        data = data[_aligned(length) :]
    return found


def _aligned(length: int) -> int:
    return (length + 3) & ~3
