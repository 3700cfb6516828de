# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that a real etcd gives only in bad moments, from three scripted gateways on the loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import web

from holdfast.arbiter.etcd import EtcdStore, Files
from holdfast.arbiter.stored import StoreError
from holdfast.core.values.model import Etcd
from holdfast.core.values.records import Read

T = TypeVar("T")
READ = Read(since=0)


class Gateway:
    """A member: what it answers to a read, and how often it was asked."""

    def __init__(self) -> None:
        self.header = {"cluster_id": "7", "member_id": "1", "revision": "10", "raft_term": "5"}
        self.version = "3.5.33"
        self.status = 200
        self.text = ""
        self.hangs = False
        self.drops = False
        self.asked = 0
        self.url = ""

    async def tell_version(self, _request: web.Request) -> web.Response:
        return web.json_response({"etcdserver": self.version, "etcdcluster": "3.5.0"})

    async def read(self, request: web.Request) -> web.Response:
        self.asked += 1
        if self.drops and request.transport is not None:
            request.transport.close()
        if self.hangs:
            await asyncio.sleep(30)
        if self.text:
            return web.Response(status=self.status, text=self.text)
        return web.json_response({"header": self.header, "count": "0"})


@contextlib.asynccontextmanager
async def gateways(folder: Path) -> AsyncIterator[tuple[list[Gateway], EtcdStore]]:
    """Three members and the store that asks them."""
    async with contextlib.AsyncExitStack() as stack:
        members = [Gateway() for _number in range(3)]
        for member in members:
            app = web.Application()
            app.router.add_get("/version", member.tell_version)
            app.router.add_post("/v3/kv/range", member.read)
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            member.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        nothing = folder / "nothing"
        store = EtcdStore(
            Etcd(endpoints=tuple(member.url for member in members), prefix="/p"),
            files=Files(authority=nothing, certificate=nothing, key=nothing, password=nothing),
            in_thread=in_thread,
        )
        stack.push_async_callback(store.close)
        yield members, store


async def in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


def play(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20.0))


@pytest.mark.parametrize(("field", "old"), [("raft_term", "4"), ("revision", "9"), ("cluster_id", "8")])
def test_an_answer_from_the_past_or_from_elsewhere_is_dropped_for_the_next_members(
    tmp_path: Path, field: str, old: str
) -> None:
    async def story() -> None:
        async with gateways(tmp_path) as (members, store):
            await store.carry_out(READ)
            members[0].header[field] = old

            answer = await store.carry_out(READ)

            assert answer.revision == 10
            assert [member.asked for member in members] == [2, 1, 0]

    play(story())


def test_a_later_term_and_revision_are_the_measure_from_then_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateways(tmp_path) as (members, store):
            members[0].header |= {"raft_term": "6", "revision": "11"}
            await store.carry_out(READ)
            members[0].text, members[0].status = '{"error": "etcdserver: no leader", "code": 14}', 503
            members[2].header |= {"raft_term": "6", "revision": "12"}

            answer = await store.carry_out(READ)

            # The second one is still in term 5.
            assert answer.revision == 12
            assert [member.asked for member in members] == [2, 1, 1]

    play(story())


def test_a_member_that_hangs_is_overtaken_after_a_quarter_of_a_second(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateways(tmp_path) as (members, store):
            members[0].hangs = True
            begun_s = asyncio.get_running_loop().time()

            await store.carry_out(READ)
            took_s = asyncio.get_running_loop().time() - begun_s
            await store.carry_out(READ)

            assert 0.2 < took_s < 2.0
            # The one that answered is asked first from then on.
            assert [member.asked for member in members] == [1, 2, 0]

    play(story())


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (503, '{"error": "etcdserver: leader changed", "code": 14}'),
        (504, '{"error": "context deadline exceeded", "code": 4}'),
        (200, "<html>a proxy</html>"),
        (200, "[]"),
        (200, '{"header": {}}'),
    ],
)
def test_a_member_that_has_no_answer_now_is_passed_over(tmp_path: Path, status: int, text: str) -> None:
    async def story() -> None:
        async with gateways(tmp_path) as (members, store):
            members[0].status, members[0].text = status, text

            assert (await store.carry_out(READ)).revision == 10
            assert members[1].asked == 1

    play(story())


def test_a_refusal_of_the_request_itself_is_told_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with gateways(tmp_path) as (members, store):
            members[0].status, members[0].text = 400, '{"error": "etcdserver: too many operations", "code": 3}'

            with pytest.raises(StoreError, match=r"too many operations \(HTTP 400\)"):
                await store.carry_out(READ)
            assert [member.asked for member in members] == [1, 0, 0]

    play(story())


def test_a_member_that_comes_back_as_another_version_is_looked_at_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("holdfast.arbiter.etcd.OPERATION_S", 0.6)

    async def story() -> None:
        async with gateways(tmp_path) as (members, store):
            await store.carry_out(READ)
            members[0].drops = True
            await store.carry_out(READ)
            members[0].drops, members[0].version = False, "3.4.23"
            for other in members[1:]:
                other.status, other.text = 503, '{"error": "etcdserver: no leader", "code": 14}'

            with pytest.raises(StoreError, match=r"no leader; .*etcd 3\.4\.23 is of a line"):
                await store.carry_out(READ)

    play(story())
