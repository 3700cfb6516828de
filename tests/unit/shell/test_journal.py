# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must last is written until it works, history is written when it can be, and the event loop waits for neither."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from holdfast import paths
from holdfast.core.values.events import Note, Persist
from holdfast.core.values.messages import Register
from holdfast.service import journal as journal_module
from holdfast.service.journal import Journal, known_durations
from holdfast.service.logs import log_file
from holdfast.service.stall import StallMeter
from holdfast.store.ledger import Ledger
from holdfast.store.state import Store
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

REGISTERS = {"shop": Register(epoch=7, holder="n1", promised_epoch=7)}
NOTE = Note(kind="moved", group="shop", text="shop is in service on n2", fields={"epoch": 7})


class Disk:
    """A store that fails or hangs as often as the test says."""

    def __init__(self) -> None:
        self.saved: list[Mapping[str, Register]] = []
        self.failures = 0
        self.gate = threading.Event()
        self.gate.set()

    def save_registers(self, registers: Mapping[str, Register], agreed: str, vouched: frozenset[str]) -> None:
        del agreed, vouched
        self.gate.wait(20)
        if self.failures:
            self.failures -= 1
            raise OSError(28, "No space left on device")
        self.saved.append(registers)

    def seal(self) -> None:
        self.gate.wait(20)


class SlowLedger(Ledger):
    """A ledger whose file hangs until the gate opens."""

    gate: threading.Event

    def append(self, record: Mapping[str, Any]) -> None:
        self.gate.wait(20)
        super().append(record)


@pytest.fixture
def surface(tmp_path: Path) -> MemorySurface:
    return MemoryWorld(tmp_path).node("n1")


def run(surface: MemorySurface, disk: Disk, story: Callable[[Journal, SlowLedger], Awaitable[None]]) -> None:
    async def whole() -> None:
        ledger = SlowLedger(surface.local_path(paths.STATE + r"\history.jsonl"))
        ledger.gate = threading.Event()
        ledger.gate.set()
        loop = asyncio.get_running_loop()
        journal = Journal(store=cast(Store, disk), ledger=ledger, surface=surface, loop=loop)
        try:
            async with asyncio.timeout(20):
                await story(journal, ledger)
        finally:
            disk.gate.set()
            ledger.gate.set()
            journal.close()

    asyncio.run(whole())


def test_registers_that_cannot_be_written_are_written_again_until_it_works(
    surface: MemorySurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "AGAIN_S", 0.05)
    disk = Disk()
    disk.failures = 3

    async def story(journal: Journal, ledger: SlowLedger) -> None:
        del ledger
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        journal.persist(Persist(number=1, registers=REGISTERS, agreed="manual"), lambda: done.set_result(None))
        await asyncio.sleep(0.02)
        assert not done.done()
        assert journal.trouble == "the registers cannot be written: [Errno 28] No space left on device"
        await done
        assert disk.saved == [REGISTERS]
        assert journal.trouble == ""

    run(surface, disk, story)


def test_a_hung_disk_holds_up_neither_the_loop_nor_the_history(surface: MemorySurface) -> None:
    disk = Disk()
    disk.gate.clear()

    async def story(journal: Journal, ledger: SlowLedger) -> None:
        del ledger
        done: list[None] = []
        loop = asyncio.get_running_loop()
        began = loop.time()
        journal.persist(Persist(number=1, registers=REGISTERS, agreed="manual"), lambda: done.append(None))
        journal.note("n1", NOTE)
        assert loop.time() - began < 0.1
        (record,) = await journal.history(5)
        assert record["text"] == NOTE.text
        assert done == []

    run(surface, disk, story)


def test_a_record_goes_to_ledger_log_and_event_log(surface: MemorySurface, caplog: pytest.LogCaptureFixture) -> None:
    async def story(journal: Journal, ledger: SlowLedger) -> None:
        del ledger
        journal.note("n1", NOTE)
        journal.note("n1", Note(kind="activity", group="shop", text="shop is up"))
        first, second = await journal.history(5)
        assert first["time"].endswith("Z")
        del first["time"]
        assert first == {
            "node": "n1",
            "kind": "moved",
            "group": "shop",
            "text": "shop is in service on n2",
            "fields": {"epoch": 7},
        }
        assert second["kind"] == "activity"

    with caplog.at_level(logging.INFO, logger="holdfast"):
        run(surface, Disk(), story)
    assert "[shop] moved: shop is in service on n2" in caplog.text
    assert surface.events == [(1030, "info", "shop is in service on n2")]


def test_history_that_the_disk_does_not_take_is_dropped_and_the_gap_is_told(
    surface: MemorySurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "RECORDS_WAITING_MAX", 3)

    async def story(journal: Journal, ledger: SlowLedger) -> None:
        ledger.gate.clear()
        for number in range(10):
            journal.note("n1", Note(kind="k", group="", text=f"{number}"))
        ledger.gate.set()
        assert len(await journal.history(20)) >= 3
        journal.note("n1", Note(kind="k", group="", text="later"))
        records = await journal.history(20)
        kept = [record["text"] for record in records]
        assert kept[:3] == ["0", "1", "2"]
        assert kept[-1] == "later"
        lost = sum(record["fields"].get("records_lost_before", 0) for record in records)
        assert lost == 10 - (len(kept) - 1)
        assert lost >= 6

    run(surface, Disk(), story)


def test_durations_come_from_the_phases_of_this_node_the_latest_first() -> None:
    def record(node: str, seconds: Any) -> dict[str, Any]:
        phase = {"name": "start", "resource": "ip-shop", "node": node, "start_s": 0, "seconds": seconds}
        return {"fields": {"phases": [phase]}}

    records = [record("n1", 0.1), record("n2", 9.0), record("n1", 0.2), record("n1", "x"), {"fields": None}, {}]
    assert known_durations(records, "n1") == {"start ip-shop": 0.2}


def test_the_log_is_a_file_with_utc_times_and_survives_any_text(
    surface: MemorySurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Captured by pytest, such a text could not be sent between its workers.
    monkeypatch.setattr(logging.getLogger("holdfast"), "propagate", False)
    before = list(logging.getLogger("holdfast").handlers)
    with log_file(surface):
        logging.getLogger("holdfast.service").info("%s", "in service \u00e4 \ud800")
    (line,) = surface.local_path(paths.LOG).read_text(encoding="utf-8").splitlines()
    time, level, *text = line.split()
    assert time[-1] == "Z"
    assert (level, " ".join(text)) == ("INFO", "in service \u00e4 \\ud800")
    assert logging.getLogger("holdfast").handlers == before


def test_the_stall_meter_shows_how_long_the_loop_stood_still() -> None:
    async def story() -> None:
        meter = StallMeter()
        meter.start()
        await asyncio.sleep(0.12)
        before = meter.max_s
        threading.Event().wait(0.2)
        await asyncio.sleep(0.06)
        meter.stop()
        assert before < 0.1
        assert 0.1 < meter.max_s < 1.0

    asyncio.run(story())


def test_json_of_the_ledger_is_one_line_per_record(surface: MemorySurface) -> None:
    async def story(journal: Journal, ledger: SlowLedger) -> None:
        del ledger
        journal.note("n1", Note(kind="k", group="", text="two\nlines"))
        await journal.history(1)

    run(surface, Disk(), story)
    (line,) = surface.local_path(paths.STATE + r"\history.jsonl").read_text().splitlines()
    assert json.loads(line)["text"] == "two\nlines"
