# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A store of records as arbiter, and what may go wrong with one that keeps its word.

It is linearizable: each operation takes effect at one moment between being sent and being answered, or, when its
answer is lost or late, at any moment after that, or never. Nothing else is promised: not how long it takes, nor that an
answer comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from holdfast.core.cluster.observed import POLL_S, ObservedArbiter
from holdfast.core.values.arbitration import Question
from holdfast.core.values.messages import Register
from holdfast.core.values.records import Answer, Operation, Read, Stored
from holdfast_sim.arbiter import WITNESS
from holdfast_sim.clocks import Clock

if TYPE_CHECKING:
    from holdfast_sim.cluster import World
    from holdfast_sim.process import Process

ANSWER_S = 0.7
"""How long a node waits for the store before it takes an operation for lost."""
LATE = 0.02
"""So many operations take effect much later than the others."""
Reply = Callable[[Answer], None]


class Store:
    """The records, on machines that are one to the nodes. ``off`` and ``frozen`` as for the witness."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Clock()
        self.off = False
        self.frozen = False
        self.disk_s = 0.005
        self.revision = 0
        self.records: dict[str, Stored] = {}
        self._inbox: list[Callable[[], None]] = []

    @property
    def registers(self) -> Mapping[str, Register]:
        """The groups' registers as they lie there."""
        kept = {key.partition("/")[2]: stored.record for key, stored in self.records.items()}
        return {group: record for group, record in kept.items() if isinstance(record, Register)}

    def hear(self, operation: Operation, reply: Reply) -> None:
        """The operation has arrived; it takes effect in a while."""
        if self.frozen:
            self._inbox.append(partial(self.hear, operation, reply))
        elif not self.off:
            late = self.world.random.random() < LATE
            delay_s = self.world.random.uniform(0.0005, 2.0 if late else self.disk_s)
            self.world.later(delay_s, partial(self._carry_out, operation, reply))

    def read(self, *, since: int, done: bool = False) -> Answer:
        """The records that changed after this revision."""
        records = {key: stored for key, stored in self.records.items() if stored.revision > since}
        return Answer(revision=self.revision, records=records, complete=since == 0, done=done)

    def stop(self) -> None:
        """It is off, with everything that was on its way."""
        self.off = True
        self._inbox.clear()

    def start(self) -> None:
        """It is on, with all its records."""
        self.off = False

    def thaw(self) -> None:
        """It goes on with everything that came in meanwhile."""
        self.frozen = False
        inbox, self._inbox = self._inbox, []
        for arrived in inbox:
            arrived()

    def heal(self) -> None:
        """It is on and works."""
        self.disk_s = 0.005
        self.off = False
        self.thaw()

    def _carry_out(self, operation: Operation, reply: Reply) -> None:
        if self.off and self.world.random.random() < 0.5:
            return
        done = not isinstance(operation, Read) and all(
            (self.records[key].revision if key in self.records else 0) == put.expected
            for key, put in operation.puts.items()
        )
        if done and not isinstance(operation, Read):
            self.revision += 1
            for key, put in operation.puts.items():
                self.records[key] = Stored(revision=self.revision, record=put.record)
        reply(self.read(since=operation.since if done or isinstance(operation, Read) else 0, done=done))


class Customer:
    """The real law of a store as arbiter, in one run of a monitor; it has watched the empty store for ``ago_s``."""

    def __init__(self, process: Process, store: Store, *, ago_s: float) -> None:
        self._process = process
        self._world = process.world
        self._law = ObservedArbiter(node=process.computer.name)
        self._operation = 0
        if ago_s and self._law.operation(self._now_s() - ago_s) is not None:
            self._law.answered(store.read(since=0), self._now_s() - ago_s)
        self._poll()

    def ask(self, number: int, question: Question) -> None:
        """The core consults its arbiter."""
        self._law.ask(number, question)
        self._go_on()

    def _go_on(self) -> None:
        process, world = self._process, self._world
        for outcome in self._law.outcomes():
            process.feed(outcome)
        operation = self._law.operation(self._now_s())
        if operation is None or not isinstance(world.witness, Store):
            return
        self._operation += 1
        name, store = process.computer.name, world.witness
        path = world.random.choice(world.paths)
        number = self._operation

        def reply(answer: Answer) -> None:
            world.network.send(
                WITNESS, name, path, partial(self._when_running, partial(self._answered, number, answer))
            )

        world.network.send(name, WITNESS, path, partial(store.hear, operation, reply))
        self._later(ANSWER_S, partial(self._failed, number))

    def _answered(self, number: int, answer: Answer) -> None:
        if number == self._operation:
            self._operation += 1
            self._law.answered(answer, self._now_s())
            self._go_on()

    def _failed(self, number: int) -> None:
        if number == self._operation:
            self._operation += 1
            self._law.failed(f"the store did not answer within {ANSWER_S:g} s")
            self._go_on()

    def _poll(self) -> None:
        self._go_on()
        self._later(POLL_S, self._poll)

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        self._world.on_computer(self._process.computer, delay_s, partial(self._when_running, action))

    def _when_running(self, action: Callable[[], None]) -> None:
        """Now, or as soon as the monitor goes on; never when it is gone."""
        if self._process.dead:
            return
        if self._process.frozen:
            self._process.upon_thaw.append(action)
        else:
            action()

    def _now_s(self) -> float:
        return self._process.computer.clock.read(self._world.now_s)
