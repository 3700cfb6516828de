# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parts of the etcd arbiter that need no etcd: versions, the gateway's JSON, and attempts that race."""

from __future__ import annotations

import asyncio
import json
import time

import pytest

from holdfast.arbiter import etcd_wire
from holdfast.arbiter.etcd_version import fault
from holdfast.arbiter.race import AgainError, first_answer
from holdfast.arbiter.records import as_text, from_text
from holdfast.arbiter.stored import StoreError
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Register
from holdfast.core.values.records import Presence, Put, Read, Swap

PRESENCE = Presence(incarnation=1_700_000_000_123, seq=7, lease=Lease(light_s=2.9, full_s=3.6), fenced_by="n2")


# -- versions -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.5.33", "3.5.40", "3.6.14", "3.7.1", "3.8.0", "4.0.0", "3.7.2-rc.1"])
def test_these_versions_are_taken(version: str) -> None:
    assert fault(version) == ""


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("3.4.23", "not maintained any more"),
        ("3.3.27", "not maintained any more"),
        ("2.3.8", "not maintained any more"),
        ("3.5.32", "it has to be 3.5.33 or later"),
        ("3.6.13", "it has to be 3.6.14 or later"),
        ("3.7.0", "it has to be 3.7.1 or later"),
        ("3.7.1-rc.0", "it has to be 3.7.1 or later"),
        ("", "cannot be read"),
        ("latest", "cannot be read"),
    ],
)
def test_these_versions_are_refused(version: str, why: str) -> None:
    assert why in fault(version)


# -- JSON ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [PRESENCE, Register(), Register(epoch=3, holder="n1", out=frozenset({"b", "a"}))])
def test_a_record_survives_the_way_through_text(record: Presence | Register) -> None:
    assert from_text("x", as_text(record)) == record


@pytest.mark.parametrize("text", ["", "[]", '{"type": "Register", "epoch": -1.5}', '{"type": "Lease"}', '"x"', "{"])
def test_text_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(StoreError, match="the record node/n1 "):
        from_text("node/n1", text)


def test_a_swap_is_one_guarded_transaction_that_reads_as_well() -> None:
    path, body = etcd_wire.request(Swap(puts={"node/n1": Put(expected=5, record=PRESENCE)}, since=9), "/p/")

    assert path == "/v3/kv/txn"
    assert body["compare"] == [{"key": "L3Avbm9kZS9uMQ==", "target": "MOD", "result": "EQUAL", "mod_revision": "5"}]
    assert [list(each) for each in body["success"]] == [["request_put"], ["request_range"]]
    # "/p/" up to, and without, "/p0".
    everything = {"key": "L3Av", "range_end": "L3Aw"}
    assert body["success"][1]["request_range"] == {**everything, "min_mod_revision": "10"}
    assert body["failure"] == [{"request_range": everything}]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"header": {}}',
        '{"header": {"cluster_id": "1", "revision": "x"}}',
        '{"header": {"cluster_id": "1", "revision": "4"}, "kvs": [{}]}',
        '{"header": {"cluster_id": "1", "revision": "4"}, "kvs": 3}',
    ],
)
def test_an_answer_that_is_none_of_a_gateway_is_refused(text: str) -> None:
    with pytest.raises(StoreError, match="no etcd gateway"):
        etcd_wire.answer(Read(since=0), json.loads(text), "/p/")


# -- attempts -----------------------------------------------------------------------------------------


def test_an_attempt_that_is_not_answered_is_overtaken_by_the_next() -> None:
    async def attempt(number: int) -> str:
        await asyncio.sleep(30.0 if number == 0 else 0.0)
        return f"answer {number}"

    begun_s = time.monotonic()
    assert asyncio.run(first_answer(attempt, places=3, every_s=0.05, within_s=2.0)) == (1, "answer 1")
    assert time.monotonic() - begun_s > 0.04


def test_places_that_refuse_are_passed_at_once() -> None:
    async def attempt(number: int) -> str:
        if number < 2:
            raise AgainError(f"place {number} is down")
        return f"answer {number}"

    begun_s = time.monotonic()
    assert asyncio.run(first_answer(attempt, places=3, every_s=20.0, within_s=60.0)) == (2, "answer 2")
    assert time.monotonic() - begun_s < 20.0


def test_when_all_places_refuse_they_are_not_hammered_and_each_is_named() -> None:
    count = 0

    async def attempt(number: int) -> str:
        nonlocal count
        count += 1
        raise AgainError(f"place {number % 3} is down")

    with pytest.raises(StoreError, match="place 0 is down; place 1 is down; place 2 is down"):
        asyncio.run(first_answer(attempt, places=3, every_s=0.1, within_s=0.35))
    assert 3 <= count <= 12


def test_a_refusal_for_good_ends_it_at_once() -> None:
    asked = []

    async def attempt(number: int) -> str:
        asked.append(number)
        raise StoreError("the password is wrong")

    with pytest.raises(StoreError, match="the password is wrong"):
        asyncio.run(first_answer(attempt, places=3, every_s=0.1, within_s=5.0))
    assert asked == [0]


def test_no_attempt_outlives_the_answer() -> None:
    ended: list[int] = []

    async def attempt(number: int) -> int:
        try:
            await asyncio.sleep(30.0 if number < 2 else 0.0)
        finally:
            ended.append(number)
        return number

    asyncio.run(first_answer(attempt, places=3, every_s=0.02, within_s=2.0))

    assert sorted(ended) == [0, 1, 2]


def test_silence_is_said_when_nobody_answers() -> None:
    async def attempt(_number: int) -> str:
        await asyncio.sleep(30.0)
        return ""

    with pytest.raises(StoreError, match=r"no answer within 0\.2 s"):
        asyncio.run(first_answer(attempt, places=3, every_s=0.05, within_s=0.2))
