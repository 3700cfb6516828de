# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Shared disks and the volumes on them: online, reserved, mounted. Disks are found by UniqueId, never by number."""

from __future__ import annotations

import contextlib
import ctypes
import time
from collections.abc import Sequence

from ..errors import NotThereError, SurfaceError
from ..surface import Disk
from . import api
from . import layout_disk as layout

ARRIVAL_S = 15.0
"""How long the volumes of a disk may take to appear after it went online."""

_POLL_S = 0.05
_FIXED_DRIVE = 3
_ROOM = 4096
_PATH_ROOM = 261
_READ_WRITE = api.GENERIC_READ | api.GENERIC_WRITE


class Storage:
    """Primitives of storage."""

    def disks(self) -> Sequence[Disk]:
        """Identity from MSFT_Disk, state from the disk itself (MSFT_Disk is a cached view).

        Source: learn.microsoft.com/en-us/windows-hardware/drivers/storage/msft-disk;
        IOCTL_DISK_GET_DISK_ATTRIBUTES, learn.microsoft.com/en-us/windows/win32/api/winioctl/.
        """
        letters = _letters_by_number()
        found = []
        for unique_id, number in _numbers().items():
            # A disk may have gone since MSFT_Disk listed it; the others are still worth telling.
            with contextlib.suppress(NotThereError):
                found.append(_disk(unique_id, number, letters.get(number, ())))
        return found

    def set_disk_online(self, *, disk: str, online: bool) -> None:
        """Online until the next boot, or offline for good, so that a crashed node comes back with it offline.

        Source: IOCTL_DISK_SET_DISK_ATTRIBUTES and SET_DISK_ATTRIBUTES.Persist, learn.microsoft.com/en-us/windows/
        win32/api/winioctl/ns-winioctl-set_disk_attributes. Unconfirmed: that a persistent OFFLINE survives a
        non-persistent online, which the meaning of Persist says.
        """
        word = "online" if online else "offline"
        with api.device("set_disk_online", _device_path("set_disk_online", disk), _READ_WRITE) as handle:
            packed = layout.pack_attributes(online=online)
            api.control("set_disk_online", f"setting {disk} {word}", handle, layout.SET_ATTRIBUTES, packed)
            api.control("set_disk_online", f"refreshing {disk}", handle, layout.UPDATE_PROPERTIES)

    def reserve_disk(self, *, disk: str, key: str, preempt: str | None) -> None:
        """Registered under the key (kept over a power loss of the disk), then reserved or preempted.

        Whoever is registered may write, so nobody is registered while another key holds the disk, nor after a failure.
        Source: IOCTL_STORAGE_PERSISTENT_RESERVE_OUT, learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntddstor/
        ni-ntddstor-ioctl_storage_persistent_reserve_out; the order is that of ClusterLabs fence_scsi.
        """
        with api.device("reserve_disk", _device_path("reserve_disk", disk), _READ_WRITE) as handle:
            holder = _holder("reserve_disk", handle)
            if holder not in (None, key, preempt):
                message = f"disk {disk} is reserved under key {holder}"
                raise SurfaceError("reserve_disk", message, layout.ERROR_BUSY)
            register = layout.pack_reserve_out(layout.REGISTER_IGNORE_EXISTING, key=layout.NO_KEY, other=key, keep=True)
            api.control("reserve_disk", f"registering at {disk}", handle, layout.RESERVE_OUT, register)
            if holder == key:
                return
            action = layout.RESERVE if holder is None else layout.PREEMPT_ABORT
            taking = layout.pack_reserve_out(action, key=key, other=holder or layout.NO_KEY)
            try:
                api.control("reserve_disk", f"reserving {disk}", handle, layout.RESERVE_OUT, taking)
            except SurfaceError:
                with contextlib.suppress(SurfaceError):
                    _unregister("reserve_disk", handle, disk)
                raise

    def release_disk(self, *, disk: str, key: str) -> None:
        """Released when it was ours, then unregistered; a node that was not registered stays so.

        Source as in ``reserve_disk``. Registering key zero with "ignore existing key" unregisters (SPC-4 table of
        REGISTER AND IGNORE EXISTING KEY).
        """
        with api.device("release_disk", _device_path("release_disk", disk), _READ_WRITE) as handle:
            if _holder("release_disk", handle) == key:
                giving = layout.pack_reserve_out(layout.RELEASE, key=key)
                api.control("release_disk", f"releasing {disk}", handle, layout.RESERVE_OUT, giving)
            _unregister("release_disk", handle, disk)

    def mount(self, *, disk: str, letter: str) -> None:
        """The largest volume of the disk, once it has appeared, has the drive letter.

        Source: SetVolumeMountPointW, learn.microsoft.com/en-us/windows/win32/api/winbase/
        nf-winbase-setvolumemountpointw; FindFirstVolumeW; IOCTL_VOLUME_GET_VOLUME_DISK_EXTENTS.
        """
        number = _number("mount", disk)
        if letter in _letters_by_number().get(number, ()):
            return
        volume = _await_volume(disk, number)
        done = api.library("kernel32").SetVolumeMountPointW(ctypes.c_wchar_p(letter + "\\"), ctypes.c_wchar_p(volume))
        code = 0 if done else api.last_error()
        # The mount manager may have been faster: it remembers the letter that a volume had here.
        if code and letter not in _letters_by_number().get(number, ()):
            api.refused("mount", f"giving {letter} to {volume} of disk {disk}", code)

    def unmount(self, *, letter: str, force: bool) -> None:
        """Flushed, locked (or not, with force), dismounted, the letter taken away; in this order on one handle.

        Source: FSCTL_LOCK_VOLUME and FSCTL_DISMOUNT_VOLUME, learn.microsoft.com/en-us/windows/win32/api/winioctl/
        ni-winioctl-fsctl_lock_volume; FlushFileBuffers on a volume; DeleteVolumeMountPointW.
        """
        kernel = api.library("kernel32")
        if not _is_fixed(letter):
            return
        with api.device("unmount", rf"\\.\{letter}", _READ_WRITE) as handle:
            if not kernel.FlushFileBuffers(ctypes.c_void_p(handle)):
                api.refused("unmount", f"flushing {letter}", api.last_error())
            try:
                api.control("unmount", f"locking {letter}", handle, layout.LOCK_VOLUME)
            except SurfaceError:
                if not force:
                    raise
            api.control("unmount", f"dismounting {letter}", handle, layout.DISMOUNT_VOLUME)
            if not kernel.DeleteVolumeMountPointW(ctypes.c_wchar_p(letter + "\\")):
                api.refused("unmount", f"taking {letter} away", api.last_error())


def _numbers() -> dict[str, int]:
    """UniqueId to number of every disk; the id that Get-Disk shows."""
    api.use_com()
    import pywintypes
    import win32com.client

    try:
        service = win32com.client.GetObject(r"winmgmts:root\Microsoft\Windows\Storage")
        found = service.ExecQuery("SELECT UniqueId, Number FROM MSFT_Disk")
        return {str(each.UniqueId).strip(): int(each.Number) for each in found}
    except pywintypes.com_error as error:
        raise SurfaceError("disks", f"MSFT_Disk cannot be read: {error}", error.args[0]) from error


def _number(primitive: str, disk: str) -> int:
    numbers = _numbers()
    if disk not in numbers:
        raise NotThereError(primitive, f"this node sees no disk {disk!r} (it sees: {', '.join(numbers)})")
    return numbers[disk]


def _device_path(primitive: str, disk: str) -> str:
    return rf"\\.\PhysicalDrive{_number(primitive, disk)}"


def _disk(unique_id: str, number: int, letters: tuple[str, ...]) -> Disk:
    with api.device("disks", rf"\\.\PhysicalDrive{number}", api.GENERIC_READ) as handle:
        raw = api.control("disks", f"reading the state of {unique_id}", handle, layout.GET_ATTRIBUTES, wanted=16)
        online, read_only = layout.read_attributes(raw)
        try:
            holder = _holder("disks", handle)
        except SurfaceError:
            # A disk without persistent reservations, such as the system disk: ERROR_INVALID_FUNCTION or _IO_DEVICE.
            holder = None
    return Disk(id=unique_id, online=online, read_only=read_only, holder=holder, letters=letters)


def _holder(primitive: str, handle: int) -> str | None:
    """IOCTL_STORAGE_PERSISTENT_RESERVE_IN, READ RESERVATION; needs read access to the disk."""
    asking = layout.pack_reserve_in(layout.READ_RESERVATION, _ROOM)
    raw = api.control(primitive, "reading the reservation", handle, layout.RESERVE_IN, asking, _ROOM)
    return layout.read_holder(raw)


def _unregister(primitive: str, handle: int, disk: str) -> None:
    leaving = layout.pack_reserve_out(layout.REGISTER_IGNORE_EXISTING, key=layout.NO_KEY)
    api.control(primitive, f"unregistering from {disk}", handle, layout.RESERVE_OUT, leaving)


def _letters_by_number() -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for letter in _fixed_letters():
        for number in {extent.disk_number for extent in _extents(rf"\\.\{letter}")}:
            found[number] = (*found.get(number, ()), letter)
    return found


def _fixed_letters() -> list[str]:
    bits = api.library("kernel32").GetLogicalDrives()
    letters = [f"{chr(ord('A') + index)}:" for index in range(26) if bits >> index & 1]
    return [letter for letter in letters if _is_fixed(letter)]


def _is_fixed(letter: str) -> bool:
    return int(api.library("kernel32").GetDriveTypeW(ctypes.c_wchar_p(letter + "\\"))) == _FIXED_DRIVE


def _extents(path: str) -> list[layout.Extent]:
    """The disks under a volume; none when it cannot be asked (no medium, just going away)."""
    try:
        with api.device("disks", path, 0) as handle:
            return layout.read_extents(
                api.control("disks", f"reading {path}", handle, layout.GET_EXTENTS, wanted=_ROOM)
            )
    except SurfaceError:
        return []


def _await_volume(disk: str, number: int) -> str:
    deadline_s = time.perf_counter() + ARRIVAL_S
    while time.perf_counter() < deadline_s:
        sizes = {volume: _size_on(volume, number) for volume in _volumes()}
        largest = max(sizes, key=lambda volume: sizes[volume], default="")
        if largest and sizes[largest]:
            return largest
        time.sleep(_POLL_S)
    raise SurfaceError("mount", f"no volume of disk {disk} appeared within {ARRIVAL_S:g} s of its going online")


def _size_on(volume: str, number: int) -> int:
    extents = _extents(volume.rstrip("\\"))
    return sum(extent.length for extent in extents if extent.disk_number == number)


def _volumes() -> list[str]:
    r"""All volume names, ``\\?\Volume{guid}\``."""
    kernel = api.library("kernel32")
    kernel.FindFirstVolumeW.restype = ctypes.c_void_p
    name = ctypes.create_unicode_buffer(_PATH_ROOM)
    handle = kernel.FindFirstVolumeW(name, _PATH_ROOM)
    if handle in (None, ctypes.c_void_p(-1).value):
        api.refused("mount", "listing volumes", api.last_error())
    found = [name.value]
    try:
        while kernel.FindNextVolumeW(ctypes.c_void_p(handle), name, _PATH_ROOM):
            found.append(name.value)
    finally:
        kernel.FindVolumeClose(ctypes.c_void_p(handle))
    return found
