# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Switchable addresses over the surface: where an address is, put it up, take it off everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from ipaddress import ip_address

from ..errors import NotThereError, SurfaceError
from ..surface import Address, Interface, Surface
from .shared import PerSurface, SharedLook


def interface_of(surface: Surface, name: str) -> Interface:
    """The network card with this connection alias.

    Raises:
        NotThereError: there is none; the message names those there are.
    """
    cards = _LOOKS.of(surface).cards.take()
    for card in cards:
        if card.name == name:
            return card
    names = ", ".join(repr(card.name) for card in cards)
    raise NotThereError("interfaces", f"there is no network interface {name!r} here (there are: {names})")


def places_of(surface: Surface, address: str) -> list[Address]:
    """Every entry this machine has for the address, on any interface, usable or not."""
    return list(places(surface).get(plain(address), ()))


def places(surface: Surface) -> Mapping[str, Sequence[Address]]:
    """Every address of this machine in its ``plain`` spelling, with its entries."""
    return _LOOKS.of(surface).places.take()


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


class _Looks:
    """The looks at one machine that are shared by all who want one."""

    def __init__(self, surface_of: Callable[[], Surface]) -> None:
        def clock() -> float:
            return surface_of().monotonic_s()

        self.cards = SharedLook(lambda: surface_of().interfaces(), clock)
        self.places = SharedLook(lambda: _by_address(surface_of().addresses()), clock)


_LOOKS = PerSurface(_Looks)


def _by_address(entries: Sequence[Address]) -> dict[str, list[Address]]:
    found: dict[str, list[Address]] = {}
    for entry in entries:
        found.setdefault(plain(entry.address), []).append(entry)
    return found


@lru_cache(maxsize=8192)
def plain(address: str) -> str:
    """One spelling for each address, without the zone of a link-local one."""
    return str(ip_address(address.partition("%")[0]))
