# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""LabSurface: every primitive of ``holdfast.surface.Surface`` for one node of the lab.

Thin: it translates names and errors; what happens is in netlink, arp, disks, configuration and the lab's IIS.
Error codes are those of Windows, so that the monitor's handling of them is exercised.
"""

from __future__ import annotations

import errno
import json
import os
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from ipaddress import AddressValueError, IPv4Address, IPv4Interface, NetmaskValueError
from pathlib import Path
from typing import Any, BinaryIO, Literal, cast, get_args

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

from . import arp, certificates, netlink, ping, power, shares
from .configfile import commit, read_effective
from .configuration import ConfigurationError
from .control import call
from .disks import DiskError, NoDiskError, Shelf
from .faults import FaultFileError, Faults
from .locks import LockError, locked, replace_text
from .notices import Watch
from .paths import Drives, PathError, normal
from .servicebody import run_until_stopped

SYSTEM_DISK = Disk(id="LAB-SYSTEM-DISK", online=True, read_only=False, holder=None, letters=("C:",))
ACCESS_DENIED, NOT_FOUND, INVALID_PARAMETER, GENERAL_FAILURE = 5, 1168, 87, 31
INVALID_NAME, SEMAPHORE_TIMEOUT, NETWORK_UNREACHABLE, SERVICE_NOT_ACTIVE = 123, 121, 1231, 0x80070426
NOT_STARTED_AS_SERVICE = 1063
"""ERROR_FAILED_SERVICE_CONTROLLER_CONNECT."""
LABEL_MAX = 15
"""Characters of an address label, IFNAMSIZ less the end (linux/if.h)."""
CONTROL_S = 10.0

RESET_EVENT_ID = 1095
ADDRESSES_LOCK = "addresses.lock"
RENEWING_S = 0.02
"""Longer than renewing the addresses of a node takes, as a rule."""
_CODES = {errno.EPERM: ACCESS_DENIED, errno.EACCES: ACCESS_DENIED, errno.ENETDOWN: NETWORK_UNREACHABLE}


class LabSurface:
    """The primitives on one node. Any thread may call; nothing is kept between calls but the boot id."""

    def __init__(self, *, node: Path, disks: Path, boot_id: str | None) -> None:
        if not (node / "C").is_dir():
            raise RuntimeError(f"{node} is no folder of a lab node: it has no C")
        self._node = node.absolute()
        self._disks = disks.absolute()
        self._given_boot_id = boot_id
        self._drives = Drives(root=self._node)
        self._faults = Faults(self._node)

    # -- the machine

    def boot_id(self) -> str:
        with self._doing("boot_id"):
            return self._boot_id

    def monotonic_s(self) -> float:
        # Unlike CLOCK_MONOTONIC it counts on while the machine is suspended, too.
        return time.clock_gettime(time.CLOCK_BOOTTIME)

    def local_path(self, windows_path: str) -> Path:
        with self._doing("local_path"):
            return self._drives.local(windows_path)

    def restrict_to_administrators(self, windows_path: str) -> None:
        with self._doing("restrict_to_administrators", windows_path):
            path = self.local_path(windows_path)
            if not path.exists():
                raise NotThereError("restrict_to_administrators", f"{windows_path} does not exist", 2)
            path.chmod(0o700 if path.is_dir() else 0o600)
            record = self._private / "restricted.json"
            with locked(self._private / "restricted.lock"):
                acl = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
                acl[normal(windows_path).lower()] = "administrators"
                replace_text(record, json.dumps(acl, indent=1) + "\n")

    def exclusive_file(self, *, path: str) -> BinaryIO:
        with self._doing("exclusive_file", path):
            return shares.open_exclusively(self._local_or_shared(path), path)

    def log_event(self, *, event_id: int, level: Literal["info", "warning", "error"], text: str) -> None:
        with self._doing("log_event", str(event_id)):
            moment = datetime.now(UTC).isoformat(timespec="milliseconds")
            line = {"time": moment, "source": "Holdfast", "event_id": event_id, "level": level, "text": text}
            with (self._private / "eventlog.jsonl").open("a", encoding="utf-8") as log:
                log.write(json.dumps(line) + "\n")

    def run_service(self, *, name: str, main: ServiceMain) -> None:
        if os.environ.get("HOLDFAST_STANDIN_SERVICE") != name:
            message = "this process was not started by the service control manager"
            raise SurfaceError("run_service", message, NOT_STARTED_AS_SERVICE)
        run_until_stopped(
            main,
            ready=lambda: self._report(name, state="running"),
            hears_shutdown=lambda: self._report(name, accepts="preshutdown"),
        )

    def raise_priority(self, *, highest: bool) -> None:
        with self._doing("raise_priority"):
            power.raise_priority(highest=highest)

    def reset_machine(self, *, reason: str) -> None:
        with self._doing("reset_machine"):
            self.log_event(event_id=RESET_EVENT_ID, level="error", text=reason)
            power.press_reset()

    def watch(self, on_change: Callable[[Notice], None]) -> Callable[[], None]:
        with self._doing("watch"):
            return Watch(private=self._private, disks=self._disks, tell=on_change).end

    # -- network

    def interfaces(self) -> Sequence[Interface]:
        with self._doing("interfaces"):
            cards = [link for link in netlink.links() if not link.loopback]
            return tuple(Interface(name=card.name, mac=card.mac, up=card.up) for card in cards)

    def addresses(self) -> Sequence[Address]:
        with self._doing("addresses"):
            cards = {link.index: link for link in netlink.links() if not link.loopback}
            found = [one for one in netlink.addresses() if one.index in cards]
            return tuple(_shown(cards[one.index].name, one) for one in found)

    def add_address(
        self, *, interface: str, address: str, prefix_length: int, skip_as_source: bool, lifetime_s: int
    ) -> None:
        with self._doing("add_address", address):
            if not 0 < lifetime_s <= netlink.FOREVER_S:
                raise SurfaceError("add_address", f"{lifetime_s} s is no lifetime", INVALID_PARAMETER)
            label = f"{interface}:s" if skip_as_source else interface
            if len(label) > LABEL_MAX:
                message = f"the name {interface!r} is too long for the lab"
                raise SurfaceError("add_address", message, INVALID_PARAMETER)
            netlink.add(
                index=_index("add_address", interface),
                address=_ipv4("add_address", address, prefix_length),
                label=label,
                lifetime_s=lifetime_s,
            )

    def renew_addresses(self, *, addresses: Collection[str], lifetime_s: int) -> None:
        with self._doing("renew_addresses"), locked(self._private / ADDRESSES_LOCK):
            if not 0 < lifetime_s <= netlink.FOREVER_S:
                raise SurfaceError("renew_addresses", f"{lifetime_s} s is no lifetime", INVALID_PARAMETER)
            netlink.renew({_ipv4("renew_addresses", one, 32).ip for one in addresses}, lifetime_s=lifetime_s)

    def remove_address(self, *, interface: str, address: str) -> None:
        with self._doing("remove_address", address), ExitStack() as lock:
            # One who renews and was stopped in the middle of it must not keep the address up.
            with suppress(LockError):
                lock.enter_context(locked(self._private / ADDRESSES_LOCK, within_s=RENEWING_S))
            wanted = _ipv4("remove_address", address, 32).ip
            netlink.remove(index=_index("remove_address", interface), address=wanted)

    def neighbour(self, *, interface: str, address: str, timeout_s: float) -> str | None:
        with self._doing("neighbour", address):
            link = _link("neighbour", interface)
            target = _ipv4("neighbour", address, 32).ip
            own = [one.address for one in netlink.addresses() if one.index == link.index]
            senders = [one.ip for one in own if target in one.network and one.ip != target]
            mac = arp.ask(
                interface=interface,
                mac=_bytes(link.mac),
                sender=senders[0] if senders else IPv4Address(0),
                target=target,
                timeout_s=timeout_s,
            )
            return None if mac is None else mac.hex(":")

    def ping(self, *, address: str, timeout_s: float, interface: str | None = None) -> bool:
        with self._doing("ping", address):
            if interface is not None:
                _index("ping", interface)
            return ping.answers(_ipv4("ping", address, 32).ip, interface=interface, timeout_s=timeout_s)

    def announce(self, *, interface: str, address: str) -> None:
        with self._doing("announce", address):
            link = _link("announce", interface)
            target = _ipv4("announce", address, 32).ip
            if not any(one.index == link.index and one.address.ip == target for one in netlink.addresses()):
                raise NotThereError("announce", f"{address} is not on {interface}", NOT_FOUND)
            self._announcer.announce(interface=interface, mac=_bytes(link.mac), address=target)

    # -- storage

    def disks(self) -> Sequence[Disk]:
        with self._doing("disks"):
            shared = [
                Disk(id=v.id, online=v.online, read_only=v.read_only, holder=v.holder, letters=v.letters)
                for v in self._shelf.views()
            ]
            return (SYSTEM_DISK, *shared)

    def set_disk_online(self, *, disk: str, online: bool) -> None:
        with self._doing("set_disk_online", disk):
            self._shelf.set_online(disk, online=online)

    def reserve_disk(self, *, disk: str, key: str, preempt: str | None) -> None:
        with self._doing("reserve_disk", disk):
            self._shelf.reserve(disk, key=key, preempt=preempt)

    def release_disk(self, *, disk: str, key: str) -> None:
        with self._doing("release_disk", disk):
            self._shelf.release(disk, key=key)

    def mount(self, *, disk: str, letter: str) -> None:
        with self._doing("mount", disk):
            self._shelf.mount(disk, letter=_letter("mount", letter))

    def unmount(self, *, letter: str, force: bool) -> None:
        with self._doing("unmount", letter):
            self._shelf.unmount(letter=_letter("unmount", letter), force=force)

    # -- services

    def service_state(self, name: str) -> ServiceState:
        with self._doing("service_state", name):
            answer = self._ask("service_state", "scm.sock", {"op": "state", "name": name})
            state = answer.get("state")
            if state not in get_args(ServiceState):
                raise SurfaceError("service_state", f"the service control manager answered {state!r}")
            return cast(ServiceState, state)

    # -- IIS

    def iis_configuration(self) -> bytes:
        with self._doing("iis_configuration"):
            return read_effective(self._drives)

    def iis_commit(self, changes: Sequence[ConfigChange]) -> None:
        with self._doing("iis_commit"):
            if commit(self._drives, self._private, changes):
                self._let_iis_notice()

    def iis_start(self, *, site: str) -> None:
        with self._doing("iis_start", site):
            self._iis("iis_start", {"op": "start", "site": site})

    def iis_stop(self, *, site: str) -> None:
        with self._doing("iis_stop", site):
            self._iis("iis_stop", {"op": "stop", "site": site})

    def iis_stop_pool(self, *, pool: str, timeout_s: float) -> None:
        with self._doing("iis_stop_pool", pool):
            request: dict[str, str | float] = {"op": "stop_pool", "pool": pool, "timeout_s": timeout_s}
            self._iis("iis_stop_pool", request, timeout_s=timeout_s + CONTROL_S)

    def iis_recycle_pool(self, *, pool: str) -> None:
        with self._doing("iis_recycle_pool", pool):
            self._iis("iis_recycle_pool", {"op": "recycle_pool", "pool": pool})

    def iis_state(self, *, site: str) -> SiteState:
        with self._doing("iis_state", site):
            state = self._iis("iis_state", {"op": "state", "site": site})["state"]
            if state not in get_args(SiteState):
                raise SurfaceError("iis_state", f"IIS answered {state!r}")
            return cast(SiteState, state)

    def iis_states(self, *, sites: Collection[str]) -> Mapping[str, SiteState]:
        with self._doing("iis_states"):
            states = {}
            for site in sites:
                with suppress(NotThereError):
                    states[site] = self.iis_state(site=site)
            return states

    def iis_requests(self, *, site: str) -> int:
        with self._doing("iis_requests", site):
            return int(self._iis("iis_requests", {"op": "requests", "site": site})["requests"])

    def certificates(self, *, store: str) -> Sequence[Certificate]:
        with self._doing("certificates", store):
            return tuple(
                Certificate(
                    thumbprint=one.thumbprint,
                    subject=one.subject,
                    not_after=one.not_after,
                    has_private_key=one.has_private_key,
                )
                for one in certificates.read_store(self._node, store)
            )

    def bound_certificate(self, *, site: str, information: str) -> str | None:
        with self._doing("bound_certificate", site):
            request = {"op": "bound_certificate", "site": site, "information": information}
            thumbprint = self._iis("bound_certificate", request)["thumbprint"]
            return None if thumbprint is None else str(thumbprint)

    def bind_certificate(self, *, site: str, information: str, thumbprint: str, store: str) -> None:
        with self._doing("bind_certificate", site):
            request = {"op": "bind_certificate", "site": site, "information": information}
            self._iis("bind_certificate", request | {"thumbprint": thumbprint, "store": store})

    # -- how it is done

    @property
    def _private(self) -> Path:
        return self._node / "standin"

    @cached_property
    def _boot_id(self) -> str:
        if self._given_boot_id:
            return self._given_boot_id
        file = self._private / "boot_id"
        if not file.exists():
            file.write_text(str(uuid.uuid4()), encoding="ascii")
        return file.read_text(encoding="ascii").strip()

    @cached_property
    def _announcer(self) -> arp.Announcer:
        return arp.Announcer()

    @cached_property
    def _shelf(self) -> Shelf:
        return Shelf(folder=self._disks, node_folder=self._node, boot_id=self._boot_id)

    def _iis(
        self, primitive: str, request: Mapping[str, str | float], *, timeout_s: float = CONTROL_S
    ) -> dict[str, Any]:
        try:
            return self._ask(primitive, "iis.sock", request, timeout_s=timeout_s)
        except (FileNotFoundError, ConnectionError) as error:
            message = "the World Wide Web Publishing Service (W3SVC) is not running"
            raise SurfaceError(primitive, message, SERVICE_NOT_ACTIVE) from error

    def _ask(
        self,
        primitive: str,
        socket_name: str,
        request: Mapping[str, str | float],
        *,
        timeout_s: float = CONTROL_S,
    ) -> dict[str, Any]:
        answer = call(self._private / socket_name, request, timeout_s=timeout_s)
        if answer.get("ok") is True:
            return answer
        kind = NotThereError if answer.get("kind") == "not_there" else SurfaceError
        raise kind(primitive, str(answer.get("error", answer)), int(answer.get("code", 0)))

    def _local_or_shared(self, path: str) -> Path:
        return shares.shared(self._node.parent.parent / "shares", path) or self._drives.local(path)

    def _report(self, name: str, **what: str) -> None:
        self._ask("run_service", "scm.sock", {"op": "report", "name": name, **what})

    def _let_iis_notice(self) -> None:
        # As on Windows the file counts: without a running service the change waits for the next start.
        try:
            call(self._private / "iis.sock", {"op": "reload"}, timeout_s=CONTROL_S)
        except (FileNotFoundError, ConnectionError):
            return

    @contextmanager
    def _doing(self, primitive: str, argument: str = "") -> Iterator[None]:
        """The block runs unless a fault stops it, and what goes wrong in it is a SurfaceError."""
        try:
            if primitive != "local_path" and (fault := self._faults.meet(primitive, argument)):
                raise SurfaceError(primitive, fault.fail or "", fault.code)
            yield
        except NoDiskError as error:
            raise NotThereError(primitive, str(error), error.code) from error
        except (DiskError, ConfigurationError) as error:
            raise SurfaceError(primitive, str(error), error.code) from error
        except PathError as error:
            raise SurfaceError(primitive, str(error), INVALID_NAME) from error
        except LockError as error:
            raise SurfaceError(primitive, str(error), SEMAPHORE_TIMEOUT) from error
        except (certificates.CertificateError, FaultFileError, power.NoMachineError, ValueError) as error:
            raise SurfaceError(primitive, str(error)) from error
        except OSError as error:
            code = _CODES.get(error.errno or 0, GENERAL_FAILURE)
            raise SurfaceError(primitive, str(error), code) from error


def _shown(interface: str, one: netlink.LinkAddress) -> Address:
    return Address(
        interface=interface,
        address=str(one.address.ip),
        prefix_length=one.address.network.prefixlen,
        usable=one.usable,
        skip_as_source=one.label == f"{interface}:s",
        lifetime_s=one.lifetime_s,
    )


def _link(primitive: str, interface: str) -> netlink.Link:
    for link in netlink.links():
        if link.name == interface:
            return link
    raise NotThereError(primitive, f"this node has no interface {interface!r}", NOT_FOUND)


def _index(primitive: str, interface: str) -> int:
    try:
        return netlink.index_of(interface)
    except OSError as error:
        raise NotThereError(primitive, f"this node has no interface {interface!r}", NOT_FOUND) from error


def _ipv4(primitive: str, address: str, prefix_length: int) -> IPv4Interface:
    try:
        return IPv4Interface((address, prefix_length))
    except (AddressValueError, NetmaskValueError) as error:
        message = f"{address}/{prefix_length} is not an IPv4 address, and the lab knows no others"
        raise SurfaceError(primitive, message, INVALID_PARAMETER) from error


def _letter(primitive: str, letter: str) -> str:
    if len(letter) == 2 and "A" <= letter[0] <= "Z" and letter[1] == ":":
        return letter
    raise SurfaceError(primitive, f"{letter!r} is no drive letter; write it like 'X:'", INVALID_NAME)


def _bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))
