# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Switchable addresses over the surface: where an address is, put it up, take it off everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from threading import Lock
from weakref import WeakKeyDictionary, ref

from ..errors import NotThereError, SurfaceError, fail
from ..surface import Address, Interface, Surface
from .shared import SharedLook


def interface_of(surface: Surface, name: str) -> Interface:
    """The network card with this connection alias.

    Raises:
        NotThereError: there is none; the message names those there are.
    """
    cards = _looks(surface).cards.take()
    for card in cards:
        if card.name == name:
            return card
    names = ", ".join(repr(card.name) for card in cards)
    raise NotThereError("interfaces", f"there is no network interface {name!r} here (there are: {names})")


def places_of(surface: Surface, address: str) -> list[Address]:
    """Every entry this machine has for the address, on any interface, usable or not."""
    return list(_looks(surface).places.take().get(_plain(address), ()))


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

    def __init__(self, surface: Surface) -> None:
        # The surface has us for as long as it lives, so we must not have it.
        surface_of = ref(surface)
        self.cards = SharedLook(lambda: _alive(surface_of).interfaces())
        self.places = SharedLook(lambda: _by_address(_alive(surface_of).addresses()))


_LOOKS: WeakKeyDictionary[Surface, _Looks] = WeakKeyDictionary()
_LOOKS_LOCK = Lock()


def _looks(surface: Surface) -> _Looks:
    with _LOOKS_LOCK:
        if surface not in _LOOKS:
            _LOOKS[surface] = _Looks(surface)
        return _LOOKS[surface]


def _alive(surface_of: ref[Surface]) -> Surface:
    surface = surface_of()
    if surface is None:
        fail("a look at a surface that nobody has")
    return surface


def _by_address(entries: Sequence[Address]) -> dict[str, list[Address]]:
    found: dict[str, list[Address]] = {}
    for entry in entries:
        found.setdefault(_plain(entry.address), []).append(entry)
    return found


def _plain(address: str) -> str:
    """One spelling for each address, without the zone of a link-local one."""
    return str(ip_address(address.partition("%")[0]))
