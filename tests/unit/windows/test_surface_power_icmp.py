# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reset, priority, ping and notices of the Windows surface against imitations of the system's libraries.

The imitations check what they are given as the pages of the functions say. What a real system does with it is for
``holdfast selftest``, and for a person with a machine that serves nothing.
"""

from __future__ import annotations

import ctypes
import struct
import threading
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from holdfast.errors import NotThereError, SurfaceError
from holdfast.surface import Address, Notice
from holdfast.surface_win32 import Win32Surface, api, icmp, notices, power

DENIED = -1073741790
"""STATUS_ACCESS_DENIED."""


class System:
    """ntdll, kernel32 and advapi32 as far as a reset needs them. ``done``: what was called, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.kernel_restarts: Callable[[], int] = lambda: DENIED
        self.may_be_critical = True
        self.in_order = 1

    def RtlAdjustPrivilege(self, privilege: int, enable: int, thread: int, before: Any) -> int:  # noqa: N802 - the library's name
        assert (enable, thread, before._obj.value) == (1, 0, 0)
        self.done.append(f"privilege {privilege}")
        return 0

    def NtShutdownSystem(self, action: int) -> int:  # noqa: N802 - the library's name
        self.done.append(f"NtShutdownSystem {action}")
        return self.kernel_restarts()

    def RtlSetProcessIsCritical(self, new: int, old: None, check: int) -> int:  # noqa: N802 - the library's name
        assert (new, old, check) == (1, None, 0)
        self.done.append("critical")
        return 0 if self.may_be_critical else DENIED

    def TerminateProcess(self, process: ctypes.c_void_p, code: int) -> int:  # noqa: N802 - the library's name
        assert process.value == ctypes.c_void_p(-1).value
        self.done.append(f"TerminateProcess {code}")
        return 1

    def InitiateSystemShutdownExW(  # noqa: N802 - the library's name
        self, machine: None, message: Any, timeout_s: int, force: int, reboot: int, reason: int
    ) -> int:
        assert (machine, timeout_s, force, reboot, reason) == (None, 0, 1, 1, 0x80000000)
        self.done.append(f"restart: {message.value}")
        return self.in_order

    def SetPriorityClass(self, process: ctypes.c_void_p, kind: int) -> int:  # noqa: N802 - the library's name
        assert process.value == ctypes.c_void_p(-1).value
        self.done.append(f"priority {kind:#x}")
        return self.in_order


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    made = System()
    monkeypatch.setattr(api, "library", lambda _name: made)
    monkeypatch.setattr(api, "last_error", lambda: 5)
    monkeypatch.setattr(ctypes, "FormatError", lambda code: f"error {code}", raising=False)
    monkeypatch.setattr(power, "RESTART_S", 0.1)
    return made


def test_the_priority_is_raised_or_it_is_said_why_not(system: System) -> None:
    Win32Surface().raise_priority(highest=True)
    Win32Surface().raise_priority(highest=False)
    assert system.done == ["priority 0x80", "priority 0x8000"]
    system.in_order = 0
    with pytest.raises(SurfaceError, match="raising the priority of this process: error 5"):
        Win32Surface().raise_priority(highest=True)


HANGS_S = 5.0


def _hang() -> int:
    time.sleep(HANGS_S)
    return 0


@pytest.mark.parametrize("restarts", [lambda: DENIED, _hang], ids=["refused", "hangs"])
def test_a_kernel_that_does_not_restart_is_crashed(system: System, restarts: Callable[[], int]) -> None:
    system.kernel_restarts = restarts
    began_s = time.monotonic()
    Win32Surface().reset_machine(reason="shop")
    assert time.monotonic() - began_s < HANGS_S
    assert system.done[:5] == [
        "privilege 19", "NtShutdownSystem 1", "privilege 20", "critical", "TerminateProcess 1",
    ]  # fmt: skip


def test_a_process_that_may_not_crash_the_machine_restarts_it_in_order_or_says_that_it_cannot(system: System) -> None:
    system.may_be_critical = False
    Win32Surface().reset_machine(reason="shop is still up")
    assert system.done[-2:] == ["critical", "restart: shop is still up"]
    system.in_order = 0
    with pytest.raises(SurfaceError, match="restarting this machine: error 5"):
        Win32Surface().reset_machine(reason="shop")


class Answering:
    """iphlpapi.dll's ICMP: who answers, and what it was asked with."""

    def __init__(self) -> None:
        self.answering = {"10.77.0.1", "fd00::1"}
        self.status = 0
        self.asked: list[tuple[str, str, int]] = []
        self.open = 0
        self.IcmpCreateFile = self._create
        self.Icmp6CreateFile = self._create

    def _create(self) -> int:
        self.open += 1
        return 7

    # ctypes sets restype on a function; here it is just another attribute.
    def __getattribute__(self, name: str) -> Any:
        found = object.__getattribute__(self, name)
        return _Callable(found) if name in ("IcmpCreateFile", "Icmp6CreateFile") else found

    def IcmpCloseHandle(self, handle: ctypes.c_void_p) -> int:  # noqa: N802 - the library's name
        assert handle.value == 7
        self.open -= 1
        return 1

    def IcmpSendEcho2Ex(self, handle: Any, *rest: Any) -> int:  # noqa: N802 - the library's name
        source, target = (str(IPv4Address(struct.pack("<I", one.value))) for one in rest[3:5])
        return self._answer(handle, source, target, rest[5:], at=4)

    def Icmp6SendEcho2(self, handle: Any, *rest: Any) -> int:  # noqa: N802 - the library's name
        source, target = (str(IPv6Address(one.raw[8:24])) for one in rest[3:5])
        return self._answer(handle, source, target, rest[5:], at=28)

    def _answer(self, handle: Any, source: str, target: str, rest: tuple[Any, ...], *, at: int) -> int:
        data, size, options, reply, room, timeout_ms = rest
        assert (handle.value, data, size, options) == (7, b"holdfast", 8, None)
        assert room == icmp.ROOM
        self.asked.append((source, target, timeout_ms))
        reply[at : at + 4] = self.status.to_bytes(4, "little")
        return 1 if target in self.answering else 0


class _Callable:
    def __init__(self, function: Callable[[], int]) -> None:
        self._function = function
        self.restype: Any = None

    def __call__(self) -> int:
        return self._function()


def _own(interface: str, address: str, *, skip: bool) -> Address:
    return Address(
        interface=interface, address=address, prefix_length=24, usable=True, skip_as_source=skip, lifetime_s=9
    )


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    made = Answering()
    monkeypatch.setattr(api, "library", {"iphlpapi": made}.__getitem__)
    own = [
        _own("LAN", "10.77.0.113", skip=True),
        _own("LAN", "10.77.0.11", skip=False),
        _own("LAN 2", "10.77.0.21", skip=False),
        _own("LAN", "fd00::11", skip=False),
    ]
    monkeypatch.setattr(Win32Surface, "addresses", lambda _self: own)
    return made


def test_who_answers_a_ping_and_who_does_not(answering: Answering) -> None:
    surface = Win32Surface()
    assert surface.ping(address="10.77.0.1", timeout_s=0.5)
    assert surface.ping(address="fd00::1", timeout_s=0.25)
    assert not surface.ping(address="10.77.0.2", timeout_s=0.5)
    answering.status = 11003
    assert not surface.ping(address="10.77.0.1", timeout_s=0.5), "destination host unreachable is no answer"
    assert answering.asked[:2] == [("0.0.0.0", "10.77.0.1", 500), ("::", "fd00::1", 250)]
    assert answering.open == 0


def test_a_ping_through_a_card_is_sent_from_the_machines_own_address_there(answering: Answering) -> None:
    surface = Win32Surface()
    surface.ping(address="10.77.0.1", timeout_s=0.5, interface="LAN")
    surface.ping(address="10.77.0.1", timeout_s=0.5, interface="LAN 2")
    surface.ping(address="fd00::1", timeout_s=0.5, interface="LAN")
    assert [source for source, _target, _timeout in answering.asked] == ["10.77.0.11", "10.77.0.21", "fd00::11"]
    with pytest.raises(NotThereError, match="interface 'LAN 3' has no address of IP version 4"):
        surface.ping(address="10.77.0.1", timeout_s=0.5, interface="LAN 3")


class Telling:
    """iphlpapi.dll, advapi32.dll and kernel32.dll as far as notices need them; a test fires what was registered."""

    def __init__(self) -> None:
        self.network: dict[str, Any] = {}
        self.cancelled = 0
        self.services: dict[int, Any] = {}
        self.drives = 0b100
        self.names: dict[int, str] = {}
        self.opened = 0
        self.OpenSCManagerW = _Opening(self, absent=())
        self.OpenServiceW = _Opening(self, absent=("WAS",))

    def _register(self, function: str, family: Any, callback: Any, initial: int) -> int:
        assert (family.value, initial) == (0, 0)
        self.network[function] = callback
        return 0

    def NotifyUnicastIpAddressChange(  # noqa: N802 - the library's name
        self, family: Any, callback: Any, _context: None, initial: int, _handle: Any
    ) -> int:
        return self._register("address", family, callback, initial)

    def NotifyIpInterfaceChange(  # noqa: N802 - the library's name
        self, family: Any, callback: Any, _context: None, initial: int, _handle: Any
    ) -> int:
        return self._register("interface", family, callback, initial)

    def CancelMibChangeNotify2(self, _handle: Any) -> int:  # noqa: N802 - the library's name
        self.cancelled += 1
        return 0

    def NotifyServiceStatusChangeW(self, service: Any, mask: Any, notify: Any) -> int:  # noqa: N802 - the library's name
        assert (mask.value, notify._obj.version) == (0x7F, 2)
        self.services[service.value] = notify._obj
        return 0

    def CloseServiceHandle(self, _handle: Any) -> int:  # noqa: N802 - the library's name
        self.opened -= 1
        return 1

    def SleepEx(self, milliseconds: int, alertable: int) -> int:  # noqa: N802 - the library's name
        assert alertable == 1
        for handle, notify in list(self.services.items()):
            if self.names.get(handle) == f"fire {threading.current_thread().name}":
                del self.names[handle]
                notify.callback(None)
                return 0xC0
        time.sleep(min(milliseconds, 5) / 1000)
        return 0

    def GetLogicalDrives(self) -> int:  # noqa: N802 - the library's name
        return self.drives


class _Opening:
    def __init__(self, system: Telling, absent: tuple[str, ...]) -> None:
        self._system = system
        self._absent = absent
        self.restype: Any = None

    def __call__(self, *given: Any) -> int | None:
        name = getattr(given[1], "value", None)
        if name in self._absent:
            return None
        self._system.opened += 1
        return 40 if name is None else 50


def _wait(reached: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 5
    while not reached():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_what_changes_is_told_by_kind_and_nothing_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    system, states = Telling(), {"site shop": "started"}
    told: list[Notice] = []
    monkeypatch.setattr(api, "library", lambda _name: system)
    monkeypatch.setattr(notices, "LOOK_S", 0.01)
    monkeypatch.setattr(notices, "AGAIN_S", 0.01)
    monkeypatch.setattr(notices, "_sites", lambda: (1.0, dict(states)))
    end = Win32Surface().watch(told.append)
    try:
        address, interface = system.network["address"], system.network["interface"]
        address(None, None, notices.MIB_INITIAL_NOTIFICATION)
        assert told == []
        for kind in (1, 2):
            address(None, None, kind)
        assert told == ["network"] * 2
        for _renewal in range(5):
            address(None, None, notices.MIB_PARAMETER_NOTIFICATION)
            interface(None, None, notices.MIB_PARAMETER_NOTIFICATION)
        assert told == ["network"] * 3, "changed parameters are told once in a while"

        _wait(lambda: 50 in system.services)
        system.names[50] = "fire watch W3SVC"
        _wait(lambda: 50 not in system.names)
        time.sleep(0.05)
        assert "service" not in told, "the first notice is the state that the service has"
        system.names[50] = "fire watch W3SVC"
        _wait(lambda: "service" in told)

        states["site shop"] = "stopped"
        _wait(lambda: "iis" in told)
        system.drives |= 1 << 23
        _wait(lambda: "disk" in told)
    finally:
        end()
    seen = list(told)
    system.network["address"](None, None, 1)
    states["site shop"] = "started"
    time.sleep(0.1)
    assert told == seen
    assert system.cancelled == 2
    _wait(lambda: system.opened == 0)


def test_the_structure_for_service_notices_is_that_of_the_header() -> None:
    at = {name: getattr(notices.ServiceNotify, name).offset for name, *_type in notices.ServiceNotify._fields_}
    assert at == {
        "version": 0, "callback": 8, "context": 16, "status": 24, "service_status": 28, "triggered": 64, "names": 72,
    }  # fmt: skip
    assert ctypes.sizeof(notices.ServiceNotify) == 80
