# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARP packets as values: encode and decode, no sockets. Source: RFC 826."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass
from typing import Literal

ETHERTYPE_ARP = 0x0806
_ETHERNET = struct.Struct("!6s6sH")
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_HEAD = (1, 0x0800, 6, 4)  # Ethernet, IPv4, and the lengths of their addresses
_OPERATIONS: dict[Literal["request", "reply"], int] = {"request": 1, "reply": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Arp:
    """One ARP packet for IPv4 over Ethernet."""

    operation: Literal["request", "reply"]
    sender_mac: str
    sender: str
    target_mac: str
    target: str


def encode(arp: Arp, *, source_mac: str, target_mac: str) -> bytes:
    """The Ethernet frame that carries this packet."""
    body = _ARP.pack(
        *_HEAD,
        _OPERATIONS[arp.operation],
        _mac_bytes(arp.sender_mac),
        socket.inet_aton(arp.sender),
        _mac_bytes(arp.target_mac),
        socket.inet_aton(arp.target),
    )
    return _ETHERNET.pack(_mac_bytes(target_mac), _mac_bytes(source_mac), ETHERTYPE_ARP) + body


def decode(frame: bytes) -> Arp | None:
    """The packet in this Ethernet frame; None when it is not ARP for IPv4."""
    if len(frame) < _ETHERNET.size + _ARP.size:
        return None
    if _ETHERNET.unpack_from(frame)[2] != ETHERTYPE_ARP:
        return None
    fields = _ARP.unpack_from(frame, _ETHERNET.size)
    names = {number: name for name, number in _OPERATIONS.items()}
    if fields[:4] != _HEAD or fields[4] not in names:
        return None
    return Arp(
        operation=names[fields[4]],
        sender_mac=_mac_text(fields[5]),
        sender=socket.inet_ntoa(fields[6]),
        target_mac=_mac_text(fields[7]),
        target=socket.inet_ntoa(fields[8]),
    )


def _mac_bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _mac_text(raw: bytes) -> str:
    return ":".join(f"{byte:02x}" for byte in raw)
