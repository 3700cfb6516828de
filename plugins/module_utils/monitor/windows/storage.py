# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A shared disk as content volume: held by one node at a time behind its SCSI-3 reservation.

Rule: nothing is written before the reservation is ours, and the reservation is given back last. The order of
taking is reserve, online, mount; of giving up flush and dismount, offline, release.
Source: SCSI-3 persistent reservations as in ClusterLabs fence_scsi (write exclusive, registrants only).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from dataclasses import dataclass

from ..errors import NotThereError, SurfaceError
from ..surface import Disk, Surface

LOCK_PATIENCE_S = 2.0
"""How long giving up waits for files on the volume to be closed before it dismounts by force.

The site has been stopped and drained before; what still has a file open is a scanner, an indexer, a log.
"""

_LOCK_PAUSE_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A shared disk, the drive letter its volume has, and the reservation key of this node."""

    disk: str
    letter: str
    key: str


def reservation_key(*, cluster: str, node: str) -> str:
    """The node's key, 16 hexadecimal digits (8 bytes); the same on every machine that knows both names.

    Never all zeros, which in SCSI-3 means "not registered" (SPC-4, PERSISTENT RESERVE OUT, reservation key).
    """
    digest = hashlib.sha256(f"holdfast\n{cluster}\n{node}".encode()).hexdigest()[:16]
    return digest if int(digest, 16) else "0000000000000001"


def find_disk(surface: Surface, disk_id: str) -> Disk | None:
    """The disk as this node sees it, or None when no path leads to it."""
    return next((disk for disk in surface.disks() if disk.id == disk_id), None)


def is_held(disk: Disk, claim: Claim) -> bool:
    """Reserved by us, online, writable and mounted at the letter."""
    reserved = disk.holder == claim.key
    return reserved and disk.online and not disk.read_only and claim.letter in disk.letters


def is_given_up(disk: Disk, claim: Claim) -> bool:
    """Not reserved by us, offline and mounted nowhere: nothing here can write to it."""
    return disk.holder != claim.key and not disk.online and not disk.letters


def hold(surface: Surface, claim: Claim, *, rivals: Collection[str] = ()) -> None:
    """The volume is ours and reachable at its letter. Does nothing when it is already.

    The caller may serve the group, so a reservation that a rival (another node of the cluster) left behind when it
    lost power or its path is taken from it, and the rival can no longer write. A stranger's is respected.

    Raises:
        SurfaceError: a stranger holds the reservation, or a step failed; what was done so far stands.
    """
    disk = _existing(surface, claim.disk)
    if is_held(disk, claim):
        return
    _require_free_letter(surface, claim)
    preempt = None if disk.holder in (None, claim.key) else disk.holder
    if preempt is not None and preempt not in rivals:
        message = f"disk {claim.disk!r} is reserved under key {preempt}, which is no node's of this cluster"
        raise SurfaceError("reserve_disk", f"{message}; release it where it is used")
    surface.reserve_disk(disk=claim.disk, key=claim.key, preempt=preempt)
    surface.set_disk_online(disk=claim.disk, online=True)
    surface.mount(disk=claim.disk, letter=claim.letter)
    if not is_held(_existing(surface, claim.disk), claim):
        message = f"disk {claim.disk!r} was mounted at {claim.letter} but is not writable there"
        raise SurfaceError("mount", message)


def give_up(surface: Surface, claim: Claim, *, patience_s: float = LOCK_PATIENCE_S) -> None:
    """The volume is flushed and dismounted, the disk offline, our reservation gone: read back.

    ``patience_s``: how long files on the volume have for being closed before it is dismounted by force.

    A disk that no path leads to counts as given up: nothing here can write to it, and whoever takes it next takes
    our reservation away, so that nothing can when the path is back.
    """
    disk = find_disk(surface, claim.disk)
    if disk is None:
        return
    for letter in disk.letters:
        _dismount(surface, letter, patience_s)
    if disk.online:
        surface.set_disk_online(disk=claim.disk, online=False)
    surface.release_disk(disk=claim.disk, key=claim.key)
    left = _existing(surface, claim.disk)
    if not is_given_up(left, claim):
        state = f"online: {left.online}, letters: {list(left.letters)}, held by: {left.holder}"
        raise SurfaceError("release_disk", f"disk {claim.disk!r} was given up but is still in use ({state})")


def letter_user(surface: Surface, claim: Claim) -> str | None:
    """The id of another disk that has the drive letter here, or None."""
    return next((d.id for d in surface.disks() if claim.letter in d.letters and d.id != claim.disk), None)


def _dismount(surface: Surface, letter: str, patience_s: float) -> None:
    """Dismounted: in agreement with all users within the patience, after that against them."""
    deadline_s = surface.monotonic_s() + patience_s
    while surface.monotonic_s() < deadline_s:
        try:
            surface.unmount(letter=letter, force=False)
        except NotThereError:
            return
        except SurfaceError:
            time.sleep(_LOCK_PAUSE_S)
        else:
            return
    surface.unmount(letter=letter, force=True)


def _require_free_letter(surface: Surface, claim: Claim) -> None:
    user = letter_user(surface, claim)
    if user is not None:
        message = f"drive letter {claim.letter} is used by disk {user!r} on this node"
        raise SurfaceError("mount", f"{message}; free it or give the volume another letter on all nodes")


def _existing(surface: Surface, disk_id: str) -> Disk:
    disk = find_disk(surface, disk_id)
    if disk is None:
        message = f"no path leads to disk {disk_id!r} from this node"
        raise NotThereError("disks", f"{message}; check its cabling, zoning or iSCSI session")
    return disk
