# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A surface that costs next to nothing: what is measured is the monitor, not the lab's stand-in for Windows.

Addresses, sites and services are values in memory; files, time, the network between the nodes and the web server that
deep checks ask are real. Named by HOLDFAST_SURFACE=holdfast_bench.light:open_light.
"""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Collection, Sequence
from pathlib import Path

from holdfast.errors import NotThereError
from holdfast.surface import Address, ConfigChange, ServiceMain
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld
from holdfast_lab.surface.servicebody import run_until_stopped


class LightSurface(MemorySurface):
    """The memory surface without its searches through XML, and with signals that stop the service."""

    def __init__(self, world: MemoryWorld, name: str) -> None:
        super().__init__(world, name, number=1)
        self._elements: dict[str, ET.Element] = {}
        self._by_address: dict[str, Address] = {}

    def run_service(self, *, name: str, main: ServiceMain) -> None:
        del name
        run_until_stopped(main, ready=lambda: None, hears_shutdown=lambda: None)

    def addresses(self) -> Sequence[Address]:
        return list(self._by_address.values())

    def add_address(
        self, *, interface: str, address: str, prefix_length: int, skip_as_source: bool, lifetime_s: int
    ) -> None:
        self._by_address[address] = Address(
            interface=interface,
            address=address,
            prefix_length=prefix_length,
            usable=True,
            skip_as_source=skip_as_source,
            lifetime_s=lifetime_s,
        )

    def renew_addresses(self, *, addresses: Collection[str], lifetime_s: int) -> None:
        del addresses, lifetime_s

    def remove_address(self, *, interface: str, address: str) -> None:
        del interface
        self._by_address.pop(address, None)

    def announce(self, *, interface: str, address: str) -> None:
        del interface, address

    def neighbour(self, *, interface: str, address: str, timeout_s: float) -> str | None:
        del interface, address, timeout_s
        return None

    def iis_commit(self, changes: Sequence[ConfigChange]) -> None:
        super().iis_commit(changes)
        sites = ET.fromstring(self.iis).iterfind("system.applicationHost/sites/site")
        self._elements = {site.get("name", ""): site for site in sites}

    def _site(self, name: str) -> ET.Element:
        if name not in self._elements:
            raise NotThereError("iis", f"IIS has no site {name!r}")
        return self._elements[name]


def open_light() -> LightSurface:
    """The surface of the node whose folder HOLDFAST_LAB_NODE names."""
    node = Path(os.environ["HOLDFAST_LAB_NODE"])
    return LightSurface(MemoryWorld(node.parent), node.name)
