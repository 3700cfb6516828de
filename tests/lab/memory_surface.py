# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The surface as plain values in memory: two or more nodes that share disks and a network segment.

For tests of kits, executor and service that need no network and no process. It holds the promises of
``holdfast.surface`` (same errors, same idempotence, same refusals) and nothing more; folders are real.

    world = MemoryWorld(folder, disks=["HFLAB-DISK-0001"])
    n1, n2 = world.node("n1"), world.node("n2")
    n1.fail["iis_start"] = SurfaceError("iis_start", "the worker process crashed")
    n1.log                 # what was changed, in order: ["add_address 10.77.0.113", ...]
"""

from __future__ import annotations

import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal

from holdfast.errors import NotThereError, SurfaceError
from holdfast.surface import (
    Address,
    Certificate,
    ConfigChange,
    Disk,
    Interface,
    Notice,
    ServiceMain,
    ServiceState,
    SiteState,
)

from .surface import shares
from .surface.configuration import ConfigurationError, apply_changes

CONFLICT = 170
"""ERROR_BUSY, what a SCSI reservation conflict gives."""

EMPTY_IIS = b"""<?xml version="1.0" encoding="UTF-8"?>
<configuration>
    <system.applicationHost>
        <applicationPools><add name="DefaultAppPool" /></applicationPools>
        <sites>
            <siteDefaults />
            <applicationDefaults applicationPool="DefaultAppPool" />
            <virtualDirectoryDefaults allowSubDirConfig="true" />
        </sites>
    </system.applicationHost>
</configuration>
"""


@dataclass(slots=True)
class SharedDisk:
    """A disk of the world: who is registered, who holds it, which nodes have it online and where."""

    id: str
    folder: Path
    registered: set[str] = field(default_factory=set)
    holder: str | None = None
    online: set[str] = field(default_factory=set)
    letters: dict[str, str] = field(default_factory=dict)
    hidden_from: set[str] = field(default_factory=set)


class MemoryWorld:
    """What the nodes share."""

    def __init__(self, folder: Path, disks: Sequence[str] = ()) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        self.disks: dict[str, SharedDisk] = {}
        self.nodes: dict[str, MemorySurface] = {}
        for disk in disks:
            content = folder / "disks" / disk
            content.mkdir(parents=True)
            self.disks[disk] = SharedDisk(id=disk, folder=content)

    def node(self, name: str) -> MemorySurface:
        """The node of this name, made at the first call."""
        if name not in self.nodes:
            self.nodes[name] = MemorySurface(self, name, number=len(self.nodes) + 1)
        return self.nodes[name]


class MemorySurface:
    """One node. Everything a test wants to set or see is a public attribute."""

    def __init__(self, world: MemoryWorld, name: str, number: int) -> None:
        self.world = world
        self.name = name
        self.boot = f"boot-{name}-1"
        self.fail: dict[str, SurfaceError] = {}
        self.calls: Counter[str] = Counter()
        self.log: list[str] = []
        self.events: list[tuple[int, str, str]] = []
        self.resets: list[str] = []
        self.watchers: list[Callable[[Notice], None]] = []
        self.answering: set[tuple[str, str]] = set()
        self.restricted: list[str] = []
        self.cards = [Interface(name="LAN", mac=f"02:48:46:00:00:{number:02x}", up=True)]
        self.entries: list[Address] = []
        self.doubled: set[str] = set()
        self.open_files: set[str] = set()
        self.services: dict[str, ServiceState] = {"W3SVC": "running", "WAS": "running", "Holdfast": "running"}
        self.iis = EMPTY_IIS
        self.sites: dict[str, SiteState] = {}
        self.pools_stopped: set[str] = set()
        self.requests: dict[str, int] = {}
        self.store: list[Certificate] = []
        self.bound: dict[tuple[str, str], str] = {}
        (world.folder / name / "C").mkdir(parents=True, exist_ok=True)

    # -- the machine ------------------------------------------------------------------------------
    def boot_id(self) -> str:
        return self.boot

    def monotonic_s(self) -> float:
        return time.monotonic()

    def local_path(self, windows_path: str) -> Path:
        letter, _, rest = windows_path.partition(":")
        parts = [part for part in rest.split("\\") if part]
        if letter.upper() == "C":
            return self.world.folder.joinpath(self.name, "C", *parts)
        for disk in self.world.disks.values():
            if disk.letters.get(self.name) == f"{letter.upper()}:":
                return disk.folder.joinpath(*parts)
        raise NotThereError("local_path", f"{windows_path!r} is on no drive of this node")

    def restrict_to_administrators(self, windows_path: str) -> None:
        self.restricted.append(windows_path)

    def exclusive_file(self, *, path: str) -> BinaryIO:
        self._meet("exclusive_file")
        local = shares.shared(self.world.folder / "shares", path) or self.local_path(path)
        return shares.open_exclusively(local, path)

    def log_event(self, *, event_id: int, level: Literal["info", "warning", "error"], text: str) -> None:
        self.events.append((event_id, level, text))

    def run_service(self, *, name: str, main: ServiceMain) -> None:
        self.services[name] = "running"
        main(lambda _stop: None, lambda _shutdown: None)
        self.services[name] = "stopped"

    def raise_priority(self, *, highest: bool) -> None:
        del highest
        self._meet("raise_priority")

    def reset_machine(self, *, reason: str) -> None:
        self._meet("reset_machine")
        self.resets.append(reason)

    def watch(self, on_change: Callable[[Notice], None]) -> Callable[[], None]:
        self._meet("watch")
        self.watchers.append(on_change)
        return lambda: self.watchers.remove(on_change)

    # -- network ----------------------------------------------------------------------------------
    def interfaces(self) -> Sequence[Interface]:
        self._meet("interfaces")
        return list(self.cards)

    def addresses(self) -> Sequence[Address]:
        self._meet("addresses")
        return [replace(entry, usable=entry.address not in self.doubled) for entry in self.entries]

    def add_address(
        self, *, interface: str, address: str, prefix_length: int, skip_as_source: bool, lifetime_s: int
    ) -> None:
        with self._changing("add_address", f"add_address {address}"):
            self._card(interface)
            others = [e for e in self.entries if (e.interface, e.address) != (interface, address)]
            entry = Address(
                interface=interface,
                address=address,
                prefix_length=prefix_length,
                usable=True,
                skip_as_source=skip_as_source,
                lifetime_s=lifetime_s,
            )
            self.entries = [*others, entry]

    def renew_addresses(self, *, addresses: Collection[str], lifetime_s: int) -> None:
        with self._changing("renew_addresses", f"renew_addresses {' '.join(addresses)} {lifetime_s}"):
            self.entries = [
                replace(entry, lifetime_s=lifetime_s) if entry.address in addresses else entry for entry in self.entries
            ]

    def remove_address(self, *, interface: str, address: str) -> None:
        with self._changing("remove_address", f"remove_address {address}"):
            self._card(interface)
            self.entries = [e for e in self.entries if (e.interface, e.address) != (interface, address)]

    def neighbour(self, *, interface: str, address: str, timeout_s: float) -> str | None:
        del timeout_s
        self._meet("neighbour")
        self._card(interface)
        for node in self.world.nodes.values():
            for entry in node.entries:
                if node is not self and entry.address == address:
                    return node._card(entry.interface).mac
        return None

    def ping(self, *, address: str, timeout_s: float, interface: str | None = None) -> bool:
        del timeout_s
        self._meet("ping")
        return (interface or "", address) in self.answering

    def announce(self, *, interface: str, address: str) -> None:
        with self._changing("announce", f"announce {address}"):
            if (interface, address) not in [(e.interface, e.address) for e in self.entries]:
                raise NotThereError("announce", f"{address} is not on {interface!r}")

    # -- storage ----------------------------------------------------------------------------------
    def disks(self) -> Sequence[Disk]:
        self._meet("disks")
        return [
            Disk(
                id=disk.id,
                online=self.name in disk.online,
                read_only=False,
                holder=disk.holder,
                letters=(disk.letters[self.name],) if self.name in disk.letters else (),
            )
            for disk in self.world.disks.values()
            if self.name not in disk.hidden_from
        ]

    def set_disk_online(self, *, disk: str, online: bool) -> None:
        with self._changing("set_disk_online", f"set_disk_online {disk} {'on' if online else 'off'}"):
            found = self._disk(disk)
            if online:
                found.online.add(self.name)
            else:
                found.online.discard(self.name)
                found.letters.pop(self.name, None)

    def reserve_disk(self, *, disk: str, key: str, preempt: str | None) -> None:
        with self._changing("reserve_disk", f"reserve_disk {disk}"):
            found = self._disk(disk)
            if found.holder not in (None, key) and found.holder != preempt:
                raise SurfaceError("reserve_disk", f"{disk} is held under key {found.holder}", CONFLICT)
            if preempt is not None:
                found.registered.discard(preempt)
            found.registered.add(key)
            found.holder = key

    def release_disk(self, *, disk: str, key: str) -> None:
        with self._changing("release_disk", f"release_disk {disk}"):
            found = self._disk(disk)
            found.registered.discard(key)
            if found.holder == key:
                found.holder = None

    def mount(self, *, disk: str, letter: str) -> None:
        with self._changing("mount", f"mount {letter}"):
            found = self._disk(disk)
            if self.name not in found.online:
                raise SurfaceError("mount", f"{disk} is offline")
            found.letters[self.name] = letter

    def unmount(self, *, letter: str, force: bool) -> None:
        with self._changing("unmount", f"unmount {letter}{' by force' if force else ''}"):
            for disk in self.world.disks.values():
                if disk.letters.get(self.name) != letter:
                    continue
                if letter in self.open_files and not force:
                    raise SurfaceError("unmount", f"files are open on {letter}", 5)
                del disk.letters[self.name]

    # -- services and IIS -------------------------------------------------------------------------
    def service_state(self, name: str) -> ServiceState:
        return self.services.get(name, "absent")

    def iis_configuration(self) -> bytes:
        self._meet("iis_configuration")
        return self.iis

    def iis_commit(self, changes: Sequence[ConfigChange]) -> None:
        with self._changing("iis_commit", "iis_commit"):
            try:
                self.iis = apply_changes(self.iis, changes)
            except ConfigurationError as error:
                raise SurfaceError("iis_commit", str(error), error.code) from error

    def iis_start(self, *, site: str) -> None:
        with self._changing("iis_start", f"iis_start {site}"):
            element = self._site(site)
            self.pools_stopped -= {each.get("applicationPool", "") for each in element.iterfind("application")}
            self.sites[site] = "started"

    def iis_stop(self, *, site: str) -> None:
        with self._changing("iis_stop", f"iis_stop {site}"):
            self._site(site)
            self.sites[site] = "stopped"

    def iis_stop_pool(self, *, pool: str, timeout_s: float) -> None:
        del timeout_s
        with self._changing("iis_stop_pool", f"iis_stop_pool {pool}"):
            self.pools_stopped.add(pool)

    def iis_recycle_pool(self, *, pool: str) -> None:
        with self._changing("iis_recycle_pool", f"iis_recycle_pool {pool}"):
            if pool in self.pools_stopped:
                raise SurfaceError("iis_recycle_pool", f"pool {pool!r} is stopped", 0x80070426)

    def iis_state(self, *, site: str) -> SiteState:
        self._meet("iis_state")
        element = self._site(site)
        if self.services["W3SVC"] != "running":
            return "unknown"
        pools = {each.get("applicationPool", "") for each in element.iterfind("application")}
        state = self.sites.get(site, "stopped")
        return "failed" if state == "started" and pools & self.pools_stopped else state

    def iis_states(self, *, sites: Collection[str]) -> Mapping[str, SiteState]:
        self._meet("iis_states")
        states = {}
        for site in sites:
            with suppress(NotThereError):
                states[site] = self.iis_state(site=site)
        return states

    def iis_requests(self, *, site: str) -> int:
        self._meet("iis_requests")
        self._site(site)
        return self.requests.get(site, 0)

    def certificates(self, *, store: str) -> Sequence[Certificate]:
        del store
        return list(self.store)

    def bound_certificate(self, *, site: str, information: str) -> str | None:
        if self.services["W3SVC"] != "running":
            raise SurfaceError("bound_certificate", "W3SVC is not running", 0x80070426)
        self._site(site)
        return self.bound.get((site, information))

    def bind_certificate(self, *, site: str, information: str, thumbprint: str, store: str) -> None:
        del store
        with self._changing("bind_certificate", f"bind_certificate {information}"):
            written = [b.get("bindingInformation") for b in self._site(site).iterfind("bindings/binding")]
            if information not in written:
                raise NotThereError("bind_certificate", f"{site!r} has no binding {information}")
            self.bound[(site, information)] = thumbprint

    # -- for tests --------------------------------------------------------------------------------
    def put_file(self, windows_path: str, content: bytes = b"") -> None:
        """The file stands at the Windows path, folders included."""
        target = self.local_path(windows_path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def changes(self) -> list[str]:
        """What was changed since the last call, in order."""
        done = list(self.log)
        self.log.clear()
        return done

    @contextmanager
    def _changing(self, primitive: str, entry: str) -> Iterator[None]:
        with self.world.lock:
            self._meet(primitive)
            self.log.append(entry)
            yield

    def _meet(self, primitive: str) -> None:
        self.calls[primitive] += 1
        if primitive in self.fail:
            raise self.fail[primitive]

    def _card(self, name: str) -> Interface:
        for card in self.cards:
            if card.name == name:
                return card
        raise NotThereError("interfaces", f"there is no interface {name!r}")

    def _disk(self, disk: str) -> SharedDisk:
        found = self.world.disks.get(disk)
        if found is None or self.name in found.hidden_from:
            raise NotThereError("disks", f"there is no disk {disk!r}")
        return found

    def _site(self, name: str) -> ET.Element:
        for element in ET.fromstring(self.iis).iterfind("system.applicationHost/sites/site"):
            if element.get("name") == name:
                return element
        raise NotThereError("iis", f"IIS has no site {name!r}")
