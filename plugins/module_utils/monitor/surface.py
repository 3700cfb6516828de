# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Everything Holdfast asks of the operating system, as one typed list of primitives.

Rule: the monitor touches Windows through this protocol and nowhere else. ``surface_win32`` implements it on
Windows; the lab implements it for a Linux namespace. A primitive does one thing, blocks until it is done or
failed, holds no policy, and may be called from any worker thread. Paths are Windows paths.

Errors: every primitive raises SurfaceError (with the system's code) when the system refuses, and NotThereError when
the named object does not exist. A primitive whose aim is already reached succeeds and changes nothing.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, Protocol, cast

FOREVER_S = 0xFFFFFFFF
"""Lifetime of an address that never expires (MIB_UNICASTIPADDRESS_ROW.ValidLifetime, infinite)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """A network card. ``name`` is the connection alias ("LAN"); ``up`` means enabled with link."""

    name: str
    mac: str
    up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A unicast address on an interface. ``usable``: duplicate detection is over and found no conflict."""

    interface: str
    address: str
    prefix_length: int
    usable: bool
    skip_as_source: bool
    lifetime_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk this node can see. ``holder`` is the reservation key that may write, None when not reserved."""

    id: str
    online: bool
    read_only: bool
    holder: str | None
    letters: tuple[str, ...]


Listen = Callable[[Callable[[], None]], None]
"""Has the function called once when something is asked of the service; at once when it was asked before."""

ServiceMain = Callable[[Listen, Listen], None]
"""The body of a service, called with ``on_stop`` and ``on_shutdown``."""

Notice = Literal["network", "service", "disk", "iis"]
"""What kind of thing has changed: cards and addresses; services; disks and volumes; sites and their configuration."""

SiteState = Literal["starting", "started", "failed", "stopping", "stopped", "unknown"]
"""Failed: it is started, but an application pool of it is not, so that clients get 503."""

ServiceState = Literal["running", "stopped", "start_pending", "stop_pending", "paused", "absent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate of the machine store; ``not_after`` is an RFC 3339 UTC time."""

    thumbprint: str
    subject: str
    not_after: str
    has_private_key: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigChange:
    """One edit of applicationHost.config, addressed by element path.

    ``path`` leads from the section to the element: each step is (element name, key attributes), for example
    ``(("site", {"name": "shop"}), ("bindings", {}), ("binding", {"protocol": "http", ...}))``.
    ``op``: ``set`` gives the element these attributes and creates it (and missing parents) where absent, keys
    included; ``remove`` deletes it. Values are written as IIS writes them ("true", "00:02:00", "3").
    """

    op: Literal["set", "remove"]
    section: str
    path: tuple[tuple[str, Mapping[str, str]], ...]
    attributes: Mapping[str, str]


class Surface(Protocol):
    """The primitives. Sources are in surface_win32, one per primitive; open points say "unconfirmed"."""

    # -- the machine ------------------------------------------------------------------------------
    def boot_id(self) -> str:
        """A text that changes with every start of the operating system and never within one."""

    def monotonic_s(self) -> float:
        """Seconds on a clock that is never set; it counts on while the process is paused."""

    def local_path(self, windows_path: str) -> Path:
        """The path Python can open for this Windows path; the identity on Windows."""

    def restrict_to_administrators(self, windows_path: str) -> None:
        """Only administrators and SYSTEM can read or write this file or folder, inheritance off."""

    def exclusive_file(self, *, path: str) -> BinaryIO:
        """The file is open for reading and writing, and nobody else has it open until it is closed; for UNC paths too.

        It is made, empty, where it was missing. What is written has reached the disk of the machine that has the file
        when the write returns; there is no buffer. SurfaceError with code 32 while another has it open.
        """

    def log_event(self, *, event_id: int, level: Literal["info", "warning", "error"], text: str) -> None:
        """The text stands in the Application event log under the source Holdfast; ids are 1 to 65535."""

    def run_service(self, *, name: str, main: ServiceMain) -> None:
        """``main(on_stop, on_shutdown)`` ran as the body of the Windows service.

        ``on_stop(f)`` has the stop request call f. ``on_shutdown(f)`` has the notice before a shutdown of the system
        call f: the system waits then, for minutes, until main returns. Without ``on_shutdown`` the service is not
        told. Both call from another thread. Returns after main returned and STOPPED was reported. Called once, in the
        process's main thread.
        """

    def raise_priority(self, *, highest: bool) -> None:
        """This process is run before ordinary ones; ``highest``: before others of ours as well."""

    def reset_machine(self, *, reason: str) -> None:
        """The machine restarts at once: no program is asked to end, nothing is waited for. It does not return.

        SurfaceError when the system refuses every way there is.
        """

    def watch(self, on_change: Callable[[Notice], None]) -> Callable[[], None]:
        """``on_change`` is called, from another thread, soon after something of a kind has changed.

        It says where to look, not what happened; it may call too often, and changes of our own count. The function
        that is returned ends it.
        """

    # -- network ----------------------------------------------------------------------------------
    def interfaces(self) -> Sequence[Interface]:
        """All network cards."""

    def addresses(self) -> Sequence[Address]:
        """All unicast addresses, permanent and switchable."""

    def add_address(
        self, *, interface: str, address: str, prefix_length: int, skip_as_source: bool, lifetime_s: int
    ) -> None:
        """The address is on the interface and usable at once, not persistent, for ``lifetime_s`` whole seconds.

        An address that is there already gets the new lifetime. No duplicate detection wait.
        """

    def renew_addresses(self, *, addresses: Collection[str], lifetime_s: int) -> None:
        """Those of the addresses that are here stay for ``lifetime_s`` whole seconds from now; none is added.

        One call for all, because it is made several times a second.
        """

    def remove_address(self, *, interface: str, address: str) -> None:
        """The address is not on the interface."""

    def neighbour(self, *, interface: str, address: str, timeout_s: float) -> str | None:
        """The hardware address ("aa:bb:cc:dd:ee:ff") that answers for the address now, not from a cache; or None."""

    def ping(self, *, address: str, timeout_s: float, interface: str | None = None) -> bool:
        """The address answers an ICMP echo request in time; ``interface``: sent through this card."""

    def announce(self, *, interface: str, address: str) -> None:
        """The neighbours on the interface have been told which hardware address the address has now."""

    # -- storage ----------------------------------------------------------------------------------
    def disks(self) -> Sequence[Disk]:
        """The disks this node sees, system disk included."""

    def set_disk_online(self, *, disk: str, online: bool) -> None:
        """The disk is online (not persistent over a reboot) and writable, or offline."""

    def reserve_disk(self, *, disk: str, key: str, preempt: str | None) -> None:
        """This node holds the disk's reservation under ``key``.

        SCSI-3, write exclusive, registrants only. ``preempt`` names the key whose reservation is taken away;
        None fails when another key holds it.
        """

    def release_disk(self, *, disk: str, key: str) -> None:
        """``key`` neither holds the disk's reservation nor is registered."""

    def mount(self, *, disk: str, letter: str) -> None:
        """The disk's data volume is reachable at the drive letter ("X:")."""

    def unmount(self, *, letter: str, force: bool) -> None:
        """Data flushed, volume locked and dismounted, letter removed.

        With files open on it: SurfaceError without ``force``, else their handles become invalid.
        """

    # -- services ---------------------------------------------------------------------------------
    def service_state(self, name: str) -> ServiceState:
        """The service's state; absent when it is not installed."""

    # -- IIS --------------------------------------------------------------------------------------
    def iis_configuration(self) -> bytes:
        """The text of the effective applicationHost.config (redirection followed)."""

    def iis_commit(self, changes: Sequence[ConfigChange]) -> None:
        """All the changes are in the configuration in one commit, or none is."""

    def iis_start(self, *, site: str) -> None:
        """The site's state is started; its application pool too."""

    def iis_stop(self, *, site: str) -> None:
        """The site's state is stopped: its listeners are closed. Requests in flight may still run."""

    def iis_stop_pool(self, *, pool: str, timeout_s: float) -> None:
        """The application pool is stopped and its worker processes have ended: they hold no file open any more.

        SurfaceError when they have not ended after ``timeout_s``. ``iis_start`` of a site starts its pool again.
        """

    def iis_recycle_pool(self, *, pool: str) -> None:
        """New requests to the pool go to a new worker process; what the old one works on is not waited for.

        SurfaceError when the pool is stopped.
        """

    def iis_state(self, *, site: str) -> SiteState:
        """The site's run state; NotThereError when it is not configured."""

    def iis_states(self, *, sites: Collection[str]) -> Mapping[str, SiteState]:
        """The run states of those of the sites that are configured, by one look at IIS."""

    def iis_requests(self, *, site: str) -> int:
        """How many requests of the site are being worked on now."""

    def certificates(self, *, store: str) -> Sequence[Certificate]:
        """The machine's certificates in the store ("MY")."""

    def bound_certificate(self, *, site: str, information: str) -> str | None:
        """Thumbprint of the certificate at this https binding ("10.0.0.5:443:www.example.com"), or None."""

    def bind_certificate(self, *, site: str, information: str, thumbprint: str, store: str) -> None:
        """The certificate is bound to the site's https binding in HTTP.sys."""


def open_surface() -> Surface:
    """The surface of this machine.

    On Windows always the real one. Elsewhere the factory that HOLDFAST_SURFACE names ("module:callable");
    only the lab sets it, and without it there is nothing Holdfast could act on.
    """
    if sys.platform == "win32":
        name = f"{__package__}.surface_win32:Win32Surface"
    else:
        name = os.environ.get("HOLDFAST_SURFACE", "")
    if ":" not in name:
        raise RuntimeError("Holdfast runs on Windows only; HOLDFAST_SURFACE names the lab's stand-in elsewhere")
    module, _unused, factory = name.partition(":")
    return cast(Surface, getattr(importlib.import_module(module), factory)())
