# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Checks of the network: cards, a scratch address that comes and goes, neighbours."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address

from ..surface import FOREVER_S, Address, Notice, Surface
from ..windows.network import places_of
from .check import Check, CheckFailedError, Scratch, ScratchAddress, expect, expect_not_there, milliseconds, within

LIFETIME_S = 2
LATE_S = 4.0
"""How much later than its lifetime an address may go; the permits of the next layer have to count on it."""

PROBE_S = 2.0
PING_S = 1.0
NOTICE_S = 2.0
AFTER_END_S = 0.3
_MAC = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_NO_SUCH_CARD = "no such card"


def cards(surface: Surface, scratch: Scratch) -> str:
    """At least one card with a hardware address is up, and the scratch interface is among them."""
    found = surface.interfaces()
    expect(any(card.up for card in found), "no network card is up")
    odd = [card for card in found if not _MAC.fullmatch(card.mac)]
    expect(not odd, f"these have no hardware address of six bytes: {odd}")
    names = [card.name for card in found]
    if scratch.address is not None:
        expect(scratch.address.interface in names, f"there is no card {scratch.address.interface!r} among {names}")
    own = {entry.interface for entry in surface.addresses()}
    expect(bool(own & set(names)), f"no address belongs to one of the cards {names}")
    return ", ".join(f"{card.name} {'up' if card.up else 'down'}" for card in found)


def coming_and_going(surface: Surface, scratch: Scratch) -> str:
    """Added, used, added again, removed, removed again; on no card that does not exist."""
    wanted = _address_of(scratch)
    with _no_address_left(surface, wanted):
        add_ms = milliseconds(lambda: _add(surface, wanted, FOREVER_S))
        entry = _the_entry(surface, wanted)
        expect(entry.usable, "the added address is not usable at once")
        expect(entry.skip_as_source, "the added address is not skip-as-source")
        expect(entry.prefix_length == wanted.prefix_length, f"its prefix length is {entry.prefix_length}")
        expect(entry.interface == wanted.interface, f"it is on {entry.interface!r}")
        _bind(wanted.address)
        announce_ms = milliseconds(lambda: surface.announce(interface=wanted.interface, address=wanted.address))
        _add(surface, wanted, FOREVER_S)
        remove_ms = milliseconds(lambda: _remove(surface, wanted))
        expect(not places_of(surface, wanted.address), "the removed address is still listed")
        _remove(surface, wanted)
    _refused_where_nothing_is(surface, wanted)
    return f"added in {add_ms:.0f} ms, announced in {announce_ms:.0f} ms, removed in {remove_ms:.0f} ms"


def lifetime(surface: Surface, scratch: Scratch) -> str:
    """The system itself takes an address off whose lifetime is over, and not one that was renewed."""
    wanted = _address_of(scratch)
    with _no_address_left(surface, wanted):
        _add(surface, wanted, LIFETIME_S)
        shown = _the_entry(surface, wanted).lifetime_s
        expect(0 < shown <= LIFETIME_S, f"its lifetime is shown as {shown} s")
        _add(surface, wanted, LIFETIME_S * 10)
        renewed = _the_entry(surface, wanted).lifetime_s
        expect(LIFETIME_S < renewed <= LIFETIME_S * 10, f"after renewing its lifetime is shown as {renewed} s")
        _add(surface, wanted, LIFETIME_S)
        gone_s = within(
            LIFETIME_S + LATE_S,
            lambda: not places_of(surface, wanted.address),
            lambda: f"{LATE_S:g} s after its lifetime of {LIFETIME_S} s the address is still there",
        )
    return f"lifetime {LIFETIME_S} s: gone after {gone_s:.2f} s"


def renewing(surface: Surface, scratch: Scratch) -> str:
    """An address that is there gets the new lifetime, one that is not stays away."""
    wanted = _address_of(scratch)
    with _no_address_left(surface, wanted):
        surface.renew_addresses(addresses=[wanted.address], lifetime_s=LIFETIME_S)
        expect(not places_of(surface, wanted.address), "renewing an address that was not there has added it")
        _add(surface, wanted, LIFETIME_S)
        renew_ms = milliseconds(lambda: surface.renew_addresses(addresses=[wanted.address], lifetime_s=LIFETIME_S * 10))
        entry = _the_entry(surface, wanted)
        expect(entry.usable, "the renewed address is not usable")
        expect(entry.skip_as_source, "the renewed address is not skip-as-source any more")
        expect(LIFETIME_S < entry.lifetime_s <= LIFETIME_S * 10, f"its lifetime is shown as {entry.lifetime_s} s")
    return f"renewed in {renew_ms:.1f} ms"


def pinging(surface: Surface, scratch: Scratch) -> str:
    """An address of our own answers, a free one does not."""
    wanted = _address_of(scratch)
    with _no_address_left(surface, wanted):
        silent = surface.ping(address=wanted.address, timeout_s=PING_S, interface=wanted.interface)
        expect(not silent, f"{wanted.address} is not free: it answers; give another address")
        _add(surface, wanted, FOREVER_S)
        expect(surface.ping(address=wanted.address, timeout_s=PING_S), "an address of this machine does not answer")
    if scratch.neighbour is None:
        return "an address of this machine answers; a neighbour was not given (--neighbour)"
    answers = surface.ping(address=scratch.neighbour, timeout_s=PING_S, interface=wanted.interface)
    # No failure: its firewall may well keep it silent.
    return f"the neighbour {scratch.neighbour} {'answers' if answers else 'does not answer'}"


def watching(surface: Surface, scratch: Scratch) -> str:
    """An address that comes is told of soon, and nothing is after the end."""
    wanted = _address_of(scratch)
    told: list[Notice] = []
    end = surface.watch(told.append)
    with _no_address_left(surface, wanted):
        try:
            _add(surface, wanted, FOREVER_S)
            took_s = within(
                NOTICE_S,
                lambda: "network" in told,
                lambda: f"{NOTICE_S:g} s after an address came nobody was told",
            )
        finally:
            end()
        told.clear()
        _remove(surface, wanted)
        time.sleep(AFTER_END_S)
        expect(not told, f"told of {told} after the end")
    return f"told {took_s * 1000:.0f} ms after an address came"


def neighbours(surface: Surface, scratch: Scratch) -> str:
    """Nobody answers for a free address, and the given neighbour does."""
    wanted = _address_of(scratch)
    answers: list[str | None] = []

    def ask(address: str) -> None:
        answers.append(surface.neighbour(interface=wanted.interface, address=address, timeout_s=PROBE_S))

    silent_ms = milliseconds(lambda: ask(wanted.address))
    expect(answers == [None], f"{wanted.address} is not free: {answers[0]} answers for it; give another address")
    told = f"silence after {silent_ms:.0f} ms"
    if scratch.neighbour is None:
        return told + "; a neighbour that answers was not given (--neighbour)"
    answer_ms = milliseconds(lambda: ask(scratch.neighbour or ""))
    expect(answers[1] is not None, f"the neighbour {scratch.neighbour} does not answer")
    expect(bool(_MAC.fullmatch(answers[1] or "")), f"{answers[1]!r} is no hardware address")
    return told + f"; {scratch.neighbour} is {answers[1]}, in {answer_ms:.0f} ms"


def _needs_address(scratch: Scratch) -> str | None:
    return None if scratch.address is not None else "--interface and --address"


def _address_of(scratch: Scratch) -> ScratchAddress:
    if scratch.address is None:
        raise CheckFailedError("this check was run without a scratch address")
    return scratch.address


def _add(surface: Surface, wanted: ScratchAddress, lifetime_s: int) -> None:
    surface.add_address(
        interface=wanted.interface,
        address=wanted.address,
        prefix_length=wanted.prefix_length,
        skip_as_source=True,
        lifetime_s=lifetime_s,
    )


def _remove(surface: Surface, wanted: ScratchAddress) -> None:
    surface.remove_address(interface=wanted.interface, address=wanted.address)


def _the_entry(surface: Surface, wanted: ScratchAddress) -> Address:
    entries = places_of(surface, wanted.address)
    expect(len(entries) == 1, f"{wanted.address} was added and is listed {len(entries)} times")
    return entries[0]


@contextmanager
def _no_address_left(surface: Surface, wanted: ScratchAddress) -> Iterator[None]:
    """The address was not there before and is not there after."""
    expect(not places_of(surface, wanted.address), f"{wanted.address} is on this machine; give one that is free")
    try:
        yield
    finally:
        _remove(surface, wanted)


def _bind(address: str) -> None:
    """A socket can have the address: the system really works with it."""
    family = socket.AF_INET if ip_address(address).version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.bind((address, 0))


def _refused_where_nothing_is(surface: Surface, wanted: ScratchAddress) -> None:
    elsewhere = ScratchAddress(interface=_NO_SUCH_CARD, address=wanted.address, prefix_length=wanted.prefix_length)
    expect_not_there("adding to a card that does not exist", lambda: _add(surface, elsewhere, FOREVER_S))
    expect_not_there(
        "announcing an address that is not here",
        lambda: surface.announce(interface=wanted.interface, address=wanted.address),
    )


CHECKS = (
    Check(
        primitives="interfaces, addresses",
        promise="network cards and their addresses",
        source="learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-getiftable2",
        run=cards,
    ),
    Check(
        primitives="neighbour",
        promise="who answers for an address now",
        source="learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-resolveipnetentry2",
        run=neighbours,
        needs=_needs_address,
    ),
    Check(
        primitives="add_address, remove_address, announce",
        promise="an address is usable at once, and gone at once",
        source="learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-createunicastipaddressentry",
        run=coming_and_going,
        needs=_needs_address,
    ),
    Check(
        primitives="add_address (lifetime_s)",
        promise="the system drops an address that nobody renews",
        source="MIB_UNICASTIPADDRESS_ROW.ValidLifetime; its precision for IPv4 is unconfirmed",
        run=lifetime,
        needs=_needs_address,
    ),
    Check(
        primitives="renew_addresses",
        promise="a longer life for addresses that are there",
        source="learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-setunicastipaddressentry",
        run=renewing,
        needs=_needs_address,
    ),
    Check(
        primitives="ping",
        promise="whether an address answers",
        source="learn.microsoft.com/windows/win32/api/icmpapi/nf-icmpapi-icmpsendecho2ex",
        run=pinging,
        needs=_needs_address,
    ),
    Check(
        primitives="watch",
        promise="being told of changes",
        source="learn.microsoft.com/windows/win32/api/netioapi/nf-netioapi-notifyunicastipaddresschange",
        run=watching,
        needs=_needs_address,
    ),
)
