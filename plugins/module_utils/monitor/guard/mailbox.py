# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What the guard did, one small file each, until a monitor takes it over into its ledger."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from .. import paths
from ..core.values.events import Note
from ..store.disk import RealDisk
from ..surface import Surface

RECORDS_MAX = 500
"""Beyond this nothing is added: no monitor has come for a long time, and the event log has it too."""

KIND = "guard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Something that the guard did or noticed; ``group`` is empty when it concerns the machine."""

    group: str
    text: str


def post(folder: Path, deed: Deed) -> None:
    """The deed lies in the mailbox. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    if sum(1 for _file in folder.iterdir()) >= RECORDS_MAX:
        return
    moment = datetime.now(timezone.utc).isoformat(timespec="milliseconds")  # noqa: UP017 - read as Python 3.8 by pylint
    record = {"time": moment, "group": deed.group, "text": deed.text}
    disk, name = RealDisk(), f"{time.time_ns():020d}"
    disk.write(folder / f"{name}.new", json.dumps(record).encode())
    disk.replace(folder / f"{name}.new", folder / f"{name}.json")


def collect(surface: Surface) -> list[Note]:
    """What the guard has done since the last call, oldest first; the mailbox is empty then. Blocks. Raises OSError."""
    folder = surface.local_path(paths.GUARD_RECORDS)
    notes = []
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        try:
            record = json.loads(file.read_bytes())
            notes.append(
                Note(kind=KIND, group=record["group"], text=record["text"], fields={"happened": record["time"]})
            )
        except (ValueError, KeyError, TypeError):
            # Torn by a power cut, and nothing that could be told from it.
            notes.append(Note(kind=KIND, group="", text="the guard left a record that cannot be read"))
        file.unlink(missing_ok=True)
    return notes
