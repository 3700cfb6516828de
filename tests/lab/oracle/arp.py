# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle: who answers ARP for an address on the client network. Asks as any client would."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .arp_frames import ETHERTYPE_ARP, Arp, decode, encode
from .records import Record

BROADCAST = "ff:ff:ff:ff:ff:ff"
NOBODY = "00:00:00:00:00:00"
FRAME_BYTES_MAX = 2048


@dataclass(slots=True, kw_only=True)
class ArpOracle:
    """A raw socket in the client's namespace.

    It asks with the client's own address, not with 0.0.0.0: a machine that probes for duplicates would take
    that for another one that probes (RFC 5227, section 2.1.1) and give up the address.
    """

    raw: socket.socket
    wanted: tuple[str, ...]
    own_mac: str
    own_address: str
    machines: Mapping[str, str]
    """Hardware address -> machine."""

    clock: Callable[[], float]
    asked: int = 0

    def ask(self) -> None:
        """Everyone on the network was asked for each address once more."""
        self.asked += 1
        for address in self.wanted:
            question = Arp(
                operation="request",
                sender_mac=self.own_mac,
                sender=self.own_address,
                target_mac=NOBODY,
                target=address,
            )
            self.raw.send(encode(question, source_mac=self.own_mac, target_mac=BROADCAST))

    def listen(self) -> Iterator[Record]:
        """Every answer and announcement that waits."""
        while True:
            try:
                frame = self.raw.recv(FRAME_BYTES_MAX)
            except BlockingIOError:
                return
            arp = decode(frame)
            if arp is None or arp.sender not in self.wanted:
                continue
            to_us = arp.operation == "reply" and arp.target == self.own_address
            yield Record(
                t_s=self.clock(),
                kind="arp",
                subject=arp.sender,
                holder=self.machines.get(arp.sender_mac, arp.sender_mac),
                present=True,
                source="answer" if to_us else "announcement",
                ask=self.asked if to_us else 0,
            )


def open_raw(interface: str) -> socket.socket:
    """A socket for ARP frames on this interface of the calling thread's namespace."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETHERTYPE_ARP))
    raw.bind((interface, ETHERTYPE_ARP))
    raw.setblocking(False)
    return raw
