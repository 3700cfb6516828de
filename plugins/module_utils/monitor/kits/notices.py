# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which resources a notice of the system concerns: those of which it shows something else than before.

Windows tells that an address changed, not which, and renewing the lifetime of one is a change as well. One look at all
of them finds out; a thousand groups would otherwise be looked at because of one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..core.values.model import Config
from ..errors import SurfaceError
from ..surface import Notice, Surface
from ..windows import network

Sight = Mapping[str, Any]
"""What a look showed, by address or site."""


class Changes:
    """``tags`` blocks, and is called by one thread at a time."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._cards: Sight | None = None
        self._places: Sight | None = None
        self._sites: Sight | None = None

    def tags(self, kinds: Collection[Notice], config: Config) -> frozenset[str]:
        """The tags of the resources to look at after notices of these kinds; all of a kind when it cannot be told."""
        found: set[str] = set()
        if "network" in kinds:
            found |= self._addresses(config)
        if "disk" in kinds:
            found.update(volume.tag for volume in config.volumes)
        if "iis" in kinds:
            found |= self._states(config)
        if "service" in kinds:
            found.update(hierarchy.tag for hierarchy in config.hierarchies)
        return frozenset(found)

    def _addresses(self, config: Config) -> set[str]:
        cards, places = self._cards, self._places
        try:
            self._cards = {card.name: card for card in self._surface.interfaces()}
            self._places = _places(self._surface)
        except SurfaceError:
            self._cards = self._places = None
        if self._cards is None or self._cards != cards:
            return {ip.tag for ip in config.ips}
        changed = _differing(places, self._places)
        return {ip.tag for ip in config.ips if changed is None or network.plain(ip.address) in changed}

    def _states(self, config: Config) -> set[str]:
        before = self._sites
        try:
            self._sites = self._surface.iis_states(sites={hierarchy.site for hierarchy in config.hierarchies})
        except SurfaceError:
            self._sites = None
        changed = _differing(before, self._sites)
        return {h.tag for h in config.hierarchies if changed is None or h.site in changed}


def _places(surface: Surface) -> Sight:
    """Where each address is, and whether it is usable there; its lifetime is no matter."""
    found = network.places(surface)
    return {address: {(entry.interface, entry.usable) for entry in entries} for address, entries in found.items()}


def _differing(before: Sight | None, after: Sight | None) -> set[str] | None:
    """What the two sights show differently; None when one of them is missing."""
    if before is None or after is None:
        return None
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
