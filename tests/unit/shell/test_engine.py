# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The engine carries out what a core wants, in order, and never makes it wait; here the core is a script."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from holdfast.core.values.arbitration import Claim, Question, Renewal
from holdfast.core.values.events import (
    Action,
    Beat,
    Consult,
    Do,
    Event,
    Note,
    PathUp,
    Permit,
    Persist,
    Persisted,
    ReadyToStop,
    Send,
    Step,
    StepDone,
    Tell,
    TimePassed,
)
from holdfast.core.values.lease import Lease
from holdfast.core.values.lineage import Lineage
from holdfast.core.values.messages import Ask, Envelope, Heartbeat, Register
from holdfast.core.values.model import Config, Ip
from holdfast.errors import InvariantError
from holdfast.service.engine import Engine

LEASE = Lease(light_s=2.9, full_s=3.6)
IP = Ip(tag="ip-shop", address="10.77.0.113", prefix_length=24, interfaces={}, priorities={})


def step(number: int) -> Step:
    return Step(id=number, group="shop", operation="start", resource=IP, timeout_s=5)


def beat(seq: int) -> Beat:
    heartbeat = Heartbeat(
        count=seq, config_digest="d", ground="g", arbiter="manual", version="v", lease=LEASE, news=0, has=0
    )
    return Beat(peer="n2", path="path-a", seq=seq, heartbeat=heartbeat)


def persist(number: int) -> Persist:
    return Persist(number=number, registers={"shop": Register(epoch=number)}, agreed="witness w1")


def renewal(number: int) -> Consult:
    question = Renewal(node="n1", incarnation=7, lease=LEASE, since=0, version=1, registers={})
    return Consult(number=number, question=question)


def claim(number: int) -> Consult:
    question = Claim(node="n1", incarnation=7, lease=LEASE, group="shop", epoch=2, volume=False)
    return Consult(number=number, question=question)


UP = PathUp(peer="n2", path="path-a")


class Script:
    """A core that answers each event with the next list of actions, and remembers what it heard."""

    def __init__(self, *answers: Sequence[Action], due_s: float | None = None) -> None:
        self.answers = list(answers)
        self.heard: list[Event] = []
        self.due_s = due_s

    def handle(self, event: Event, now_s: float) -> Sequence[Action]:
        del now_s
        self.heard.append(event)
        return self.answers.pop(0) if self.answers else []

    def deadline_s(self) -> float | None:
        return self.due_s


class OnceScript(Script):
    """Wants to be woken once, and notes when that was."""

    def __init__(self, due_s: float) -> None:
        super().__init__(due_s=due_s)
        self.times_s: list[float] = []

    def handle(self, event: Event, now_s: float) -> Sequence[Action]:
        self.times_s.append(now_s)
        if isinstance(event, TimePassed):
            self.due_s = None
        return super().handle(event, now_s)


class Recorder:
    """The way out, written down. Writes are done when the test says so."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.writes: list[Callable[[], None]] = []
        self.envelopes: list[Envelope] = []
        self.on_do: Callable[[Step], None] | None = None

    def send(self, peer: str, envelope: Envelope) -> None:
        self.envelopes.append(envelope)
        self.said.append(f"send {peer} {envelope.seq}")

    def beat(self, peer: str, path: str, envelope: Envelope) -> None:
        self.said.append(f"beat {peer} {path} {envelope.seq}")

    def do(self, step: Step) -> None:
        self.said.append(f"do {step.id}")
        if self.on_do is not None:
            self.on_do(step)

    def consult(self, number: int, question: Question) -> None:
        self.said.append(f"consult {number} {type(question).__name__}")

    def permit(self, until_s: Mapping[str, float]) -> None:
        self.said.append(f"permit {sorted(until_s)}")

    def adopt(self, config: Config, lineage: Lineage, over: str) -> None:
        self.said.append(f"adopt {config.digest} version {lineage.version} over {over}")

    def ready_to_stop(self) -> None:
        self.said.append("ready to stop")

    def persist(self, what: Persist, done: Callable[[], None]) -> None:
        self.said.append(f"persist {what.registers['shop'].epoch}")
        self.writes.append(done)

    def note(self, note: Note) -> None:
        self.said.append(f"note {note.text}")

    def tell(self, command: str, *, final: bool, data: Mapping[str, Any]) -> None:
        self.said.append(f"tell {command} {final} {data}")


def engine(core: Script, ports: Recorder, broken: list[BaseException] | None = None) -> Engine:
    loop = asyncio.get_running_loop()
    return Engine(
        core=core,
        ports=ports,
        clock=loop.time,
        sender="n1",
        boot_id="boot-1",
        incarnation=7,
        broken=(broken if broken is not None else []).append,
    )


def test_actions_are_carried_out_in_the_order_given() -> None:
    async def story() -> None:
        ask = Ask(request="r", group="shop", epoch=1)
        note = Note(kind="k", group="shop", text="noted")
        tell = Tell(command="c1", final=True, data={"ok": True})
        core, ports = Script([Do(step=step(1)), Send(peer="n2", seq=4, message=ask), note, beat(5), tell]), Recorder()
        engine(core, ports).feed(UP)
        assert ports.said == [
            "do 1",
            "send n2 4",
            "note noted",
            "beat n2 path-a 5",
            "tell c1 True {'ok': True}",
        ]
        assert ports.envelopes == [Envelope(sender="n1", boot_id="boot-1", incarnation=7, seq=4, message=ask)]

    asyncio.run(story())


def test_what_follows_a_write_waits_for_it_and_then_the_core_hears_of_it() -> None:
    async def story() -> None:
        core = Script([Do(step=step(1)), persist(1), Do(step=step(2))], [persist(2), Do(step=step(3))])
        ports = Recorder()
        running = engine(core, ports)
        running.feed(UP)
        assert ports.said == ["do 1", "persist 1"]
        ports.writes.pop(0)()
        assert ports.said == ["do 1", "persist 1", "do 2", "persist 2"]
        assert core.heard == [UP, Persisted(number=1)]
        ports.writes.pop(0)()
        assert ports.said[-1] == "do 3"
        assert core.heard[-1] == Persisted(number=2)

    asyncio.run(story())


def test_while_a_write_is_under_way_the_core_hears_everything_and_only_heartbeats_go_out() -> None:
    async def story() -> None:
        core = Script([persist(1), Do(step=step(1))], [Do(step=step(2)), beat(9), Do(step=step(3))], [beat(10)])
        ports = Recorder()
        running = engine(core, ports)
        for _ in range(3):
            running.feed(UP)
        assert len(core.heard) == 3
        assert ports.said == ["persist 1", "beat n2 path-a 9", "beat n2 path-a 10"]
        ports.writes.pop(0)()
        assert ports.said[3:] == ["do 1", "do 2", "do 3"], "what was held up keeps its order"

    asyncio.run(story())


def test_what_keeps_the_lease_alive_does_not_wait_for_a_disk() -> None:
    """Questions to the arbiter tell of nothing that is being written, nor do permits that name no further group."""

    async def story() -> None:
        more = Permit(until_s={"shop": 5.0, "docs": 5.0})
        core = Script(
            [Permit(until_s={"shop": 4.0}), persist(1)],
            [renewal(1), claim(2), Permit(until_s={"shop": 5.0}), more, ReadyToStop()],
        )
        ports = Recorder()
        running = engine(core, ports)
        running.feed(UP)
        running.feed(UP)
        asked = ["consult 1 Renewal", "consult 2 Claim"]
        assert ports.said == ["permit ['shop']", "persist 1", *asked, "permit ['shop']"]
        ports.writes.pop(0)()
        assert ports.said[5:] == ["permit ['docs', 'shop']", "ready to stop"]

    asyncio.run(story())


def test_writes_that_wait_are_written_once_for_all_of_them() -> None:
    """A node that takes three hundred groups over does not write three hundred times."""

    async def story() -> None:
        core = Script([persist(1), Do(step=step(1))], [persist(2), Do(step=step(2))], [persist(3), Do(step=step(3))])
        ports = Recorder()
        running = engine(core, ports)
        for _ in range(3):
            running.feed(UP)
        assert ports.said == ["persist 1"]
        ports.writes.pop(0)()
        assert ports.said == ["persist 1", "do 1", "persist 3"]
        ports.writes.pop(0)()
        assert ports.said == ["persist 1", "do 1", "persist 3", "do 2", "do 3"]
        assert core.heard[3:] == [Persisted(number=1), Persisted(number=2), Persisted(number=3)]

    asyncio.run(story())


def test_an_event_that_comes_up_while_another_is_handled_is_handled_after_it() -> None:
    async def story() -> None:
        core = Script([Do(step=step(1)), Do(step=step(2))], [Do(step=step(3))])
        ports = Recorder()
        running = engine(core, ports)
        ports.on_do = lambda done: running.feed(StepDone(id=done.id))
        running.feed(UP)
        assert ports.said == ["do 1", "do 2", "do 3"]
        assert core.heard == [UP, StepDone(id=1), StepDone(id=2), StepDone(id=3)]

    asyncio.run(story())


def test_the_core_is_woken_when_it_wants_to_be_and_not_again() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        core = OnceScript(due_s=loop.time() + 0.05)
        due_s = core.due_s
        assert due_s is not None
        engine(core, Recorder()).feed(UP)
        await asyncio.sleep(0.2)
        assert core.heard == [UP, TimePassed()]
        assert due_s - 0.001 <= core.times_s[1]

    asyncio.run(story())


def test_a_deadline_that_moves_moves_the_alarm() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        core = Script(due_s=loop.time() + 10)
        running = engine(core, Recorder())
        running.feed(UP)
        core.due_s = loop.time() + 0.02
        running.feed(UP)
        core.due_s = loop.time() + 10
        await asyncio.sleep(0.1)
        assert core.heard == [UP, UP, TimePassed()]
        running.stop()

    asyncio.run(story())


class BrokenScript(Script):
    def handle(self, event: Event, now_s: float) -> Sequence[Action]:
        if self.heard:
            raise InvariantError("epoch 6 after epoch 7")
        return super().handle(event, now_s)


def test_a_broken_rule_stops_the_engine_for_good_and_is_told() -> None:
    async def story() -> None:
        broken: list[BaseException] = []
        core, ports = BrokenScript([persist(1), Do(step=step(1))], due_s=0.0), Recorder()
        running = engine(core, ports, broken)
        running.feed(UP)
        running.feed(UP)
        assert [str(error) for error in broken] == ["epoch 6 after epoch 7"]
        ports.writes.pop(0)()
        running.feed(UP)
        await asyncio.sleep(0.02)
        assert ports.said == ["persist 1"], "nothing that was held up is carried out"
        assert len(broken) == 1

    asyncio.run(story())
