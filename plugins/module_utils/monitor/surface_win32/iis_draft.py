# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A commit in the making: changes of the configuration in a manager's own copy of it.

Rule: a collection is listed once, however many changes concern it. Each item that is read is several calls, and a
thousand sites that are described are thousands of changes in a collection of a thousand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..surface import ConfigChange
from . import iis_com

Values = tuple[str, ...]
"""The values of an item's keys, in the order of their names and without regard to letter case as in IIS_schema.xml."""

Place = tuple[tuple[str, Values], ...]
"""Where an element is: the names on the way to it, each with the values of its keys."""


class Draft:
    """The manager's copy of the configuration; nobody else changes it meanwhile."""

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._sections: dict[str, Any] = {}
        self._listed: dict[tuple[Place, str], dict[Values, tuple[int, Any]]] = {}

    def apply(self, change: ConfigChange) -> None:
        """The change is made in the copy."""
        element = self._section(change.section)
        place: Place = ((change.section, ()),)
        for position, (name, keys) in enumerate(change.path):
            last = position == len(change.path) - 1
            values = _values(keys)
            if not keys:
                element = iis_com.part(element, name)
            elif change.op == "remove" and (last or values not in self._items(place, element, name, keys)):
                self._remove(place, element, name, keys)
                return
            else:
                attributes = {**keys, **(change.attributes if last else {})}
                element = self._item(place, element, name, keys, attributes)
            place = (*place, (name, values))
        if change.op == "remove":
            iis_com.get(element, "Clear")
            self._forget(place)
            return
        for attribute, text in change.attributes.items():
            iis_com.write(element, attribute, text)

    def _section(self, name: str) -> Any:
        if name not in self._sections:
            self._sections[name] = iis_com.section_of(self._manager, name)
        return self._sections[name]

    def _items(self, place: Place, element: Any, name: str, keys: Mapping[str, str]) -> dict[Values, tuple[int, Any]]:
        """The items of this name in the element's collection, with their positions, by the values of their keys."""
        if (place, name) not in self._listed:
            found: dict[Values, tuple[int, Any]] = {}
            for at, item in enumerate(iis_com.items(element)):
                if iis_com.get(item, "Name") == name:
                    found.setdefault(_values({key: str(iis_com.read(item, key)) for key in keys}), (at, item))
            self._listed[place, name] = found
        return self._listed[place, name]

    def _item(
        self, place: Place, element: Any, name: str, keys: Mapping[str, str], attributes: Mapping[str, str]
    ) -> Any:
        """The item with these keys; a new one, with these attributes, when there was none."""
        listed, values = self._items(place, element, name, keys), _values(keys)
        if values not in listed:
            item = iis_com.add(element, name, attributes)
            listed[values] = int(iis_com.get(iis_com.get(element, "Collection"), "Count")) - 1, item
        return listed[values][1]

    def _remove(self, place: Place, element: Any, name: str, keys: Mapping[str, str]) -> None:
        """The item with these keys is gone, and those behind it have moved up."""
        at, _unused = self._items(place, element, name, keys).pop(_values(keys), (None, None))
        if at is None:
            return
        iis_com.delete(element, at)
        self._forget((*place, (name, _values(keys))))
        for where, listed in self._listed.items():
            if where[0] == place:
                moved = {values: (was - 1, item) for values, (was, item) in listed.items() if was > at}
                listed.update(moved)

    def _forget(self, place: Place) -> None:
        """What is listed at this place and below is not there any more."""
        for where in [where for where in self._listed if where[0][: len(place)] == place]:
            del self._listed[where]


def _values(keys: Mapping[str, str]) -> Values:
    return tuple(keys[name].lower() for name in sorted(keys))
