# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One writer at a time for the lab's files, across processes and nodes."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK_S = 5.0
"""A node that is frozen in the middle of a change must not hang the others for good."""


class LockError(Exception):
    """Somebody else had the lock for too long."""


@contextmanager
def locked(file: Path, *, within_s: float = LOCK_S) -> Iterator[None]:
    """The block runs while nobody else is in such a block of the same file. Raises LockError."""
    lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(lock, file, within_s)
        yield
    finally:
        os.close(lock)


def replace_text(file: Path, text: str) -> None:
    """The file has this text; a reader sees the old or the new one, never a part. Call it under a lock."""
    temporary = file.with_name(f".{file.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(file)


def _take(lock: int, file: Path, within_s: float) -> None:
    until_s = time.monotonic() + within_s
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > until_s:
                raise LockError(f"{file} was locked by another program for {within_s:g} s") from None
            time.sleep(0.001)
