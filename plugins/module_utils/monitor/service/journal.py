# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Writes what must last, in two threads of its own: registers and configuration in one, history in the other.

Rule: a hung disk delays what waits for it and nothing else. Registers are written until it works: what follows
them must not happen before. History is dropped when too much of it waits, and the gap is told.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from ..core.values.events import Note, Persist
from ..core.values.lineage import Lineage
from ..core.values.model import Config
from ..store.ledger import Ledger
from ..store.state import Store
from ..surface import Surface
from .workers import Workers, tell

log = logging.getLogger(__name__)
AGAIN_S = 0.5
SEAL_AFTER_S = 0.5
RECORDS_WAITING_MAX = 10_000
EVENT_KINDS = {
    "refused": (1010, "warning"),
    "node": (1020, "warning"),
    "path down": (1021, "warning"),
    "path up": (1022, "info"),
    "moved": (1030, "info"),
    "started": (1032, "info"),
    "out of service": (1031, "info"),
    "taken back": (1033, "warning"),
    "passed on": (1034, "warning"),
    "not clean": (1035, "warning"),
    "noticed": (1040, "warning"),
}
"""Records that also go to the Windows event log: kind -> event id, level. An id keeps its meaning for ever."""


class Journal:
    """``trouble`` is empty, or says that the disk does not take what must last."""

    def __init__(self, *, store: Store, ledger: Ledger, surface: Surface, loop: asyncio.AbstractEventLoop) -> None:
        self.trouble = ""
        self._store = store
        self._ledger = ledger
        self._surface = surface
        self._loop = loop
        self._state_thread = Workers(name="state", ready=1, most=1)
        self._history_thread = Workers(name="history", ready=1, most=1)
        self._closing = threading.Event()
        self._seal_timer: asyncio.TimerHandle | None = None
        # Each counter is written by one thread only: taken and dropped by the loop's, written by the history's.
        self._taken = 0
        self._written = 0
        self._dropped = 0
        self._told_dropped = 0

    def close(self) -> None:
        """What waits is still written when the disk takes it; a hung disk is not waited for."""
        self._closing.set()
        if self._seal_timer is not None:
            self._seal_timer.cancel()
            self._seal_now()
        self._state_thread.close()
        self._history_thread.close()

    def persist(self, what: Persist, done: Callable[[], None]) -> None:
        """``done`` is called in the loop when it is durable."""
        self._state_thread.submit(partial(self._persist, what, done))

    async def save_config(self, node: str, config: Config, lineage: Lineage) -> None:
        """The configuration is durable, and which ones came before it."""
        await self._state_thread.run(lambda: self._store.save_config(node, config, lineage))

    def note(self, node: str, note: Note) -> None:
        """The record is on its way to the ledger, the log, and for some kinds the event log."""
        if self._taken - self._written >= RECORDS_WAITING_MAX:
            self._dropped += 1
            return
        self._taken += 1
        now = datetime.datetime.now(datetime.UTC)
        self._history_thread.submit(partial(self._write_note, node, note, now))

    async def history(self, limit: int) -> list[dict[str, Any]]:
        """The latest records, oldest first."""
        return await self._history_thread.run(lambda: self._ledger.last(limit))

    def _persist(self, what: Persist, done: Callable[[], None]) -> None:
        """In the state thread."""
        while not self._closing.is_set():
            try:
                self._store.save_registers(what.registers, what.agreed, what.vouched)
            except OSError as error:
                self._complain(f"the registers cannot be written: {error}")
                self._closing.wait(AGAIN_S)
                continue
            self.trouble = ""
            tell(self._loop, done)
            tell(self._loop, self._seal_later)
            return

    def _seal_later(self) -> None:
        """In the loop. Once the disk has nothing more urgent to do: no write of a move is to wait for a seal."""
        if self._seal_timer is None:
            self._seal_timer = self._loop.call_later(SEAL_AFTER_S, self._seal_now)

    def _seal_now(self) -> None:
        self._seal_timer = None
        self._state_thread.submit(self._seal)

    def _seal(self) -> None:
        """In the state thread."""
        try:
            self._store.seal()
        except OSError as error:
            self._complain(f"the seal of the state files cannot be written: {error}")

    def _complain(self, trouble: str) -> None:
        if trouble != self.trouble:
            log.error("%s", trouble)
        self.trouble = trouble

    def _write_note(self, node: str, note: Note, now: datetime.datetime) -> None:
        """In the history thread."""
        self._written += 1
        lost = self._dropped - self._told_dropped
        self._told_dropped += lost
        extra = {"records_lost_before": lost} if lost else {}
        record = {
            "time": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "node": node,
            "kind": note.kind,
            "group": note.group,
            "text": note.text,
            "fields": {**note.fields, **extra},
        }
        log.info("%s", f"[{note.group}] {note.kind}: {note.text}" if note.group else f"{note.kind}: {note.text}")
        try:
            self._ledger.append(record)
            if note.kind in EVENT_KINDS:
                event_id, level = EVENT_KINDS[note.kind]
                self._log_event(event_id, level, note.text)
        except Exception:
            # History is for people; that it cannot be written stops nothing.
            log.exception("a ledger record could not be written")

    def _log_event(self, event_id: int, level: str, text: str) -> None:
        match level:
            case "info":
                self._surface.log_event(event_id=event_id, level="info", text=text)
            case _:
                self._surface.log_event(event_id=event_id, level="warning", text=text)


def known_durations(records: list[dict[str, Any]], node: str) -> dict[str, float]:
    """How long each step took on this node last ("start ip-shop" -> seconds), for plans."""
    durations: dict[str, float] = {}
    for record in records:
        fields = record.get("fields")
        phases = fields.get("phases") if isinstance(fields, dict) else None
        for phase in phases if isinstance(phases, list) else ():
            seconds = phase.get("seconds") if isinstance(phase, dict) else None
            if isinstance(seconds, (int, float)) and phase.get("node") == node:
                durations[f"{phase.get('name')} {phase.get('resource')}"] = float(seconds)
    return durations
