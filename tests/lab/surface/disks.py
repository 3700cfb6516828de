# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's shared disks: folders with the reservation of SCSI-3 "write exclusive, registrants only".

    disks/<id>/content/       the files
    disks/<id>/paths/<node>   a link to ../content: this node's way to the files while it may write
    disks/<id>/state.json     {"registrations": {key: node}, "holder": key | null,
                               "online": {node: boot id}, "mounts": {node: "X:"}}

A drive letter is a link ``<node folder>/X`` to ``paths/<node>``. Rule: while a key holds the disk, nodes without a
registration have no link in ``paths``, so a victim of a preempt cannot write through its letter, although the node
that preempts cannot reach the victim's folder. A file that was open before stays open: that the lab cannot take.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .locks import locked, replace_text
from .openfiles import users_of

ACCESS_DENIED, WRITE_PROTECTED, INVALID_PARAMETER, BUSY = 5, 19, 87, 170
NOT_FOUND, PATH_IN_USE, DISK_OFFLINE = 1168, 42002, 41003


class DiskError(Exception):
    """The disk refuses; ``code`` is the error number that Windows would give."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class NoDiskError(DiskError):
    """The node sees no such disk."""


@dataclass(slots=True, kw_only=True)
class State:
    """The contents of state.json, changed only under the disk's lock."""

    registrations: dict[str, str] = field(default_factory=dict)
    holder: str | None = None
    online: dict[str, str] = field(default_factory=dict)
    mounts: dict[str, str] = field(default_factory=dict)

    def may_write(self, node: str) -> bool:
        """Nobody holds the disk, or the node is registered."""
        return self.holder is None or node in self.registrations.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A disk as one node sees it."""

    id: str
    online: bool
    read_only: bool
    holder: str | None
    letters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The shared disks from the point of view of one node during one boot."""

    folder: Path
    node_folder: Path
    boot_id: str

    @property
    def node(self) -> str:
        """The node's name."""
        return self.node_folder.name

    def views(self) -> Sequence[View]:
        """All shared disks this node has a path to, by id."""
        if not self.folder.is_dir():
            return ()
        return tuple(self._view(disk) for disk in sorted(self.folder.iterdir()) if (disk / "content").is_dir())

    def set_online(self, disk_id: str, *, online: bool) -> None:
        """The disk is online during this boot, or offline without a letter. Raises DiskError."""
        disk = self._disk(disk_id)
        with changing(disk) as state:
            if online and not state.may_write(self.node):
                raise DiskError(f"the key {state.holder!r} holds the disk and this node is not registered", BUSY)
            if online:
                state.online[self.node] = self.boot_id
            else:
                state.online.pop(self.node, None)
                self._forget_mount(disk, state)
        if not online:
            for letter in self._letters(disk):
                (self.node_folder / letter).unlink(missing_ok=True)

    def reserve(self, disk_id: str, *, key: str, preempt: str | None) -> None:
        """This node holds the disk under ``key``; nodes that are not registered have lost their way to it.

        Raises DiskError (BUSY) and changes nothing when a key other than ``preempt`` holds it.
        """
        disk = self._disk(disk_id)
        if not key:
            raise DiskError("the reservation key must not be empty", INVALID_PARAMETER)
        with changing(disk) as state:
            if state.registrations.get(key, self.node) != self.node:
                raise DiskError(f"the key {key!r} belongs to node {state.registrations[key]}", INVALID_PARAMETER)
            own = {one for one, node in state.registrations.items() if node == self.node} | {key}
            if state.holder not in {None, preempt, *own}:
                raise DiskError(f"reservation conflict: the key {state.holder!r} holds the disk", BUSY)
            for gone in (own | {preempt}) - {key, None}:
                state.registrations.pop(str(gone), None)
            state.registrations[key] = self.node
            state.holder = key
            _shut_out(disk, state)

    def release(self, disk_id: str, *, key: str) -> None:
        """The key neither holds the disk nor is registered. Raises DiskError when it is another node's."""
        disk = self._disk(disk_id)
        with changing(disk) as state:
            owner = state.registrations.get(key, self.node)
            if owner != self.node:
                raise DiskError(f"reservation conflict: the key {key!r} belongs to node {owner}", BUSY)
            state.registrations.pop(key, None)
            if state.holder == key:
                state.holder = None
            _shut_out(disk, state)

    def mount(self, disk_id: str, *, letter: str) -> None:
        """The disk's files are at the letter. Raises DiskError when it is offline, not ours, or the letter taken."""
        disk = self._disk(disk_id)
        link, way = self.node_folder / letter[0], disk / "paths" / self.node
        if link.is_symlink() or link.exists():
            if not link.is_symlink() or Path(os.readlink(link)) != way:
                raise DiskError(f"the drive letter {letter} is in use", PATH_IN_USE)
        elif others := self._letters(disk):
            raise DiskError(f"the volume has the drive letter {others[0]}: already", PATH_IN_USE)
        with changing(disk) as state:
            if state.online.get(self.node) != self.boot_id:
                raise DiskError("the disk is offline", DISK_OFFLINE)
            if not state.may_write(self.node):
                raise DiskError(f"the key {state.holder!r} holds the disk: write protected", WRITE_PROTECTED)
            way.parent.mkdir(exist_ok=True)
            if not way.is_symlink():
                way.symlink_to("../content")
            state.mounts[self.node] = letter
        if not link.is_symlink():
            link.symlink_to(way)

    def unmount(self, *, letter: str, force: bool) -> None:
        """The letter leads nowhere any more. Raises DiskError while programs use files on it, unless forced."""
        link = self.node_folder / letter[0]
        if not link.is_symlink():
            if link.exists():
                raise DiskError(f"{letter} is the system's own volume", ACCESS_DENIED)
            return
        disk = Path(os.readlink(link)).parent.parent
        if not force and (users := users_of(disk / "content")):
            raise DiskError(f"files on {letter} are open: {', '.join(users[:3])}", ACCESS_DENIED)
        link.unlink(missing_ok=True)
        if disk.is_dir():
            with changing(disk) as state:
                self._forget_mount(disk, state)

    def _disk(self, disk_id: str) -> Path:
        disk = self.folder / disk_id
        if disk_id in ("", ".", "..") or "/" in disk_id or not (disk / "content").is_dir():
            raise NoDiskError(f"this node sees no disk with the id {disk_id!r}", NOT_FOUND)
        return disk

    def _view(self, disk: Path) -> View:
        state = read_state(disk)
        return View(
            id=disk.name,
            online=state.online.get(self.node) == self.boot_id,
            read_only=not state.may_write(self.node),
            holder=state.holder,
            letters=tuple(f"{letter}:" for letter in self._letters(disk)),
        )

    def _letters(self, disk: Path) -> list[str]:
        way = str(disk / "paths" / self.node)
        with os.scandir(self.node_folder) as entries:
            links = [entry for entry in entries if len(entry.name) == 1 and entry.is_symlink()]
        return sorted(link.name for link in links if os.readlink(link.path) == way)

    def _forget_mount(self, disk: Path, state: State) -> None:
        state.mounts.pop(self.node, None)
        (disk / "paths" / self.node).unlink(missing_ok=True)


def create(disk: Path) -> None:
    """An empty disk that nobody has reserved is there."""
    (disk / "content").mkdir(parents=True, exist_ok=True)
    (disk / "paths").mkdir(exist_ok=True)
    if not (disk / "state.json").exists():
        (disk / "state.json").write_text("{}\n", encoding="utf-8")


def power_off(folder: Path, *, node: str) -> None:
    """What a node that lost power leaves behind: its reservation and registration, but nothing mounted or online."""
    for disk in sorted(folder.iterdir()):
        if (disk / "content").is_dir():
            with changing(disk) as state:
                state.online.pop(node, None)
                state.mounts.pop(node, None)
                (disk / "paths" / node).unlink(missing_ok=True)


def writers(disk: Path) -> set[str]:
    """The nodes that have a way to the disk's files now, asked of the file system alone (for oracles)."""
    with suppress(FileNotFoundError):
        return {way.name for way in (disk / "paths").iterdir()}
    return set()


def read_state(disk: Path) -> State:
    """The disk's state. Raises DiskError when the file is not one."""
    try:
        return State(**json.loads((disk / "state.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return State()
    except (ValueError, TypeError) as error:
        raise DiskError(f"{disk.name}/state.json is damaged: {error}", INVALID_PARAMETER) from error


@contextmanager
def changing(disk: Path) -> Iterator[State]:
    """The disk's state under its lock; what was changed is written when the block ends without an error."""
    with locked(disk / "lock"):
        state = read_state(disk)
        before = asdict(state)
        yield state
        if asdict(state) != before:
            replace_text(disk / "state.json", json.dumps(asdict(state)) + "\n")


def _shut_out(disk: Path, state: State) -> None:
    for node in writers(disk):
        if not state.may_write(node):
            (disk / "paths" / node).unlink(missing_ok=True)
            state.mounts.pop(node, None)
