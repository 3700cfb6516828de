# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arbiter ``etcd`` against a real etcd of three members, and what happens when members die, hang or are cut off.

Debian's etcd is older, and has more faults, than any that a cluster may use without ``any_version``.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from holdfast.arbiter.etcd import EtcdStore, Files
from holdfast.arbiter.stored import StoreError
from holdfast.core.cluster.ownership import take
from holdfast.core.values.model import Etcd
from holdfast.core.values.profiles import TAKE_MAX_S, TIMERS
from holdfast.core.values.records import Answer, Presence, Put, Read, Swap
from holdfast_lab.etcd import Account, Certificates, EtcdCluster, make_certificates, running, set_up_accounts
from holdfast_lab.etcd.asking import LEASE, RENEW_S, files, in_thread, nodes
from holdfast_lab.etcd.cluster import loopback_members
from holdfast_lab.etcd.gateway import b64, call
from holdfast_lab.world.preflight import NotPossibleError, provide

T = TypeVar("T")
ACCOUNT = Account(name="holdfast", password="correct horse", prefix="/holdfast/web/")
ROOT_PASSWORD = "battery staple"


@pytest.fixture(scope="module")
def etcd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EtcdCluster]:
    """Three members without TLS; a test leaves them as it found them."""
    provide_etcd()
    with running(tmp_path_factory.mktemp("etcd")) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EtcdCluster, Certificates]]:
    """Three members that want client certificates and passwords; tokens are forgotten after a second."""
    provide_etcd()
    members, folder = loopback_members(), tmp_path_factory.mktemp("guarded")
    certificates = make_certificates(folder, [member.address for member in members])
    with running(folder, members=members, certificates=certificates, token_ttl_s=1) as cluster:
        set_up_accounts(cluster.endpoints[0], ACCOUNT, ROOT_PASSWORD, certificates)
        yield cluster, certificates


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused by every member is refused sooner."""
    monkeypatch.setattr("holdfast.arbiter.etcd.OPERATION_S", 0.8)


def provide_etcd() -> None:
    try:
        provide({"etcd": "etcd-server"})
    except NotPossibleError as error:
        pytest.skip(str(error))


def play(story: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(story, 50.0))


@contextlib.asynccontextmanager
async def opened(
    cluster: EtcdCluster, on_node: Files, *, prefix: str = "/holdfast/web", user: str = "", any_version: bool = True
) -> AsyncIterator[EtcdStore]:
    settings = Etcd(endpoints=cluster.endpoints, prefix=prefix, user=user, any_version=any_version)
    store = EtcdStore(settings, files=on_node, in_thread=in_thread)
    try:
        yield store
    finally:
        await store.close()


@contextlib.asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


# -- the records --------------------------------------------------------------------------------------


def test_a_swap_succeeds_once_and_tells_what_changed(etcd: EtcdCluster, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(etcd, files(tmp_path), prefix="/records") as store:
            first = presence(1)
            made = await store.carry_out(Swap(puts={"node/n1": Put(expected=0, record=first)}, since=0))
            again = await store.carry_out(Swap(puts={"node/n1": Put(expected=0, record=first)}, since=made.revision))
            held = Put(expected=0, record=take(epoch=4, node="n1", out=frozenset({"docs"})))
            other = await store.carry_out(Swap(puts={"own/shop": held}, since=made.revision))
            everything = await store.carry_out(Read(since=0))

        assert made.done
        assert made.records["node/n1"].record == first
        assert (again.done, again.complete, again.records) == (False, True, made.records)
        assert (other.done, list(other.records)) == (True, ["own/shop"])
        assert {key: each.record for key, each in everything.records.items()} == {
            "node/n1": first,
            "own/shop": held.record,
        }

    play(story())


def test_what_another_program_wrote_below_the_prefix_is_refused(etcd: EtcdCluster, tmp_path: Path) -> None:
    call(etcd.endpoints[0], "/v3/kv/put", {"key": b64("/foreign/node/n1"), "value": b64('{"hello": 1}')})

    async def story() -> None:
        async with opened(etcd, files(tmp_path), prefix="/foreign") as store:
            with pytest.raises(StoreError, match="the record /foreign/node/n1 is not one that this version writes"):
                await store.carry_out(Read(since=0))

    play(story())


@pytest.mark.usefixtures("impatient")
def test_a_version_with_known_faults_is_refused_until_that_is_accepted(etcd: EtcdCluster, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(etcd, files(tmp_path), any_version=False) as store:
            with pytest.raises(StoreError, match=r"etcd 3\.4\.\d+ is of a line .* or set any_version"):
                await store.carry_out(Read(since=0))

    play(story())


@pytest.mark.usefixtures("impatient")
def test_another_etcd_behind_the_same_name_is_not_believed(etcd: EtcdCluster, tmp_path: Path) -> None:
    async def story() -> None:
        async with opened(etcd, files(tmp_path), prefix="/records") as store:
            await store.carry_out(Read(since=0))
            with running(tmp_path / "other") as other:
                for member, url in zip(store._members, other.endpoints, strict=True):
                    member.url = url
                with pytest.raises(StoreError, match="belongs to another etcd cluster"):
                    await store.carry_out(Read(since=0))

    play(story())


def test_a_watch_tells_of_a_change_at_once_and_survives_its_member(etcd: EtcdCluster, tmp_path: Path) -> None:
    async def story() -> None:
        seen: list[int] = []

        def note(answer: Answer) -> None:
            seen.extend(each.record.seq for each in answer.records.values() if isinstance(each.record, Presence))

        async with opened(etcd, files(tmp_path), prefix="/watched") as store:
            revision = (await put(store, "node/n1", presence(1), 0)).records["node/n1"].revision
            async with background(store.watch(note)):
                await asyncio.sleep(0.5)
                revision = (await put(store, "node/n1", presence(2), revision)).records["node/n1"].revision
                await until(lambda: seen == [2], 1.0)
                # The first watch is at the favourite, which is the first member.
                etcd.kill(0)
                try:
                    await asyncio.sleep(2.0)
                    await put(store, "node/n1", presence(3), revision)
                    await until(lambda: seen[-1] == 3, 5.0)
                finally:
                    etcd.start(0)
                    await asyncio.to_thread(etcd.leader)

    play(story())


# -- the law ------------------------------------------------------------------------------------------


@pytest.mark.timeout(90)
def test_a_node_that_renews_keeps_its_group_and_one_that_stopped_loses_it(etcd: EtcdCluster, tmp_path: Path) -> None:
    async def story() -> None:
        async with nodes(etcd, tmp_path, "/law", "n1", "n2") as (first, second):
            held = {"shop": take(epoch=1, node="n1", out=frozenset())}
            async with background(first.keep_renewing(held)):
                await second.ask(second.renewal())
                await asyncio.sleep(TAKE_MAX_S + 0.5)
                refused = await second.ask(second.claim("shop", 2))
            stopped_s = time.monotonic()
            taken_s = await second.granted(second.claim("shop", 2), within_s=5.0)
            told = await first.ask(first.renewal(since=1, version=1))

        assert (refused.granted, refused.reason) == (False, "n1 holds it at epoch 1, and its lease runs")
        assert LEASE.full_s - RENEW_S - 0.1 < taken_s - stopped_s < LEASE.full_s + 3.0
        assert taken_s >= first.acknowledged[-1][0] + LEASE.full_s
        assert told.registers["shop"].holder == "n2"

    play(story())


def test_a_thousand_groups_are_told_within_a_second_and_cost_nothing_afterwards(
    etcd: EtcdCluster, tmp_path: Path
) -> None:
    async def story() -> tuple[float, float]:
        async with nodes(etcd, tmp_path, "/thousand", "n1") as (node,):
            held = {f"g{number}": take(epoch=1, node="n1", out=frozenset()) for number in range(1000)}
            begun_s = time.monotonic()
            verdict = await node.ask(node.renewal(held, version=1))
            told_s = time.monotonic()
            for _turn in range(20):
                await node.ask(node.renewal(since=1, version=1))
            renewed_s = (time.monotonic() - told_s) / 20
        assert verdict.version == 1
        return told_s - begun_s, renewed_s

    told_s, renewed_s = play(story())
    print(f"1,000 registers told in {told_s:.3f} s; a renewal afterwards {renewed_s * 1000:.1f} ms")
    assert told_s < 10.0
    assert renewed_s < told_s / 5


# -- faults -------------------------------------------------------------------------------------------

Fault = Callable[[EtcdCluster, int], None]


def kill(etcd: EtcdCluster, index: int) -> None:
    etcd.kill(index)


def pause(etcd: EtcdCluster, index: int) -> None:
    etcd.pause(index)


def repair(etcd: EtcdCluster, index: int) -> None:
    if index in etcd.running():
        etcd.resume(index)
    else:
        etcd.start(index)
    etcd.leader()


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("fault", "whose"), [(kill, "leader"), (pause, "leader"), (kill, "favourite"), (pause, "favourite")]
)
def test_a_lost_member_costs_less_than_the_lease_lasts(
    etcd: EtcdCluster, tmp_path: Path, fault: Fault, whose: str
) -> None:
    """The leases of profile ``vm`` are made for this: within own_s the next acknowledgement has to come."""

    async def story() -> float:
        async with nodes(etcd, tmp_path, f"/lost/{fault.__name__}/{whose}", "n1") as (node,):
            async with background(node.keep_renewing({})):
                await until(lambda: len(node.acknowledged) > 5, 5.0)
                index = await asyncio.to_thread(etcd.leader) if whose == "leader" else 0
                fault(etcd, index)
                hurt_s = time.monotonic()
                try:
                    await until(lambda: node.acknowledged[-1][0] > hurt_s + 3.0, 15.0)
                finally:
                    await asyncio.to_thread(repair, etcd, index)
            return node.longest_gap_s()

    gap_s = play(story())
    print(f"{whose} {fault.__name__}: longest gap between acknowledged renewals {gap_s:.2f} s")
    assert gap_s < TIMERS["vm"].own_s


@pytest.mark.timeout(90)
@pytest.mark.usefixtures("impatient")
def test_without_a_majority_nothing_is_acknowledged_and_nothing_taken(etcd: EtcdCluster, tmp_path: Path) -> None:
    async def story() -> None:
        async with nodes(etcd, tmp_path, "/minority", "n1") as (node,):
            await node.ask(node.renewal())
            etcd.pause(1)
            etcd.pause(2)
            try:
                outcomes = [await asyncio.wait_for(node.consult(node.renewal()), 5.0) for _turn in range(2)]
                state = node.arbiter.state()
            finally:
                etcd.resume(1)
                etcd.resume(2)
                await asyncio.to_thread(etcd.leader)
            assert (await node.ask(node.renewal())).renewed

        assert [outcome.verdict for outcome in outcomes] == [None, None]
        assert all(outcome.error for outcome in outcomes)
        assert (state["kind"], state["reachable"]) == ("etcd", False)

    play(story())


# -- TLS and passwords ------------------------------------------------------------------------------------


@pytest.mark.timeout(90)
def test_certificates_and_passwords_open_the_prefix_and_an_expired_token_is_renewed(
    guarded: tuple[EtcdCluster, Certificates], tmp_path: Path
) -> None:
    etcd, certificates = guarded
    on_node = files(tmp_path, certificates, ACCOUNT.password + "\r\n")

    async def story() -> None:
        async with opened(etcd, on_node, user=ACCOUNT.name) as store:
            made = await put(store, "node/n1", presence(1), 0)
            # Longer than a token of this etcd lives.
            await asyncio.sleep(2.5)
            again = await put(store, "node/n1", presence(2), made.records["node/n1"].revision)

        assert (made.done, again.done) == (True, True)

    play(story())


@pytest.mark.parametrize(
    ("user", "password", "prefix", "told"),
    [
        ("holdfast", "wrong", "/holdfast/web", "the user 'holdfast' or the password on this node is wrong"),
        ("holdfast", ACCOUNT.password, "/elsewhere", "user 'holdfast' may not read and write the prefix"),
        ("holdfast", "", "/holdfast/web", "the file with the password for etcd, .*, is empty"),
    ],
)
def test_what_is_wrong_with_an_account_is_said(
    guarded: tuple[EtcdCluster, Certificates], tmp_path: Path, user: str, password: str, prefix: str, told: str
) -> None:
    etcd, certificates = guarded
    on_node = files(tmp_path, certificates, password)

    async def story() -> None:
        async with opened(etcd, on_node, user=user, prefix=prefix) as store:
            with pytest.raises(StoreError, match=told) as refused:
                await store.carry_out(Read(since=0))
            assert "correct horse" not in str(refused.value)

    play(story())


def test_a_client_certificate_with_a_common_name_is_explained(
    guarded: tuple[EtcdCluster, Certificates], tmp_path: Path
) -> None:
    etcd, certificates = guarded
    named = certificates.with_common_name()

    async def story() -> None:
        async with opened(etcd, files(tmp_path, named, ACCOUNT.password), user=ACCOUNT.name) as store:
            with pytest.raises(StoreError, match="has a common name"):
                await store.carry_out(Read(since=0))

    play(story())


@pytest.mark.usefixtures("impatient")
def test_a_member_that_is_not_of_our_authority_is_refused(
    guarded: tuple[EtcdCluster, Certificates], tmp_path: Path
) -> None:
    etcd, _certificates = guarded
    foreign = make_certificates(tmp_path / "foreign", [member.address for member in etcd.members])

    async def story() -> None:
        async with opened(etcd, files(tmp_path, foreign, ACCOUNT.password), user=ACCOUNT.name) as store:
            with pytest.raises(StoreError, match=r"(?i)certificate verify failed"):
                await store.carry_out(Read(since=0))

    play(story())


def test_missing_certificate_files_are_named(guarded: tuple[EtcdCluster, Certificates], tmp_path: Path) -> None:
    etcd, _certificates = guarded

    async def story() -> None:
        async with opened(etcd, files(tmp_path), user=ACCOUNT.name) as store:
            with pytest.raises(StoreError, match=r"the certificate files for etcd \(.*none"):
                await store.carry_out(Read(since=0))

    play(story())


def presence(seq: int) -> Presence:
    return Presence(incarnation=1, seq=seq, lease=LEASE)


async def put(store: EtcdStore, key: str, record: Presence, expected: int) -> Answer:
    answer = await store.carry_out(Swap(puts={key: Put(expected=expected, record=record)}, since=expected))
    assert answer.done
    return answer


async def until(condition: Callable[[], bool], within_s: float) -> None:
    end_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end_s, "it did not come about in time"
        await asyncio.sleep(0.02)
