# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Checks of storage, only with a disk that was named for it."""

from __future__ import annotations

import secrets

from ..errors import SurfaceError
from ..surface import Disk, Surface
from ..windows import storage
from .check import Check, CheckFailedError, Scratch, ScratchDisk, expect, expect_not_there, milliseconds

FILE = r"\holdfast-selftest.txt"
_NO_SUCH_DISK = "HOLDFAST-SELFTEST-NO-SUCH-DISK"


def listing(surface: Surface, scratch: Scratch) -> str:
    """Disks with ids that are different, and the system's drive letter on one of them."""
    found = surface.disks()
    ids = [disk.id for disk in found]
    expect(len(set(ids)) == len(ids), f"two disks have one id: {ids}")
    letters = [letter for disk in found for letter in disk.letters]
    expect("C:" in letters, f"drive C: is on none of the disks {ids}")
    if scratch.disk is not None:
        expect(scratch.disk.disk in ids, f"the named disk {scratch.disk.disk!r} is not among {ids}")
    return "; ".join(_told(disk) for disk in found)


def hand_over(surface: Surface, scratch: Scratch) -> str:
    """Taken, written to, refused while a file is open, given up, taken again; nothing left behind.

    What a second node is refused meanwhile cannot be seen from one node.
    """
    wanted = _disk_of(scratch)
    claim = storage.Claim(disk=wanted.disk, letter=wanted.letter, key=secrets.token_hex(8))
    before = storage.find_disk(surface, wanted.disk)
    if before is None:
        raise CheckFailedError(f"no path leads to disk {wanted.disk!r}")
    expect(not before.online and before.holder is None, f"the disk is in use ({_told(before)}); give an unused one")
    try:
        take_ms = milliseconds(lambda: storage.hold(surface, claim))
        storage.hold(surface, claim)
        path = surface.local_path(wanted.letter + FILE)
        path.write_bytes(b"written behind the reservation")
        _refused_while_open(surface, wanted)
        give_ms = milliseconds(lambda: storage.give_up(surface, claim))
        storage.give_up(surface, claim)
        storage.hold(surface, claim)
        path = surface.local_path(wanted.letter + FILE)
        expect(path.read_bytes() == b"written behind the reservation", "the written file came back different")
        path.unlink()
    finally:
        storage.give_up(surface, claim)
    expect_not_there(
        "setting a disk online that does not exist",
        lambda: surface.set_disk_online(disk=_NO_SUCH_DISK, online=True),
    )
    return f"taken in {take_ms:.0f} ms, given up in {give_ms:.0f} ms"


def _needs_disk(scratch: Scratch) -> str | None:
    return None if scratch.disk is not None else "--disk and --letter"


def _disk_of(scratch: Scratch) -> ScratchDisk:
    if scratch.disk is None:
        raise CheckFailedError("this check was run without a scratch disk")
    return scratch.disk


def _told(disk: Disk) -> str:
    state = "online" if disk.online else "offline"
    held = "not reserved" if disk.holder is None else f"reserved under {disk.holder}"
    return f"{disk.id} {state}, {held}, {' '.join(disk.letters) or 'no letter'}"


def _refused_while_open(surface: Surface, wanted: ScratchDisk) -> None:
    with surface.local_path(wanted.letter + FILE).open("rb"):
        try:
            surface.unmount(letter=wanted.letter, force=False)
        except SurfaceError:
            return
    expect(held=False, otherwise="a volume with an open file was dismounted without force")


CHECKS = (
    Check(
        primitives="disks",
        promise="the disks of this node by their ids",
        source="learn.microsoft.com/windows-hardware/drivers/storage/msft-disk",
        run=listing,
    ),
    Check(
        primitives="reserve_disk, set_disk_online, mount, unmount, release_disk",
        promise="a disk is taken and given up behind its reservation",
        source="learn.microsoft.com/windows-hardware/drivers/ddi/ntddstor/ (persistent reserve), FSCTL_LOCK_VOLUME",
        run=hand_over,
        needs=_needs_disk,
    ),
)
