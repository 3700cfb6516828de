# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Between the core and a store: one operation after another, errors as outcomes, an end when it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from holdfast.arbiter.stored import StoredArbiter, StoreError
from holdfast.core.values.arbitration import Renewal
from holdfast.core.values.events import Consulted
from holdfast.core.values.lease import Lease
from holdfast.core.values.records import Answer, Operation, Presence, Read, Stored, Swap

LEASE = Lease(light_s=2.0, full_s=3.0)
RENEWAL = Renewal(node="n1", incarnation=1, lease=LEASE, since=0, version=0, registers={})
EMPTY = Answer(revision=1, records={}, complete=True)


class Scripted:
    """A store that keeps one record, fails while ``broken``, and waits while ``gate`` is shut."""

    kind = "scripted"

    def __init__(self) -> None:
        self.broken = ""
        self.gate = asyncio.Event()
        self.gate.set()
        self.at_once = 0
        self.most_at_once = 0
        self.revision = 1
        self.swaps: list[Swap] = []
        self.closed = False
        self.on_seen: Callable[[Answer], None] = lambda _answer: None

    async def carry_out(self, operation: Operation) -> Answer:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            if self.broken:
                raise StoreError(self.broken)
            if isinstance(operation, Read):
                return EMPTY
            self.swaps.append(operation)
            self.revision += 1
            records = {key: Stored(revision=self.revision, record=put.record) for key, put in operation.puts.items()}
            return Answer(revision=self.revision, records=records, complete=False, done=True)
        finally:
            self.at_once -= 1

    async def watch(self, on_seen: Callable[[Answer], None]) -> None:
        self.on_seen = on_seen
        await asyncio.Event().wait()

    def details(self) -> Mapping[str, Any]:
        return {"revision": self.revision}

    async def close(self) -> None:
        self.closed = True


class Scene:
    def __init__(self) -> None:
        self.store = Scripted()
        self.now_s = 0.0
        self.outcomes: list[Consulted] = []
        self.arbiter = StoredArbiter(
            node="n1", nodes=("n1",), store=self.store, clock=lambda: self.now_s, on_answer=self.outcomes.append
        )

    async def until_answered(self, count: int) -> None:
        for _turn in range(400):
            if len(self.outcomes) >= count:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"{len(self.outcomes)} answers, not {count}")


def play(story: Callable[[Scene], Coroutine[Any, Any, None]]) -> None:
    async def whole() -> None:
        scene = Scene()
        try:
            await story(scene)
        finally:
            scene.arbiter.close()
            await asyncio.sleep(0.01)
        assert scene.store.closed

    asyncio.run(whole())


def test_a_question_is_answered_later_and_never_from_within_consult() -> None:
    async def story(scene: Scene) -> None:
        scene.arbiter.consult(7, RENEWAL)
        assert scene.outcomes == []
        await scene.until_answered(1)
        assert [outcome.number for outcome in scene.outcomes] == [7]
        assert scene.outcomes[0].verdict is not None
        assert scene.arbiter.state() == {"kind": "scripted", "reachable": True, "why": "", "revision": 2}

    play(story)


def test_while_an_operation_is_under_way_no_other_begins_and_only_the_newest_renewal_waits() -> None:
    async def story(scene: Scene) -> None:
        scene.arbiter.consult(1, RENEWAL)
        await scene.until_answered(1)
        scene.store.gate.clear()
        for number in range(2, 7):
            scene.arbiter.consult(number, RENEWAL)
            await asyncio.sleep(0.01)
        scene.store.gate.set()
        await scene.until_answered(3)
        assert [outcome.number for outcome in scene.outcomes] == [1, 2, 6]
        assert scene.store.most_at_once == 1

    play(story)


def test_a_store_that_fails_is_an_error_for_whoever_asked_and_shown() -> None:
    async def story(scene: Scene) -> None:
        scene.store.broken = "etcd1: no answer in time"
        scene.arbiter.consult(1, RENEWAL)
        await scene.until_answered(1)
        [outcome] = scene.outcomes
        assert (outcome.number, outcome.verdict, outcome.error) == (1, None, "etcd1: no answer in time")
        state = scene.arbiter.state()
        assert (state["reachable"], state["why"]) == (False, "etcd1: no answer in time")

        scene.store.broken = ""
        scene.arbiter.consult(2, RENEWAL)
        await scene.until_answered(2)
        assert scene.arbiter.state()["reachable"]

    play(story)


def test_what_a_watch_tells_is_not_asked_for_again() -> None:
    """A record that the watch showed is guarded by the revision that it had there."""

    async def story(scene: Scene) -> None:
        scene.arbiter.consult(1, RENEWAL)
        await scene.until_answered(1)
        own = Presence(incarnation=1, seq=9, lease=LEASE)
        scene.store.on_seen(Answer(revision=0, records={"node/n1": Stored(revision=40, record=own)}, complete=False))
        scene.store.revision = 40
        scene.arbiter.consult(2, RENEWAL)
        await scene.until_answered(2)
        assert scene.store.swaps[-1].puts["node/n1"].expected == 40

    play(story)


def test_after_close_there_is_no_answer() -> None:
    async def story(scene: Scene) -> None:
        scene.store.gate.clear()
        scene.arbiter.consult(1, RENEWAL)
        await asyncio.sleep(0.02)
        scene.arbiter.close()
        scene.store.gate.set()
        await asyncio.sleep(0.05)
        assert scene.outcomes == []

    play(story)
