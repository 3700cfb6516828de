# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A shared disk between two nodes: never written by both, given up in the right order, from any half-way state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.errors import NotThereError, SurfaceError
from holdfast.windows import storage
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

DISK = "HFLAB-DISK-0001"


def _claim(node: str) -> storage.Claim:
    return storage.Claim(disk=DISK, letter="X:", key=storage.reservation_key(cluster="web", node=node))


@pytest.fixture
def world(tmp_path: Path) -> MemoryWorld:
    return MemoryWorld(tmp_path, disks=[DISK, "HFLAB-DISK-0002"])


@pytest.fixture
def n1(world: MemoryWorld) -> MemorySurface:
    return world.node("n1")


@pytest.fixture
def n2(world: MemoryWorld) -> MemorySurface:
    return world.node("n2")


def test_the_key_is_eight_bytes_of_the_two_names_and_differs_by_each() -> None:
    """Fixed here because every node computes the other's key: a change would break a running cluster."""
    keys = [storage.reservation_key(cluster=c, node=n) for c in ("web", "web2") for n in ("n1", "n2")]
    assert keys[0] == "2feadc20bf20372e"
    assert len(set(keys)) == 4
    assert all(len(bytes.fromhex(key)) == 8 for key in keys)


def test_taking_reserves_before_it_writes_and_giving_up_releases_last(n1: MemorySurface) -> None:
    storage.hold(n1, _claim("n1"))
    assert n1.changes() == [f"reserve_disk {DISK}", f"set_disk_online {DISK} on", "mount X:"]
    storage.give_up(n1, _claim("n1"))
    assert n1.changes() == ["unmount X:", f"set_disk_online {DISK} off", f"release_disk {DISK}"]


def test_a_disk_that_a_stranger_has_reserved_is_not_touched(n1: MemorySurface, n2: MemorySurface) -> None:
    storage.hold(n1, _claim("n1"))
    with pytest.raises(SurfaceError, match="no node's of this cluster; release it where it is used"):
        storage.hold(n2, _claim("n2"), rivals=["00000000000000ff"])
    assert n2.changes() == []


def test_a_reservation_that_another_node_left_behind_is_taken_from_it(n1: MemorySurface, n2: MemorySurface) -> None:
    """A node that lost power keeps its reservation; it must not keep the disk from whoever may serve."""
    storage.hold(n1, _claim("n1"))
    storage.hold(n2, _claim("n2"), rivals=[_claim("n1").key])
    assert storage.is_held(n2.disks()[0], _claim("n2"))
    assert not storage.is_held(n1.disks()[0], _claim("n1"))


def test_a_disk_that_no_path_leads_to_counts_as_given_up(world: MemoryWorld, n1: MemorySurface) -> None:
    world.disks[DISK].hidden_from.add("n1")
    storage.give_up(n1, _claim("n1"))
    assert n1.changes() == []


def test_after_giving_up_the_other_node_can_take_it(n1: MemorySurface, n2: MemorySurface) -> None:
    storage.hold(n1, _claim("n1"))
    storage.give_up(n1, _claim("n1"))
    storage.hold(n2, _claim("n2"))
    assert storage.is_held(n2.disks()[0], _claim("n2"))
    assert storage.is_given_up(n1.disks()[0], _claim("n1"))


def test_holding_twice_does_nothing_the_second_time(n1: MemorySurface) -> None:
    storage.hold(n1, _claim("n1"))
    n1.changes()
    storage.hold(n1, _claim("n1"))
    assert n1.changes() == []


def test_giving_up_what_the_other_node_holds_leaves_it_alone(n1: MemorySurface, n2: MemorySurface) -> None:
    storage.hold(n1, _claim("n1"))
    storage.give_up(n2, _claim("n2"))
    assert storage.is_held(n1.disks()[0], _claim("n1"))


@pytest.mark.parametrize("step", ["reserve_disk", "set_disk_online", "mount"])
def test_taking_that_failed_half_way_is_completed_or_undone_by_the_next_call(n1: MemorySurface, step: str) -> None:
    n1.fail[step] = SurfaceError(step, "the array is busy", 170)
    with pytest.raises(SurfaceError, match="the array is busy"):
        storage.hold(n1, _claim("n1"))
    del n1.fail[step]
    storage.give_up(n1, _claim("n1"))
    assert storage.is_given_up(n1.disks()[0], _claim("n1"))
    storage.hold(n1, _claim("n1"))
    assert storage.is_held(n1.disks()[0], _claim("n1"))


@pytest.mark.parametrize("step", ["unmount", "set_disk_online", "release_disk"])
def test_giving_up_that_failed_is_an_error_and_the_next_call_completes_it(n1: MemorySurface, step: str) -> None:
    storage.hold(n1, _claim("n1"))
    n1.fail[step] = SurfaceError(step, "the device is not ready", 21)
    with pytest.raises(SurfaceError, match="the device is not ready"):
        storage.give_up(n1, _claim("n1"))
    assert not storage.is_given_up(n1.disks()[0], _claim("n1"))
    del n1.fail[step]
    storage.give_up(n1, _claim("n1"))
    assert storage.is_given_up(n1.disks()[0], _claim("n1"))


def test_open_files_are_waited_for_and_then_overruled(n1: MemorySurface) -> None:
    storage.hold(n1, _claim("n1"))
    n1.changes()
    n1.open_files.add("X:")
    storage.give_up(n1, _claim("n1"), patience_s=0.25)
    done = n1.changes()
    polite = done.count("unmount X:")
    assert 2 <= polite <= 4
    assert done[polite] == "unmount X: by force"
    assert storage.is_given_up(n1.disks()[0], _claim("n1"))


def test_a_letter_that_another_disk_has_is_refused_before_the_reservation(n1: MemorySurface) -> None:
    other = replace(_claim("n1"), disk="HFLAB-DISK-0002")
    storage.hold(n1, other)
    n1.changes()
    with pytest.raises(SurfaceError, match="drive letter X: is used by disk 'HFLAB-DISK-0002'"):
        storage.hold(n1, _claim("n1"))
    assert n1.changes() == []
    assert storage.letter_user(n1, _claim("n1")) == "HFLAB-DISK-0002"


def test_a_disk_without_a_path_cannot_be_taken(world: MemoryWorld, n1: MemorySurface) -> None:
    world.disks[DISK].hidden_from.add("n1")
    with pytest.raises(NotThereError, match="no path leads to disk 'HFLAB-DISK-0001'"):
        storage.hold(n1, _claim("n1"))
