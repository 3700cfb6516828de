# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking the wire who has an IPv4 address, and telling it: ARP on a raw socket, never the kernel's cache.

Source: RFC 826; RFC 5227 section 3 for announcements.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from ipaddress import IPv4Address

ETH_P_ARP = 0x0806
REQUEST, REPLY = 1, 2
BROADCAST = b"\xff" * 6
_PACKET = struct.Struct("!6s6sHHHBBH6s4s6s4s")
_HEAD = (ETH_P_ARP, 1, 0x0800, 6, 4)
ATTEMPTS = 3
"""Requests sent within one timeout: a single lost frame must not look like a free address."""


def ask(*, interface: str, mac: bytes, sender: IPv4Address, target: IPv4Address, timeout_s: float) -> bytes | None:
    """The hardware address that answers for ``target`` within the timeout, or None. Raises OSError.

    ``sender`` is 0.0.0.0 (a probe) when this interface has no other address of that network.
    """
    question = _PACKET.pack(BROADCAST, mac, *_HEAD, REQUEST, mac, sender.packed, bytes(6), target.packed)
    start_s = time.monotonic()
    # Protocol 0 until bound: otherwise frames of other interfaces would already be queued.
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    try:
        wire.bind((interface, ETH_P_ARP))
        for attempt in range(ATTEMPTS):
            wire.send(question)
            until_s = start_s + timeout_s * (attempt + 1) / ATTEMPTS
            if answer := _answer(wire, mac=mac, target=target, until_s=until_s):
                return answer
        return None
    finally:
        # The kernel takes some 10 ms to close a packet socket (packet_release waits for all processors).
        threading.Thread(target=wire.close, name="close ARP socket", daemon=True).start()


class Announcer:
    """Tells everybody on a wire about an address. It keeps its socket, because closing one takes so long."""

    def __init__(self) -> None:
        # Protocol 0: it only sends.
        self._wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)

    def announce(self, *, interface: str, mac: bytes, address: IPv4Address) -> None:
        """The request and the reply form of the announcement are on the wire, to everybody. Raises OSError.

        Both, because some receivers only take the one or the other for an update (RFC 5227 section 3).
        """
        own = address.packed
        for operation, target in ((REQUEST, bytes(6)), (REPLY, BROADCAST)):
            frame = _PACKET.pack(BROADCAST, mac, *_HEAD, operation, mac, own, target, own)
            self._wire.sendto(frame, (interface, ETH_P_ARP))


def _answer(wire: socket.socket, *, mac: bytes, target: IPv4Address, until_s: float) -> bytes | None:
    while (left_s := until_s - time.monotonic()) > 0:
        wire.settimeout(left_s)
        try:
            frame = wire.recv(128)
        except TimeoutError:
            return None
        if len(frame) < _PACKET.size:
            continue
        *_, operation, sender_mac, sender_address, _target_mac, _target = _PACKET.unpack_from(frame)
        # Whoever claims the address as its own answers the question, in a reply or in an announcement.
        if sender_address == target.packed and sender_mac != mac and operation in (REQUEST, REPLY):
            return bytes(sender_mac)
    return None
