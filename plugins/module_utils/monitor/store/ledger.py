# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The history of a node: one JSON record per line, appended, bounded by rotation.

Not synced: after a power cut the last records may be missing or the last line torn, and reading skips what is
no record. What must survive is in the registers. Blocking; appended to by one thread.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LEDGER_BYTES_MAX = 4 * 1024 * 1024
"""When the file is larger it becomes the older one, and the older one before it goes: 8 MB at most."""


class Ledger:
    """The records in ``path`` and, older, beside it."""

    def __init__(self, path: Path, bytes_max: int = LEDGER_BYTES_MAX) -> None:
        self._path = path
        self._older = path.with_name(f"{path.stem}.1{path.suffix}")
        self._bytes_max = bytes_max
        path.parent.mkdir(parents=True, exist_ok=True)

    def append(self, record: Mapping[str, Any]) -> None:
        """The record is the last one.

        Raises:
            OSError: it could not be written.
        """
        line = json.dumps(record, separators=(",", ":"), default=str).encode("ascii") + b"\n"
        with self._path.open("ab") as file:
            if file.tell() and self._torn():
                file.write(b"\n")
            file.write(line)
            size = file.tell()
        if size > self._bytes_max:
            os.replace(self._path, self._older)

    def last(self, limit: int) -> list[dict[str, Any]]:
        """The latest records, oldest first, at most ``limit``."""
        records = list(_records(self._path))
        if len(records) < limit:
            records = [*_records(self._older), *records]
        return records[-limit:] if limit > 0 else []

    def _torn(self) -> bool:
        """Whether the last line has no end, because a power cut came in between."""
        with self._path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) != b"\n"


def _records(path: Path) -> Iterator[dict[str, Any]]:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return
    for line in content.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record
