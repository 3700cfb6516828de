# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Any store of records as an arbiter: carries out what ``ObservedArbiter`` wants, one operation after another.

What it does not do: repeat anything. The core asks again, and a store repeats only what it may (``etcd``).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any, Protocol

from ..core.cluster.observed import POLL_S, ObservedArbiter
from ..core.values.arbitration import Question
from ..core.values.events import Consulted
from ..core.values.records import Answer, Operation
from ..errors import HoldfastError
from .port import Surroundings

log = logging.getLogger(__name__)
UNTRIED = "it has not answered yet"


class StoreError(HoldfastError):
    """The store did not answer, or refused. The text names it and says what to do, for people."""


class Store(Protocol):
    """Where the records lie. Used in the event loop only."""

    kind: str

    async def carry_out(self, operation: Operation) -> Answer:
        """The answer, within a bounded time.

        Raises:
            StoreError: there is none; a swap may have taken effect all the same, or may later.
        """

    async def watch(self, on_seen: Callable[[Answer], None]) -> None:
        """Tells of changes as they come, until it is cancelled; returns when the store cannot."""

    def details(self) -> Mapping[str, Any]:
        """What people are shown besides: plain data."""

    async def close(self) -> None:
        """No connection is left."""


class StoredArbiter:
    """An ArbiterPort on a store."""

    def __init__(
        self,
        *,
        node: str,
        nodes: Collection[str],
        store: Store,
        clock: Callable[[], float],
        on_answer: Callable[[Consulted], None],
    ) -> None:
        self._machine = ObservedArbiter(node=node, nodes=nodes)
        self._store = store
        self._clock = clock
        self._on_answer = on_answer
        self._wake = asyncio.Event()
        self._why = UNTRIED
        self._closed = False
        self._tasks = (asyncio.create_task(self._run()), asyncio.create_task(self._listen()))
        for task in self._tasks:
            task.add_done_callback(report_bug)

    def consult(self, number: int, question: Question) -> None:
        """The question is on its way."""
        self._machine.ask(number, question)
        self._wake.set()

    def state(self) -> Mapping[str, Any]:
        """What people are shown."""
        return {"kind": self._store.kind, "reachable": not self._why, "why": self._why, **self._store.details()}

    def close(self) -> None:
        """Nothing is asked any more, and no answer comes after this."""
        self._closed = True
        for task in self._tasks:
            task.cancel()

    async def _run(self) -> None:
        try:
            while not self._closed:
                await self._step()
        finally:
            await self._store.close()

    async def _step(self) -> None:
        operation = self._machine.operation(self._clock())
        if operation is not None:
            try:
                answer = await self._store.carry_out(operation)
            except StoreError as error:
                self._machine.failed(str(error))
                self._told(str(error))
            else:
                self._machine.answered(answer, self._clock())
                self._told("")
        for outcome in self._machine.outcomes():
            self._on_answer(outcome)
        if operation is None:
            await self._rest()

    async def _rest(self) -> None:
        """Until there is a question, or it is time to look again."""
        try:
            await asyncio.wait_for(self._wake.wait(), POLL_S / 4)
        except TimeoutError:
            return
        self._wake.clear()

    async def _listen(self) -> None:
        await self._store.watch(self._seen)

    def _seen(self, answer: Answer) -> None:
        self._machine.noticed(answer, self._clock())

    def _told(self, why: str) -> None:
        """A change of mood is worth a line in the log; every failing attempt is not."""
        if bool(why) != bool(self._why) or (why and self._why == UNTRIED):
            log.log(logging.WARNING if why else logging.INFO, "arbiter: %s", why or "it answers")
        self._why = why


def report_bug(task: asyncio.Task[None]) -> None:
    """Our bug must be seen; without answers the node goes on as without its arbiter."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("the arbiter's client has ended", exc_info=error)


def stored_arbiter(store: Store, around: Surroundings) -> StoredArbiter:
    """The arbiter of this node on the store."""
    return StoredArbiter(
        node=around.node,
        nodes=around.config.cluster.nodes,
        store=store,
        clock=around.surface.monotonic_s,
        on_answer=around.on_answer,
    )
