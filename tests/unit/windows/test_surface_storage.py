# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The storage part of the Windows surface against an imitation of kernel32.dll with disks that keep reservations.

A disk here answers the very bytes of the controls, by the rules of SPC-4 and of the class driver's source; two nodes
share it. It shows that our commands are right in form and order; arrays and NTFS are for ``holdfast selftest``.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from holdfast.errors import NotThereError, SurfaceError
from holdfast.surface import Disk
from holdfast.surface_win32 import Win32Surface, api, storage
from holdfast.surface_win32 import layout_disk as layout
from holdfast.windows import storage as adapter

ID, KEY_1, KEY_2 = "60003FF44DC75ADC", "00000000000000a1", "00000000000000a2"
BUSY, INVALID_FUNCTION, ACCESS_DENIED, NOT_READY = 170, 1, 5, 21
VOLUME = "\\\\?\\Volume{11111111-2222-3333-4444-555555555555}\\"


@dataclass
class Shared:
    """The disk itself: who is registered under which key, who holds it."""

    registered: dict[str, str] = field(default_factory=dict)
    holder: str | None = None
    aptpl: bool = False


@dataclass
class Node:
    """One node's kernel32.dll, its view of disk 1, its letters."""

    name: str
    shared: Shared
    offline: bool = True
    letters: dict[str, str] = field(default_factory=lambda: {"C:": "system"})
    in_use: bool = False
    error: int = 0
    calls: list[str] = field(default_factory=list)
    handles: dict[int, str] = field(default_factory=dict)
    fail_action: int | None = None
    remembered_letter: str | None = None
    supports_reservations: bool = True
    closed: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.CreateFileW: Any = _Function(self._create)
        self.FindFirstVolumeW: Any = _Function(self._find_first)

    def _create(self, path: Any, access: int, share: int, *rest: Any) -> int | None:
        del access, rest
        assert share == 3
        name = path.value
        letter = name.removeprefix("\\\\.\\")
        known = name.startswith("\\\\.\\PhysicalDrive") or letter in self.letters or name + "\\" == VOLUME
        if not known:
            self.error = 2
            return ctypes.c_void_p(-1).value
        handle = 100 + len(self.handles)
        self.handles[handle] = name
        return handle

    def CloseHandle(self, handle: Any) -> int:  # noqa: N802 - the library's name
        self.closed.append(handle.value)
        return 1

    def DeviceIoControl(  # noqa: N802 - the library's name
        self, handle: Any, code: Any, given: Any, size: int, answer: Any, room: int, length: Any, nothing: Any
    ) -> int:
        assert nothing is None
        raw = b"" if given is None else given.raw[:size]
        try:
            result = _CONTROLS[code.value](self, self.handles[handle.value], raw)
        except OSError as refusal:
            self.error = refusal.errno or 0
            return 0
        assert len(result) <= room or not result
        if result:
            ctypes.memmove(answer, result, len(result))
        length._obj.value = len(result)
        return 1

    def FlushFileBuffers(self, handle: Any) -> int:  # noqa: N802 - the library's name
        self.calls.append(f"flush {self.handles[handle.value]}")
        return 1

    def GetLogicalDrives(self) -> int:  # noqa: N802 - the library's name
        return sum(1 << (ord(letter[0]) - ord("A")) for letter in self.letters)

    def GetDriveTypeW(self, root: Any) -> int:  # noqa: N802 - the library's name
        return 3 if root.value[:2] in self.letters else 1

    def SetVolumeMountPointW(self, root: Any, volume: Any) -> int:  # noqa: N802 - the library's name
        assert volume.value == VOLUME
        if self.remembered_letter:
            self.letters[self.remembered_letter] = "data"
        if root.value[:2] in self.letters:
            self.error = 145
            return 0
        self.letters[root.value[:2]] = "data"
        self.calls.append(f"letter {root.value}")
        return 1

    def DeleteVolumeMountPointW(self, root: Any) -> int:  # noqa: N802 - the library's name
        del self.letters[root.value[:2]]
        self.calls.append(f"no letter {root.value}")
        return 1

    def _find_first(self, name: Any, size: int) -> int:
        assert size == 261
        name.value = "\\\\?\\Volume{system}\\"
        return 7

    def FindNextVolumeW(self, handle: Any, name: Any, size: int) -> int:  # noqa: N802 - the library's name
        assert (handle.value, size) == (7, 261)
        if self.offline or name.value == VOLUME:
            return 0
        name.value = VOLUME
        return 1

    def FindVolumeClose(self, handle: Any) -> int:  # noqa: N802 - the library's name
        assert handle.value == 7
        return 1


class _Function:
    """A function of a library, whose result type may be set."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
        self.restype: Any = None

    def __call__(self, *arguments: Any) -> Any:
        assert self.restype is ctypes.c_void_p, "a handle would be cut to 32 bits"
        return self._call(*arguments)


def _get_attributes(node: Node, path: str, given: bytes) -> bytes:
    assert given == b""
    return struct.pack("<IIQ", 16, 0, int(node.offline and path.endswith("1")))


def _set_attributes(node: Node, path: str, given: bytes) -> bytes:
    assert path.endswith("Drive1")
    version, persist, attributes, mask = struct.unpack("<IB3xQQ16x", given)
    assert version == 40
    assert mask & 1
    node.offline = bool(attributes & 1)
    node.calls.append(f"{'offline' if node.offline else 'online'} persist={persist}")
    if node.offline:
        node.letters = {letter: on for letter, on in node.letters.items() if on != "data"}
    return b""


def _extents(node: Node, path: str, given: bytes) -> bytes:
    assert given == b""
    assert path in (*(f"\\\\.\\{letter}" for letter in node.letters), VOLUME.rstrip("\\"), "\\\\?\\Volume{system}")
    if path == "\\\\.\\C:":
        return struct.pack("<I4xI4xqq", 1, 0, 0, 1 << 30)
    return struct.pack("<I4xI4xqq", 1, 1, 1 << 20, 1 << 40)


def _reserve_in(node: Node, path: str, given: bytes) -> bytes:
    version, size, action, room = struct.unpack("<IIBxH", given)
    assert (version, size, action) == (12, 12, layout.READ_RESERVATION)
    assert room >= 24
    if path.endswith("0") or not node.supports_reservations:
        raise OSError(INVALID_FUNCTION, "no persistent reservations")
    holder = node.shared.holder
    if holder is None:
        return struct.pack(">II", 1, 0)
    return struct.pack(">II8s4xBB2x", 1, 16, bytes.fromhex(holder), 0, 5)


def _reserve_out(node: Node, path: str, given: bytes) -> bytes:
    assert path.endswith("Drive1")
    assert len(given) == 36
    action, kind = given[8], given[9]
    key, other = given[10:18].hex(), given[18:26].hex()
    shared, mine = node.shared, node.shared.registered.get(node.name)
    if action == node.fail_action:
        raise OSError(BUSY, "reservation conflict")
    node.calls.append(
        {1: "reserve", 2: "release", 5: "preempt", 6: "register" if int(other, 16) else "unregister"}[action]
    )
    if action == layout.REGISTER_IGNORE_EXISTING:
        _register(node, other, keep=bool(given[30] & 1))
        return b""
    assert kind == layout.WRITE_EXCLUSIVE_REGISTRANTS
    if mine != key:
        raise OSError(BUSY, "reservation conflict")
    if action == layout.RESERVE:
        if shared.holder not in (None, key):
            raise OSError(BUSY, "reservation conflict")
        shared.holder = key
    elif action == layout.RELEASE:
        shared.holder = None if shared.holder == key else shared.holder
    else:
        shared.registered = {name: k for name, k in shared.registered.items() if k != other}
        shared.holder = key if shared.holder == other else shared.holder
    return b""


def _register(node: Node, key: str, *, keep: bool) -> None:
    before = node.shared.registered.pop(node.name, None)
    if int(key, 16):
        node.shared.registered[node.name] = key
        node.shared.aptpl = keep
    elif node.shared.holder == before:
        node.shared.holder = None


def _lock(node: Node, path: str, given: bytes) -> bytes:
    del path, given
    if node.in_use:
        raise OSError(ACCESS_DENIED, "in use")
    node.calls.append("lock")
    return b""


def _dismount(node: Node, path: str, given: bytes) -> bytes:
    del path, given
    node.calls.append("dismount")
    return b""


def _nothing(node: Node, path: str, given: bytes) -> bytes:
    del node, path, given
    return b""


_CONTROLS: dict[int, Callable[[Node, str, bytes], bytes]] = {
    layout.GET_ATTRIBUTES: _get_attributes,
    layout.SET_ATTRIBUTES: _set_attributes,
    layout.UPDATE_PROPERTIES: _nothing,
    layout.GET_EXTENTS: _extents,
    layout.RESERVE_IN: _reserve_in,
    layout.RESERVE_OUT: _reserve_out,
    layout.LOCK_VOLUME: _lock,
    layout.DISMOUNT_VOLUME: _dismount,
}


class Switch:
    """Two nodes with one disk; ``on(node)`` makes the surface act on that node."""

    def __init__(self) -> None:
        shared = Shared()
        self.shared = shared
        self.n1, self.n2 = Node("n1", shared), Node("n2", shared)
        self.current = self.n1

    def is_free(self) -> bool:
        return self.shared.holder is None and not self.shared.registered

    def on(self, node: Node) -> Win32Surface:
        self.current = node
        return Win32Surface()


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Switch:
    made = Switch()
    rows = [types.SimpleNamespace(UniqueId="system ", Number=0), types.SimpleNamespace(UniqueId=ID, Number=1)]
    service = types.SimpleNamespace(ExecQuery=lambda _query: rows)
    client = types.SimpleNamespace(GetObject=lambda _name: service)
    monkeypatch.setitem(sys.modules, "pywintypes", types.SimpleNamespace(com_error=ArithmeticError))
    monkeypatch.setitem(sys.modules, "win32com", types.SimpleNamespace(client=client))
    monkeypatch.setitem(sys.modules, "win32com.client", client)
    monkeypatch.setattr(api, "use_com", lambda: None)
    monkeypatch.setattr(api, "library", lambda _name: made.current)
    monkeypatch.setattr(ctypes, "FormatError", lambda code: f"error {code}", raising=False)
    monkeypatch.setattr(ctypes, "get_last_error", lambda: made.current.error, raising=False)
    monkeypatch.setattr(storage, "ARRIVAL_S", 0.3)
    return made


def test_disks_are_told_with_state_holder_and_letters(switch: Switch) -> None:
    surface = switch.on(switch.n1)
    assert surface.disks() == [
        Disk(id="system", online=True, read_only=False, holder=None, letters=("C:",)),
        Disk(id=ID, online=False, read_only=False, holder=None, letters=()),
    ]
    surface.reserve_disk(disk=ID, key=KEY_1, preempt=None)
    surface.set_disk_online(disk=ID, online=True)
    surface.mount(disk=ID, letter="X:")
    assert surface.disks()[1] == Disk(id=ID, online=True, read_only=False, holder=KEY_1, letters=("X:",))


def test_a_whole_hand_over_from_node_to_node(switch: Switch) -> None:
    one = adapter.Claim(disk=ID, letter="X:", key=KEY_1)
    two = adapter.Claim(disk=ID, letter="X:", key=KEY_2)
    adapter.hold(switch.on(switch.n1), one)
    with pytest.raises(SurfaceError, match=f"reserved under key {KEY_1}"):
        adapter.hold(switch.on(switch.n2), two)
    adapter.give_up(switch.on(switch.n1), one)
    assert switch.is_free()
    adapter.hold(switch.on(switch.n2), two)
    assert (switch.shared.holder, switch.shared.registered) == (KEY_2, {"n2": KEY_2})
    assert switch.n1.calls == [
        "register", "reserve", "online persist=0", "letter X:\\",
        "flush \\\\.\\X:", "lock", "dismount", "no letter X:\\", "offline persist=1", "release", "unregister",
    ]  # fmt: skip


def test_the_registration_outlives_a_power_loss_of_the_disk(switch: Switch) -> None:
    switch.on(switch.n1).reserve_disk(disk=ID, key=KEY_1, preempt=None)
    assert switch.shared.aptpl


def test_who_is_refused_the_disk_is_not_registered_and_cannot_write(switch: Switch) -> None:
    switch.on(switch.n1).reserve_disk(disk=ID, key=KEY_1, preempt=None)
    with pytest.raises(SurfaceError, match=f"is reserved under key {KEY_1}") as caught:
        switch.on(switch.n2).reserve_disk(disk=ID, key=KEY_2, preempt=None)
    assert caught.value.code == BUSY
    assert switch.shared.registered == {"n1": KEY_1}


def test_who_loses_the_race_for_a_free_disk_does_not_stay_registered(switch: Switch) -> None:
    switch.n2.fail_action = layout.RESERVE
    with pytest.raises(SurfaceError, match=f"reserving {ID}: error 170"):
        switch.on(switch.n2).reserve_disk(disk=ID, key=KEY_2, preempt=None)
    assert switch.shared.registered == {}


def test_a_preempted_node_is_no_longer_registered(switch: Switch) -> None:
    switch.on(switch.n1).reserve_disk(disk=ID, key=KEY_1, preempt=None)
    switch.on(switch.n2).reserve_disk(disk=ID, key=KEY_2, preempt=KEY_1)
    assert (switch.shared.holder, switch.shared.registered) == (KEY_2, {"n2": KEY_2})
    switch.on(switch.n1).release_disk(disk=ID, key=KEY_1)
    assert switch.shared.holder == KEY_2


def test_reserving_and_releasing_may_be_repeated(switch: Switch) -> None:
    surface = switch.on(switch.n1)
    for _ in range(2):
        surface.reserve_disk(disk=ID, key=KEY_1, preempt=None)
    assert switch.shared.holder == KEY_1
    for _ in range(2):
        surface.release_disk(disk=ID, key=KEY_1)
    assert switch.is_free()


def test_a_disk_without_reservations_has_no_holder_and_cannot_be_reserved(switch: Switch) -> None:
    switch.n1.supports_reservations = False
    assert switch.on(switch.n1).disks()[1].holder is None
    with pytest.raises(SurfaceError, match="reading the reservation: error 1"):
        switch.on(switch.n1).reserve_disk(disk=ID, key=KEY_1, preempt=None)


def test_a_volume_in_use_stays_unless_forced(switch: Switch) -> None:
    surface = switch.on(switch.n1)
    surface.set_disk_online(disk=ID, online=True)
    surface.mount(disk=ID, letter="X:")
    switch.n1.in_use = True
    with pytest.raises(SurfaceError, match="locking X:: error 5"):
        surface.unmount(letter="X:", force=False)
    assert "X:" in switch.n1.letters
    surface.unmount(letter="X:", force=True)
    assert "X:" not in switch.n1.letters
    surface.unmount(letter="X:", force=False)


def test_a_letter_that_the_mount_manager_gave_first_is_fine(switch: Switch) -> None:
    surface = switch.on(switch.n1)
    surface.set_disk_online(disk=ID, online=True)
    switch.n1.remembered_letter = "X:"
    surface.mount(disk=ID, letter="X:")
    assert surface.disks()[1].letters == ("X:",)


def test_a_letter_that_something_else_has_is_an_error(switch: Switch) -> None:
    surface = switch.on(switch.n1)
    surface.set_disk_online(disk=ID, online=True)
    with pytest.raises(SurfaceError, match=f"giving C: to .* of disk {ID}: error 145"):
        surface.mount(disk=ID, letter="C:")


def test_a_volume_that_does_not_appear_is_an_error(switch: Switch) -> None:
    with pytest.raises(SurfaceError, match=f"no volume of disk {ID} appeared"):
        switch.on(switch.n1).mount(disk=ID, letter="X:")


def test_a_disk_that_is_not_there_is_named_with_those_that_are(switch: Switch) -> None:
    with pytest.raises(NotThereError, match=f"sees no disk 'nope' .it sees: system, {ID}."):
        switch.on(switch.n1).set_disk_online(disk="nope", online=True)


def test_every_handle_is_closed_after_an_error_too(switch: Switch) -> None:
    surface = switch.on(switch.n1)
    surface.disks()
    switch.shared.holder = KEY_2
    with pytest.raises(SurfaceError, match="reserved under"):
        surface.reserve_disk(disk=ID, key=KEY_1, preempt=None)
    assert switch.n1.closed == list(switch.n1.handles)


def test_a_node_that_takes_over_shuts_the_former_holder_out(switch: Switch) -> None:
    one = adapter.Claim(disk=ID, letter="X:", key=KEY_1)
    two = adapter.Claim(disk=ID, letter="X:", key=KEY_2)
    adapter.hold(switch.on(switch.n1), one)
    adapter.hold(switch.on(switch.n2), two, rivals=[KEY_1])
    assert (switch.shared.holder, switch.shared.registered) == (KEY_2, {"n2": KEY_2})
    assert switch.n2.calls[:2] == ["register", "preempt"]
