# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps run in threads: one after another on a resource, at once on different ones, and a hung one hurts nobody."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, cast

import pytest

from holdfast.core.values.events import Operation, Resource, Step, StepDone
from holdfast.core.values.facts import Facts, IpFacts, State
from holdfast.core.values.model import Ip
from holdfast.errors import NetworkError, SurfaceError
from holdfast.kits import Context
from holdfast.service.executor import Executor
from holdfast.service.workers import Workers

CONTEXT = cast(Context, object())


class Kit:
    """Does what the test says, and writes down what began and ended."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.looks: list[int] = []
        self.gates: dict[str, threading.Event] = {}
        self.errors: dict[str, Exception] = {}

    def _did(self, operation: str, tag: str) -> None:
        self.log.append(f"{operation} {tag}")
        if gate := self.gates.get(f"{operation} {tag}"):
            assert gate.wait(20)
        self.log.append(f"{operation} {tag} ended")
        if error := self.errors.get(f"{operation} {tag}"):
            raise error

    def state(self, resource: Ip, ctx: Context) -> State:
        del ctx
        self._did("observe", resource.tag)
        return "up"

    def states(self, resources: Sequence[Ip], ctx: Context) -> Mapping[str, State]:
        self.looks.append(len(resources))
        return {resource.tag: self.state(resource, ctx) for resource in resources}

    def inspect(self, resource: Ip, ctx: Context) -> Facts:
        del ctx
        self._did("inspect", resource.tag)
        return IpFacts(state="down", interface_up=True, answered_by=None)

    def prepare(self, resource: Ip, ctx: Context) -> None:
        del ctx
        self._did("prepare", resource.tag)

    def start(self, resource: Ip, ctx: Context) -> None:
        del ctx
        self._did("start", resource.tag)

    def stop(self, resource: Ip, ctx: Context, drain_s: float) -> None:
        del ctx
        self._did(f"stop after {drain_s:g} s", resource.tag)

    def fence(self, resource: Ip, ctx: Context) -> None:
        del ctx
        self._did("fence", resource.tag)

    def verify(self, resource: Ip, ctx: Context) -> None:
        del ctx
        self._did("verify", resource.tag)

    def check(self, resource: Ip, ctx: Context) -> None:
        del ctx
        self._did("check", resource.tag)


class Bench:
    """An executor whose outcomes can be waited for."""

    def __init__(self, threads_max: int = 16) -> None:
        self.kit = Kit()
        self.done: list[StepDone] = []
        self.workers = Workers(name="test", ready=2, most=threads_max)
        self.executor = Executor(
            workers=self.workers,
            kit_of=self.kit_of,
            context=lambda: CONTEXT,
            clock=time.monotonic,
            done=self.done.append,
            loop=asyncio.get_running_loop(),
        )
        self.count = 0

    def kit_of(self, resource: Resource) -> Kit:
        del resource
        return self.kit

    def do(self, operation: Operation, tag: str, *, timeout_s: float = 30.0, drain_s: float = 0.0) -> int:
        self.count += 1
        ip = Ip(tag=tag, address="10.77.0.113", prefix_length=24, interfaces={}, priorities={})
        made = Step(id=self.count, group="shop", operation=operation, resource=ip, timeout_s=timeout_s, drain_s=drain_s)
        self.executor.do(made)
        return self.count

    async def ended(self, count: int) -> None:
        for _ in range(2000):
            if len(self.done) >= count:
                return
            await asyncio.sleep(0.005)
        raise AssertionError(f"{len(self.done)} of {count} steps ended")


def run(story: Callable[[Bench], Awaitable[None]], threads_max: int = 16) -> None:
    async def whole() -> None:
        bench = Bench(threads_max)
        try:
            async with asyncio.timeout(30):
                await story(bench)
        finally:
            for gate in bench.kit.gates.values():
                gate.set()
            bench.workers.close()

    asyncio.run(whole())


def test_a_fence_waits_for_nothing_that_was_asked_of_the_resource_before() -> None:
    async def story(bench: Bench) -> None:
        bench.kit.gates["start ip-shop"] = threading.Event()
        started = bench.do("start", "ip-shop")
        waiting = bench.do("verify", "ip-shop")
        fenced = bench.do("fence", "ip-shop")
        await bench.ended(1)
        assert [done.id for done in bench.done] == [fenced]
        bench.kit.gates["start ip-shop"].set()
        await bench.ended(3)
        assert [done.id for done in bench.done] == [fenced, started, waiting]

    run(story)


def test_an_outcome_tells_whether_the_network_of_the_node_is_to_blame() -> None:
    async def story(bench: Bench) -> None:
        bench.kit.errors = {
            "check ip-shop": NetworkError("network", "interface 'LAN' has no link or is disabled"),
            "verify ip-shop": SurfaceError("addresses", "it is gone"),
        }
        bench.do("check", "ip-shop")
        bench.do("verify", "ip-shop")
        await bench.ended(2)
        assert [(done.error, done.network) for done in bench.done] == [
            ("network: interface 'LAN' has no link or is disabled", True),
            ("addresses: it is gone", False),
        ]

    run(story)


def test_each_operation_reaches_the_kit_and_its_result_comes_back() -> None:
    async def story(bench: Bench) -> None:
        for operation in ("observe", "inspect", "prepare", "start", "verify", "check"):
            bench.do(operation, "ip-shop")
        bench.do("stop", "ip-shop", drain_s=1.5)
        await bench.ended(7)
        assert [entry for entry in bench.kit.log if not entry.endswith("ended")] == [
            "observe ip-shop",
            "inspect ip-shop",
            "prepare ip-shop",
            "start ip-shop",
            "verify ip-shop",
            "check ip-shop",
            "stop after 1.5 s ip-shop",
        ]
        assert bench.done[0] == StepDone(id=1, state="up")
        assert bench.done[1].facts == IpFacts(state="down", interface_up=True, answered_by=None)
        assert bench.done[2:] == [StepDone(id=number) for number in (3, 4, 5, 6, 7)]

    run(story)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SurfaceError("add_address", "access denied", 5), "add_address: access denied (code 0x00000005)"),
        (ZeroDivisionError("oops"), "internal error: ZeroDivisionError: oops"),
    ],
)
def test_a_failure_is_a_failed_step_and_the_next_one_runs(error: Exception, said: str) -> None:
    async def story(bench: Bench) -> None:
        bench.kit.errors["start ip-shop"] = error
        bench.do("start", "ip-shop")
        bench.do("stop", "ip-shop")
        await bench.ended(2)
        assert bench.done == [StepDone(id=1, error=said), StepDone(id=2)]

    run(story)


def test_steps_on_one_resource_run_in_the_order_given_and_a_stop_waits_for_a_hung_start() -> None:
    async def story(bench: Bench) -> None:
        gate = bench.kit.gates["start ip-shop"] = threading.Event()
        bench.do("start", "ip-shop")
        bench.do("stop", "ip-shop")
        bench.do("start", "ip-docs")
        await bench.ended(1)
        assert bench.done == [StepDone(id=3)], "the other resource is not held up"
        assert bench.kit.log == ["start ip-shop", "start ip-docs", "start ip-docs ended"]
        gate.set()
        await bench.ended(3)
        assert bench.kit.log[3:] == ["start ip-shop ended", "stop after 0 s ip-shop", "stop after 0 s ip-shop ended"]

    run(story)


def test_a_step_that_could_not_begin_in_time_is_never_begun() -> None:
    async def story(bench: Bench) -> None:
        gate = bench.kit.gates["stop after 0 s ip-shop"] = threading.Event()
        bench.do("stop", "ip-shop", timeout_s=0.1)
        bench.do("start", "ip-shop", timeout_s=0.1)
        bench.do("observe", "ip-shop", timeout_s=30)
        await asyncio.sleep(0.2)
        gate.set()
        await bench.ended(3)
        assert "start ip-shop" not in bench.kit.log
        late = next(done for done in bench.done if done.id == 2)
        assert late.error.startswith("not begun: what was asked of ip-shop before took 0.")
        assert StepDone(id=3, state="up") in bench.done

    run(story)


def test_observations_asked_for_at_once_are_one_look_and_each_is_told() -> None:
    async def story(bench: Bench) -> None:
        for number in range(20):
            bench.do("observe", f"ip-{number}")
        await bench.ended(20)
        assert bench.kit.looks == [20]
        assert {done.id: done.state for done in bench.done} == dict.fromkeys(range(1, 21), "up")

    run(story)


def test_an_observation_that_fails_is_told_of_its_own_resource_alone() -> None:
    async def story(bench: Bench) -> None:
        bench.kit.errors["observe sick"] = SurfaceError("x", "does not answer")
        bench.do("observe", "well")
        bench.do("observe", "sick")
        await bench.ended(2)
        assert {done.id: (done.state, bool(done.error)) for done in bench.done} == {1: ("up", False), 2: (None, True)}

    run(story)


def test_many_hung_steps_leave_the_loop_and_the_other_resources_alone() -> None:
    async def story(bench: Bench) -> None:
        for number in range(12):
            bench.kit.gates[f"verify hung-{number}"] = threading.Event()
            bench.do("verify", f"hung-{number}")
        loop = asyncio.get_running_loop()
        slowest = 0.0
        for number in range(20):
            began = loop.time()
            bench.do("observe", f"well-{number}")
            await bench.ended(number + 1)
            slowest = max(slowest, loop.time() - began)
        assert slowest < 0.5

    run(story)


def test_more_jobs_than_threads_wait_for_their_turn() -> None:
    async def story(bench: Bench) -> None:
        gates = [bench.kit.gates.setdefault(f"verify hung-{n}", threading.Event()) for n in range(3)]
        for number in range(3):
            bench.do("verify", f"hung-{number}")
        bench.do("verify", "later")
        await asyncio.sleep(0.05)
        assert bench.done == []
        gates[0].set()
        await bench.ended(2)
        assert {done.id for done in bench.done} == {1, 4}

    run(story, threads_max=3)


def test_a_step_costs_well_under_a_millisecond() -> None:
    async def story(bench: Bench) -> None:
        loop = asyncio.get_running_loop()
        took = []
        for number in range(100):
            arrived: asyncio.Future[StepDone] = loop.create_future()
            bench.executor._done = arrived.set_result
            began = loop.time()
            bench.do("observe", f"ip-{number}")
            await arrived
            took.append(loop.time() - began)
        assert sorted(took)[50] < 0.005

    run(story)


def test_work_in_a_thread_gives_its_result_or_its_error_to_whoever_waits() -> None:
    async def story(bench: Bench) -> None:
        def fail() -> Any:
            raise KeyError("no")

        assert await bench.workers.run(threading.current_thread) is not threading.current_thread()
        with pytest.raises(KeyError):
            await bench.workers.run(fail)

    run(story)


def test_threads_are_added_only_while_all_are_busy() -> None:
    async def story(bench: Bench) -> None:
        for _ in range(200):
            await asyncio.gather(*(bench.workers.run(lambda: time.sleep(0.0001)) for _ in range(4)))
        assert bench.workers.count <= 8, "four at work, and four that have told their result a moment ago"
        bench.workers.close()
        assert await bench.workers.run(lambda: 7) == 7, "what is asked for in the last moment is still done"

    run(story)
