# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""State files that tell when they are torn, foreign, too new, or an older copy of themselves.

Every file carries its kind, a format version, the origin (a random name that this node gave itself at its first
write), a serial number and a checksum. A seal in another folder remembers the origin, and of each kind the latest
serial and checksum. A file that is behind its seal was put back from a backup; one with another origin came from
another machine. The seal is written after the file, so it may be behind after a crash; that is no fault.

What is written while clients wait lies in slots (see ``slots``); the rest is replaced as a whole.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..core.wire import codec
from ..errors import StateError
from .disk import Disk, put_durably
from .slots import SlotFile

FORMAT = 1
_CURE = (
    "Stop service Holdfast on this node, see that the other nodes run, run 'holdfast forget-state' here (it sets "
    "the files aside), start the service and run the set-up playbook: this node learns the rest from the others."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What a seal knows of one kind of file."""

    serial: int
    checksum: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What was written last on this node."""

    origin: str
    marks: Mapping[str, Mark]


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A state file's content. ``identity`` says whose it is, ``body`` what it holds."""

    kind: str
    format: int
    origin: str
    serial: int
    identity: Mapping[str, str]
    body: Mapping[str, Any]
    checksum: str = ""

    @property
    def true_checksum(self) -> str:
        """SHA-256 of everything but the checksum."""
        return hashlib.sha256(self._unsealed()).hexdigest()

    def sealed(self) -> tuple[bytes, str]:
        """The line to be written, with its checksum."""
        unsealed = self._unsealed()
        checksum = hashlib.sha256(unsealed).hexdigest()
        return b'{"checksum":"%s",%s\n' % (checksum.encode(), unsealed[1:]), checksum

    def _unsealed(self) -> bytes:
        data = codec.encode(self, Document)
        del data["checksum"]
        return _json(data)


class SealedFiles:
    """The state files of a node in ``folder``, their seal in ``seal``. Used by one thread at a time.

    ``cure`` says what to do about a file that is refused.
    """

    def __init__(self, *, disk: Disk, folder: Path, seal: Path, in_slots: frozenset[str], cure: str = _CURE) -> None:
        self._disk = disk
        self._cure = cure
        self._folder = folder
        self._seal_path = seal
        self._seal = self._read_seal()
        self._slots = {kind: SlotFile(disk, folder / f"{kind}.slots") for kind in in_slots}
        self._serials: dict[str, int] = {}
        self._unsealed: dict[str, Mark] = {}

    def path(self, kind: str) -> Path:
        """Where the file of this kind is."""
        return self._slots[kind].path if kind in self._slots else self._folder / f"{kind}.json"

    def read(self, kind: str) -> Document | None:
        """The file's content; None when this node never wrote one.

        Raises:
            StateError: it is not what this node wrote last.
        """
        document = self._in_slots(kind) if kind in self._slots else self._whole(kind)
        mark = self._seal.marks.get(kind) if self._seal else None
        if document is None:
            if mark is not None:
                raise self.refused(kind, f"it is missing, although this node wrote number {mark.serial} of it")
            return None
        if self._seal is not None and document.origin != self._seal.origin:
            raise self.refused(kind, f"it is of another machine ({_whose(document)})")
        if mark is not None and document.serial < mark.serial:
            found = f"it is an older copy: number {document.serial}, while this node wrote number {mark.serial} last"
            raise self.refused(kind, found)
        if mark is not None and document.serial == mark.serial and document.checksum != mark.checksum:
            raise self.refused(kind, f"it has the number {mark.serial} of what this node wrote, not its content")
        self._serials[kind] = document.serial
        if self._seal is None:
            self._seal = Seal(origin=document.origin, marks={})
        return document

    def write(self, kind: str, *, identity: Mapping[str, str], body: Mapping[str, Any]) -> None:
        """The content is durable when this returns; ``seal`` should follow."""
        if self._seal is None:
            self._seal = Seal(origin=secrets.token_hex(8), marks={})
        before = max(self._serials.get(kind, 0), self._seal.marks[kind].serial if kind in self._seal.marks else 0)
        blank = Document(
            kind=kind,
            format=FORMAT,
            origin=self._seal.origin,
            serial=before + 1,
            identity=identity,
            body=body,
        )
        content, checksum = blank.sealed()
        if kind in self._slots:
            self._slots[kind].write(content)
        else:
            put_durably(self._disk, self.path(kind), content)
        self._serials[kind] = blank.serial
        self._unsealed[kind] = Mark(serial=blank.serial, checksum=checksum)

    def seal(self) -> None:
        """The seal knows everything that was written."""
        if self._seal is None or not self._unsealed:
            return
        seal = Seal(origin=self._seal.origin, marks={**self._seal.marks, **self._unsealed})
        put_durably(self._disk, self._seal_path, _json(codec.encode(seal, Seal)) + b"\n")
        self._seal = seal
        self._unsealed = {}

    def refused(self, kind: str, found: str) -> StateError:
        """What to raise about a file that is not what it should be."""
        return StateError(f"{self.path(kind)} is refused: {found}. {self._cure}")

    def _whole(self, kind: str) -> Document | None:
        content = self._disk.read(self.path(kind))
        return self._parsed(kind, content) if content is not None else None

    def _in_slots(self, kind: str) -> Document | None:
        """The latest of the two slots. One may be torn: it was being written when the power went."""
        slots = self._slots[kind]
        found: dict[int, Document] = {}
        troubles = []
        for number, content in enumerate(slots.read()):
            try:
                found[number] = self._parsed(kind, content)
            except _DamagedError as error:
                troubles.append(error)
        if not found:
            if troubles:
                raise troubles[0]
            return None
        latest = max(found, key=lambda number: found[number].serial)
        slots.keep(latest)
        return found[latest]

    def _parsed(self, kind: str, content: bytes) -> Document:
        try:
            data = json.loads(content)
            written = data.get("format") if isinstance(data, dict) else None
            if isinstance(written, int) and written > FORMAT:
                raise StateError(
                    f"{self.path(kind)} was written by a newer Holdfast (format {written}; this one knows "
                    f"{FORMAT}). Install that version again, with role monitor."
                )
            document = codec.decode(Document, data)
        except (ValueError, RecursionError, codec.CodecError) as error:
            raise self._damaged(kind, f"it is torn or not a state file ({error})") from None
        if document.checksum != document.true_checksum:
            raise self._damaged(kind, "it is torn or was edited: its checksum does not fit")
        if document.kind != kind:
            raise self.refused(kind, f"it is a file of kind {document.kind!r}")
        return document

    def _read_seal(self) -> Seal | None:
        """None when there is none or it cannot be read: the files then speak for themselves."""
        content = self._disk.read(self._seal_path)
        try:
            return codec.decode(Seal, json.loads(content)) if content is not None else None
        except (ValueError, RecursionError, codec.CodecError):
            return None

    def _damaged(self, kind: str, found: str) -> _DamagedError:
        return _DamagedError(*self.refused(kind, found).args)


class _DamagedError(StateError):
    """The content is not what was written; another slot may be."""


def _whose(document: Document) -> str:
    return ", ".join(f"{key} {value}" for key, value in document.identity.items()) or "nobody's"


def _json(data: Any) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
