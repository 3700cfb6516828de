# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Threads that look and take off. A call that hangs in the system costs one of them and nothing else.

Each looks first, then asks what is unpermitted *now*, then takes that off, then looks again: what is told of a look
is never older than the look. Without having had a permit only what is surely ours is touched: an address that is no
source (every switchable one is put up so), a disk that is reserved under our key.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address

from ..errors import SurfaceError
from ..surface import Address, Surface
from ..windows import storage
from ..windows.storage import Claim
from .decision import DiskSight
from .lane import Lane

LOOK_S = 0.1
"""How often the addresses are looked at while a group is unpermitted."""

LOOK_DISKS_S = 2.0
LOOK_SHARE = 20
"""A look that takes long is repeated so seldom that looking takes one part in this many of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What is unpermitted at this moment: address or disk -> its group. ``due``: groups that are off in any case."""

    addresses: Mapping[str, str]
    disks: Mapping[str, str]
    due: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a hand works with. ``tell`` takes what was done: the group and a sentence."""

    surface: Surface
    orders: Callable[[], Orders]
    tell: Callable[[str, str], None]


class AddressHand:
    """Takes unpermitted addresses off. ``seen``: when the last look began, and which of them were left."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._took_s = 0.0
        self.seen: tuple[float, frozenset[str]] = (float("-inf"), frozenset())
        self.lane = Lane("addresses", self.work, self._pause)

    def work(self) -> None:
        """Looked, taken off, looked again; what failed is told and seen as left."""
        clock = self._tools.surface.monotonic_s
        began_s = clock()
        try:
            left = self._unpermitted()
            if left:
                self._take_off(left)
                left = self._unpermitted()
        except SurfaceError as error:
            self._tools.tell("", f"cannot look at the addresses: {error}")
            return
        self.seen = began_s, frozenset(_plain(entry.address) for entry in left)
        self._took_s = clock() - began_s

    def _unpermitted(self) -> list[Address]:
        entries = self._tools.surface.addresses()
        orders = self._tools.orders()
        return [entry for entry in entries if _concerns(entry, orders)]

    def _take_off(self, entries: list[Address]) -> None:
        orders = self._tools.orders()
        for entry in entries:
            group = orders.addresses.get(_plain(entry.address), "")
            try:
                self._tools.surface.remove_address(interface=entry.interface, address=_plain(entry.address))
                self._tools.tell(group, f"took address {entry.address} off {entry.interface}")
            except SurfaceError as error:
                self._tools.tell(group, f"cannot take address {entry.address} off {entry.interface}: {error}")

    def _pause(self) -> float | None:
        return max(LOOK_S, LOOK_SHARE * self._took_s) if self._tools.orders().addresses else None


class DiskHand:
    """Gives one disk up by force. ``seen``: the last look at it."""

    def __init__(self, tools: Tools, claim: Claim) -> None:
        self._tools = tools
        self._claim = claim
        self.seen: DiskSight | None = None
        self.lane = Lane(f"disk {claim.disk}", self.work, self._pause)

    def work(self) -> None:
        """Looked, given up, looked again; what failed is told and seen as in use."""
        surface, began_s = self._tools.surface, self._tools.surface.monotonic_s()
        try:
            group = self._concerned()
            if group is not None:
                storage.give_up(surface, self._claim, patience_s=0.0)
                self._tools.tell(group, f"gave disk {self._claim.disk} up, volume {self._claim.letter} by force")
            up = group is not None and self._concerned() is not None
        except SurfaceError as error:
            self._tools.tell(self._tools.orders().disks.get(self._claim.disk, ""), f"cannot give a disk up: {error}")
            return
        self.seen = DiskSight(at_s=began_s, up=up)

    def _concerned(self) -> str | None:
        """The group for whose sake the disk is to be given up; None when it is not, or is given up."""
        disk = storage.find_disk(self._tools.surface, self._claim.disk)
        orders = self._tools.orders()
        group = orders.disks.get(self._claim.disk)
        if group is None or disk is None or storage.is_given_up(disk, self._claim):
            return None
        return group if group in orders.due or disk.holder == self._claim.key else None

    def _pause(self) -> float | None:
        return LOOK_DISKS_S if self._claim.disk in self._tools.orders().disks else None


def stop_site(tools: Tools, group: str, site: str) -> None:
    """The site was asked to stop, in a thread of its own, without waiting for the requests in it."""

    def work() -> None:
        try:
            tools.surface.iis_stop(site=site)
            tools.tell(group, f"stopped site {site}")
        except SurfaceError as error:
            tools.tell(group, f"cannot stop site {site}: {error}")

    threading.Thread(target=work, name=f"site {site}", daemon=True).start()


def _concerns(entry: Address, orders: Orders) -> bool:
    group = orders.addresses.get(_plain(entry.address))
    return group is not None and (entry.skip_as_source or group in orders.due)


def _plain(address: str) -> str:
    return str(ip_address(address.partition("%")[0]))
