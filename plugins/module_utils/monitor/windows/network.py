# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Switchable addresses over the surface: where an address is, put it up, take it off everywhere."""

from __future__ import annotations

from ipaddress import ip_address

from ..errors import NotThereError, SurfaceError
from ..surface import Address, Interface, Surface


def interface_of(surface: Surface, name: str) -> Interface:
    """The network card with this connection alias.

    Raises:
        NotThereError: there is none; the message names those there are.
    """
    cards = surface.interfaces()
    for card in cards:
        if card.name == name:
            return card
    names = ", ".join(repr(card.name) for card in cards)
    raise NotThereError("interfaces", f"there is no network interface {name!r} here (there are: {names})")


def places_of(surface: Surface, address: str) -> list[Address]:
    """Every entry this machine has for the address, on any interface, usable or not."""
    wanted = ip_address(address)
    return [entry for entry in surface.addresses() if ip_address(entry.address.partition("%")[0]) == wanted]


def put_up(surface: Surface, *, interface: str, address: str, prefix_length: int, lifetime_s: int) -> None:
    """The address is usable on this interface for that long, and the neighbours have been told.

    It is no source of our own connections and not registered in DNS (skip-as-source): it belongs to the site.
    Source: MIB_UNICASTIPADDRESS_ROW.SkipAsSource, learn.microsoft.com/en-us/windows/win32/api/netioapi/
    """
    surface.add_address(
        interface=interface,
        address=address,
        prefix_length=prefix_length,
        skip_as_source=True,
        lifetime_s=lifetime_s,
    )
    if not is_usable(surface, interface=interface, address=address):
        raise SurfaceError("add_address", f"{address} was put on {interface!r} but is not usable there")
    surface.announce(interface=interface, address=address)


def take_off(surface: Surface, address: str) -> None:
    """The address is on no interface of this machine: removed, and read back."""
    for entry in places_of(surface, address):
        surface.remove_address(interface=entry.interface, address=address)
    if left := places_of(surface, address):
        places = ", ".join(repr(entry.interface) for entry in left)
        raise SurfaceError("remove_address", f"{address} was removed but is still on {places}")


def is_usable(surface: Surface, *, interface: str, address: str) -> bool:
    """The address is on exactly this interface and duplicate detection found nobody else."""
    places = places_of(surface, address)
    return len(places) == 1 and places[0].interface == interface and places[0].usable
