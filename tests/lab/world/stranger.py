# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stranger: a machine on the client network that belongs to nobody and takes an address."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from typing import Literal, Protocol

from pyroute2 import IPRoute

from ..oracle.arp_frames import Arp, encode
from .machine import Computer
from .namespaces import in_network_of
from .topology import LAN, STRANGER, Machine

BROADCAST = "ff:ff:ff:ff:ff:ff"


class Power(Protocol):
    """The part of the world that the stranger needs."""

    async def power_on(self, machine: Machine) -> None: ...

    def computer(self, name: str) -> Computer: ...


async def steal_address(world: Power, given: Mapping[str, str]) -> None:
    """The stranger has the address and has told everyone on the client network."""
    await world.power_on(STRANGER)
    address = given["address"]

    def steal() -> None:
        change("add", address)
        announce(interface=LAN.alias, mac=STRANGER.mac(LAN), address=address)

    await asyncio.to_thread(in_network_of, world.computer(STRANGER.name).pid, steal)


async def give_address_back(world: Power, given: Mapping[str, str]) -> None:
    """The stranger does not have the address (and tells nobody)."""
    pid = world.computer(STRANGER.name).pid
    await asyncio.to_thread(in_network_of, pid, lambda: change("del", given["address"]))


def change(verb: Literal["add", "del"], address: str) -> None:
    """The card on the client network, in this thread's network namespace, has the address or not."""
    with IPRoute() as inside:
        card = inside.link_lookup(ifname=LAN.alias)[0]
        inside.addr(verb, index=card, address=address, prefixlen=LAN.prefix_length)


def announce(*, interface: str, mac: str, address: str) -> None:
    """A gratuitous ARP request for the address has been sent. Source: RFC 5227, section 3."""
    question = Arp(operation="request", sender_mac=mac, sender=address, target_mac="00:00:00:00:00:00", target=address)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((interface, 0))
        raw.send(encode(question, source_mac=mac, target_mac=BROADCAST))
