# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A file on a share as the store of an arbiter: real files, with the memory surface's locks in place of SMB's."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from holdfast.arbiter import share, share_file
from holdfast.arbiter.share import ShareStore
from holdfast.arbiter.stored import StoreError
from holdfast.core.cluster.ownership import take
from holdfast.core.values.lease import Lease
from holdfast.core.values.model import Share
from holdfast.core.values.records import Answer, Operation, Presence, Put, Read, Swap
from holdfast.errors import SurfaceError
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

T = TypeVar("T")
FOLDER = r"\\files\quorum\holdfast"
FIRST = Presence(incarnation=1, seq=1, lease=Lease(light_s=2.0, full_s=3.0))
HELD = take(epoch=4, node="n1", out=frozenset({"docs"}))


@pytest.fixture
def world(tmp_path: Path) -> MemoryWorld:
    world = MemoryWorld(tmp_path)
    (tmp_path / "shares" / "files" / "quorum" / "holdfast").mkdir(parents=True)
    return world


@pytest.fixture
def node(world: MemoryWorld) -> MemorySurface:
    return world.node("n1")


@pytest.fixture
def file(world: MemoryWorld) -> Path:
    return world.folder / "shares" / "files" / "quorum" / "holdfast" / "holdfast-web.records"


async def in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


def store(surface: MemorySurface, cluster: str = "web") -> ShareStore:
    return ShareStore(Share(path=FOLDER), cluster=cluster, surface=surface, in_thread=in_thread)


def do(opened: ShareStore, *operations: Operation) -> Answer:
    """The answer to the last."""

    async def story() -> Answer:
        for operation in operations[:-1]:
            await opened.carry_out(operation)
        return await opened.carry_out(operations[-1])

    return asyncio.run(story())


def put(key: str, record: Presence, expected: int, since: int = 0) -> Swap:
    return Swap(puts={key: Put(expected=expected, record=record)}, since=since)


def test_a_swap_succeeds_once_and_tells_what_changed(node: MemorySurface) -> None:
    opened = store(node)
    empty = do(opened, Read(since=0))
    made = do(opened, put("node/n1", FIRST, 0))
    again = do(opened, put("node/n1", FIRST, 0, since=1))
    held = do(opened, Swap(puts={"own/shop": Put(expected=0, record=HELD)}, since=made.revision))
    everything = do(store(node), Read(since=0))

    assert (empty.revision, dict(empty.records)) == (0, {})
    assert (made.done, made.revision) == (True, 1)
    assert (again.done, again.complete, again.records) == (False, True, made.records)
    assert (held.done, list(held.records)) == (True, ["own/shop"])
    assert {key: each.record for key, each in everything.records.items()} == {"node/n1": FIRST, "own/shop": HELD}


def test_a_swap_that_was_torn_leaves_what_was_before(node: MemorySurface, file: Path) -> None:
    before = do(store(node), put("node/n1", FIRST, 0), put("node/n2", FIRST, 0))
    do(store(node), put("node/n3", FIRST, 0))
    whole = file.read_bytes()
    for length in (0, 8, 60, 200):
        # The third swap lies in the first place; so much of it had been written.
        file.write_bytes(
            b"\0" * 300 + whole[300:] if not length else whole[:length] + b"\0" * 200 + whole[length + 200 :]
        )

        assert set(do(store(node), Read(since=0)).records) == {"node/n1", "node/n2"}, length
    assert before.revision == 2


def test_a_file_of_which_nothing_is_whole_is_refused(node: MemorySurface, file: Path) -> None:
    file.write_bytes(b"something else")

    with pytest.raises(StoreError, match=r"the file is torn or not one of Holdfast's\. .* delete it"):
        do(store(node), Read(since=0))


def test_a_file_of_another_cluster_is_refused(node: MemorySurface, file: Path) -> None:
    do(store(node, "mail"), put("node/n1", FIRST, 0))
    file.with_name("holdfast-mail.records").rename(file)

    with pytest.raises(StoreError, match="the file belongs to cluster mail, not web"):
        do(store(node), Read(since=0))


def test_an_older_copy_and_another_file_are_refused(node: MemorySurface, file: Path) -> None:
    opened = store(node)
    do(opened, put("node/n1", FIRST, 0))
    copy = file.read_bytes()
    do(opened, put("node/n2", FIRST, 0))

    file.write_bytes(copy)
    with pytest.raises(StoreError, match="the file is an older copy: revision 1, and 2 was there already"):
        do(opened, Read(since=0))
    file.unlink()
    with pytest.raises(StoreError, match="the file was replaced by another"):
        do(opened, Read(since=0))


def test_a_file_that_another_node_has_open_is_waited_for(world: MemoryWorld, node: MemorySurface) -> None:
    path = FOLDER + r"\holdfast-web.records"
    other = world.node("n2").exclusive_file(path=path)
    threading.Timer(0.2, other.close).start()

    assert do(store(node), put("node/n1", FIRST, 0)).done


def test_a_share_out_of_reach_is_named(world: MemoryWorld, node: MemorySurface) -> None:
    shutil.rmtree(world.folder / "shares")

    with pytest.raises(StoreError, match=r"holdfast-web\.records: .*the network path was not found"):
        do(store(node), Read(since=0))


def test_a_share_that_hangs_costs_one_thread(node: MemorySurface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(share, "OPERATION_S", 0.1)
    release, calls = threading.Event(), []

    async def in_thread_counted(work: Callable[[], T]) -> T:
        calls.append(work)
        await asyncio.to_thread(release.wait, 5.0)
        return await asyncio.to_thread(work)

    async def story() -> Answer:
        opened = ShareStore(Share(path=FOLDER), cluster="web", surface=node, in_thread=in_thread_counted)
        with pytest.raises(StoreError, match="no answer within"):
            await opened.carry_out(put("node/n1", FIRST, 0))
        with pytest.raises(StoreError, match="an earlier operation on the share still hangs"):
            await opened.carry_out(Read(since=0))
        assert len(calls) == 1
        release.set()
        await asyncio.sleep(0.05)
        return await opened.carry_out(Read(since=0))

    # What hung has taken effect after all.
    assert set(asyncio.run(story()).records) == {"node/n1"}


def test_records_that_do_not_fit_are_refused_and_what_was_there_stays(
    node: MemorySurface, monkeypatch: pytest.MonkeyPatch
) -> None:
    do(store(node), put("node/n1", FIRST, 0))
    monkeypatch.setattr(share_file, "PLACE_BYTES", 300)

    with pytest.raises(StoreError, match="the file has room for"):
        do(store(node), put("node/n2", FIRST, 0))
    monkeypatch.undo()

    assert set(do(store(node), Read(since=0)).records) == {"node/n1"}


def test_four_nodes_that_swap_at_once_lose_nothing(world: MemoryWorld) -> None:
    async def count(name: str) -> int:
        opened = store(world.node(name))
        done = 0
        for _turn in range(10):
            answer = await opened.carry_out(Read(since=0))
            stored = answer.records.get("node/n0")
            before = stored.record.seq if stored and isinstance(stored.record, Presence) else 0
            record = Presence(incarnation=1, seq=before + 1, lease=FIRST.lease)
            swap = put("node/n0", record, stored.revision if stored else 0)
            done += (await opened.carry_out(swap)).done
        return done

    async def story() -> int:
        return sum(await asyncio.gather(*(count(f"n{number}") for number in range(1, 5))))

    succeeded = asyncio.run(story())
    [stored] = do(store(world.node("n1")), Read(since=0)).records.values()

    assert isinstance(stored.record, Presence)
    assert stored.record.seq == succeeded > 0


def test_an_error_of_the_system_is_not_taken_for_a_state(node: MemorySurface) -> None:
    node.fail["exclusive_file"] = SurfaceError("exclusive_file", "the disk is full", 112)

    with pytest.raises(StoreError, match="the disk is full"):
        do(store(node), Read(since=0))
