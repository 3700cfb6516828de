# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One ICMP echo request and its answer, over a raw socket (RFC 792)."""

from __future__ import annotations

import os
import socket
import struct
import time
from ipaddress import IPv4Address

ECHO_REPLY, ECHO_REQUEST = 0, 8
_HEADER = struct.Struct("!BBHHH")


def answers(target: IPv4Address, *, interface: str | None, timeout_s: float) -> bool:
    """The target answered in time; a network that cannot be reached is no answer. Raises OSError without rights."""
    number = int.from_bytes(os.urandom(2))
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        if interface is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        try:
            raw.sendto(_request(number), (str(target), 0))
        except OSError:
            return False
        until_s = time.monotonic() + timeout_s
        while (left_s := until_s - time.monotonic()) > 0:
            raw.settimeout(left_s)
            try:
                packet, (sender, _port) = raw.recvfrom(2048)
            except OSError:
                return False
            if sender == str(target) and _is_reply(packet, number):
                return True
    return False


def _request(number: int) -> bytes:
    bare = _HEADER.pack(ECHO_REQUEST, 0, 0, number, 1) + b"holdfast"
    return _HEADER.pack(ECHO_REQUEST, 0, _checksum(bare), number, 1) + b"holdfast"


def _is_reply(packet: bytes, number: int) -> bool:
    message = packet[(packet[0] & 0x0F) * 4 :]
    kind, _code, _checksum, found, _sequence = _HEADER.unpack_from(message)
    return bool(kind == ECHO_REPLY and found == number)


def _checksum(data: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF
