# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A file on an SMB share as the store of an arbiter.

The file is opened so that nobody else has it open, read, compared, written through and closed, and never held: a dead
node's open file may linger on the server for minutes. There is no watch; the file is read every second, and with every
renewal. A share that hangs costs one thread.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from ..core.values.model import Share
from ..core.values.records import Answer, Operation
from ..errors import SurfaceError
from ..surface import Surface
from . import share_file
from .port import InThread, Surroundings
from .stored import StoredArbiter, StoreError, stored_arbiter

OPERATION_S = 2.0
"""An operation is waited for so long; one that hangs may take effect later, as with any store."""
SHARING_VIOLATION = 32
OPEN_TRIES = 60
OPEN_PAUSE_S = 0.02
"""While another node has the file, which it does for some milliseconds; together less than OPERATION_S."""


def open_share(arbiter: Share, around: Surroundings) -> StoredArbiter:
    """The client; nothing is opened before it is first used."""
    name = around.config.cluster.name
    store = ShareStore(arbiter, cluster=name, surface=around.surface, in_thread=around.in_thread)
    return stored_arbiter(store, around)


class ShareStore:
    """A Store."""

    kind = "share"

    def __init__(self, arbiter: Share, *, cluster: str, surface: Surface, in_thread: InThread) -> None:
        self._path = rf"{arbiter.path.rstrip(chr(92))}\holdfast-{cluster}.records"
        self._cluster = cluster
        self._surface = surface
        self._in_thread = in_thread
        self._id = ""
        self._revision = 0
        self._running: asyncio.Future[Answer] | None = None

    async def carry_out(self, operation: Operation) -> Answer:
        """The answer of the file."""
        if self._running is not None and not self._running.done():
            raise StoreError(f"{self._path}: an earlier operation on the share still hangs")
        self._running = asyncio.ensure_future(self._in_thread(lambda: self._work(operation)))
        done, _late = await asyncio.wait([self._running], timeout=OPERATION_S)
        if not done:
            # What becomes of it does not matter any more, but it must not be complained of either.
            self._running.add_done_callback(lambda task: task.cancelled() or task.exception())
            raise StoreError(f"{self._path}: no answer within {OPERATION_S:g} s")
        return self._running.result()

    async def watch(self, on_seen: Callable[[Answer], None]) -> None:
        """A share tells of nothing."""
        del on_seen

    def details(self) -> Mapping[str, Any]:
        """What people are shown besides."""
        return {"file": self._path, "revision": self._revision}

    async def close(self) -> None:
        """Nothing is held between operations."""

    def _work(self, operation: Operation) -> Answer:
        """In a thread."""
        try:
            with self._open() as file:
                content = share_file.read(file, cluster=self._cluster, fresh_id=uuid.uuid4().hex)
                self._check(content)
                content, answer = share_file.carry_out(file, content, operation)
        except (OSError, SurfaceError) as error:
            raise StoreError(f"{self._path}: {error}") from None
        except StoreError as error:
            raise StoreError(f"{self._path}: {error}") from None
        self._revision = content.revision
        self._id = content.id if content.revision else ""
        return answer

    def _open(self) -> Any:
        for tries_left in reversed(range(OPEN_TRIES)):
            try:
                return self._surface.exclusive_file(path=self._path)
            except SurfaceError as error:
                if error.code != SHARING_VIOLATION or not tries_left:
                    raise
                time.sleep(OPEN_PAUSE_S)
        raise StoreError("it is in use")

    def _check(self, content: share_file.Content) -> None:
        """The file is the one that was seen first, and not an older copy of it."""
        if self._id and content.id != self._id:
            raise StoreError(
                "the file was replaced by another. If that is meant, restart service Holdfast on every node, one by one"
            )
        if content.revision < self._revision:
            raise StoreError(
                f"the file is an older copy: revision {content.revision}, and {self._revision} was there already. "
                "Delete it, and restart service Holdfast on every node, one by one"
            )
