# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's shared disks: reservations as in SCSI-3 (write exclusive, registrants only), letters, power loss."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from holdfast_lab.surface import disks
from holdfast_lab.surface.disks import DiskError, NoDiskError, Shelf

DISK = "HFLAB-1"


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    disks.create(tmp_path / "disks" / DISK)
    return tmp_path / "disks" / DISK


@pytest.fixture
def node(tmp_path: Path, disk: Path) -> Callable[..., Shelf]:
    def shelf(name: str, boot: str = "boot-1") -> Shelf:
        (tmp_path / "nodes" / name / "C").mkdir(parents=True, exist_ok=True)
        return Shelf(folder=disk.parent, node_folder=tmp_path / "nodes" / name, boot_id=boot)

    return shelf


def bring_up(shelf: Shelf, *, key: str, preempt: str | None = None) -> None:
    shelf.reserve(DISK, key=key, preempt=preempt)
    shelf.set_online(DISK, online=True)
    shelf.mount(DISK, letter="X:")


def refusal(action: Callable[[], None]) -> int:
    with pytest.raises(DiskError) as refused:
        action()
    return refused.value.code


def test_a_fresh_disk_is_offline_and_free(node: Callable[..., Shelf]) -> None:
    (view,) = node("n1").views()
    assert (view.id, view.online, view.read_only, view.holder, view.letters) == (DISK, False, False, None, ())


def test_the_holder_writes_through_its_letter(node: Callable[..., Shelf], disk: Path) -> None:
    n1 = node("n1")
    bring_up(n1, key="k1")
    (n1.node_folder / "X" / "page").write_text("hello")
    assert (disk / "content" / "page").read_text() == "hello"
    (view,) = n1.views()
    assert (view.online, view.holder, view.letters) == (True, "k1", ("X:",))
    assert disks.writers(disk) == {"n1"}


def test_nobody_else_gets_a_disk_that_is_held(node: Callable[..., Shelf], disk: Path) -> None:
    bring_up(node("n1"), key="k1")
    n2 = node("n2")
    assert refusal(lambda: n2.reserve(DISK, key="k2", preempt=None)) == disks.BUSY
    assert refusal(lambda: n2.reserve(DISK, key="k2", preempt="k0")) == disks.BUSY
    assert refusal(lambda: n2.set_online(DISK, online=True)) == disks.BUSY
    assert refusal(lambda: n2.mount(DISK, letter="X:")) == disks.DISK_OFFLINE
    assert disks.read_state(disk).registrations == {"k1": "n1"}
    assert n2.views()[0].read_only


def test_a_preempt_takes_the_disk_and_the_victim_cannot_write_any_more(node: Callable[..., Shelf], disk: Path) -> None:
    n1, n2 = node("n1"), node("n2")
    bring_up(n1, key="k1")
    bring_up(n2, key="k2", preempt="k1")
    assert disks.writers(disk) == {"n2"}
    with pytest.raises(FileNotFoundError):
        (n1.node_folder / "X" / "late").write_text("must not arrive")
    (view,) = n1.views()
    assert (view.read_only, view.letters) == (True, ("X:",))
    assert refusal(lambda: n1.mount(DISK, letter="X:")) == disks.WRITE_PROTECTED
    n1.unmount(letter="X:", force=False)
    assert n1.views()[0].letters == ()
    assert (n2.node_folder / "X").is_dir()


def test_a_mount_without_a_reservation_ends_when_somebody_reserves(node: Callable[..., Shelf], disk: Path) -> None:
    """SPC-3: write exclusive, registrants only, holds against nodes that never registered, too."""
    n1, n2 = node("n1"), node("n2")
    n1.set_online(DISK, online=True)
    n1.mount(DISK, letter="X:")
    assert disks.writers(disk) == {"n1"}
    n2.reserve(DISK, key="k2", preempt=None)
    assert disks.writers(disk) == set()


def test_an_ordered_hand_over_never_has_two_writers(node: Callable[..., Shelf], disk: Path) -> None:
    n1, n2 = node("n1"), node("n2")
    bring_up(n1, key="k1")
    n1.unmount(letter="X:", force=False)
    assert disks.writers(disk) == set()
    n1.set_online(DISK, online=False)
    n1.release(DISK, key="k1")
    bring_up(n2, key="k2")
    assert disks.writers(disk) == {"n2"}
    state = disks.read_state(disk)
    assert (state.registrations, state.holder, state.online, state.mounts) == (
        {"k2": "n2"},
        "k2",
        {"n2": "boot-1"},
        {"n2": "X:"},
    )


def test_a_new_key_of_the_holder_keeps_the_disk(node: Callable[..., Shelf], disk: Path) -> None:
    n1 = node("n1")
    bring_up(n1, key="epoch-7")
    n1.reserve(DISK, key="epoch-8", preempt=None)
    state = disks.read_state(disk)
    assert (state.registrations, state.holder) == ({"epoch-8": "n1"}, "epoch-8")
    assert disks.writers(disk) == {"n1"}


def test_a_key_cannot_be_used_or_released_by_another_node(node: Callable[..., Shelf]) -> None:
    node("n1").reserve(DISK, key="k1", preempt=None)
    assert refusal(lambda: node("n2").reserve(DISK, key="k1", preempt=None)) == disks.INVALID_PARAMETER
    assert refusal(lambda: node("n2").release(DISK, key="k1")) == disks.BUSY
    assert refusal(lambda: node("n2").reserve(DISK, key="", preempt=None)) == disks.INVALID_PARAMETER


def test_everything_can_be_done_twice(node: Callable[..., Shelf], disk: Path) -> None:
    n1 = node("n1")
    for _unused in range(2):
        bring_up(n1, key="k1")
    before = (disk / "state.json").stat().st_mtime_ns
    bring_up(n1, key="k1")
    assert (disk / "state.json").stat().st_mtime_ns == before
    for _unused in range(2):
        n1.unmount(letter="X:", force=False)
        n1.set_online(DISK, online=False)
        n1.release(DISK, key="k1")
    assert disks.read_state(disk) == disks.State()


def test_an_open_file_keeps_the_volume(node: Callable[..., Shelf]) -> None:
    n1 = node("n1")
    bring_up(n1, key="k1")
    with (n1.node_folder / "X" / "log").open("w"):
        with pytest.raises(DiskError, match=rf"files on X: are open: .*process {os.getpid()}\) uses log"):
            n1.unmount(letter="X:", force=False)
        assert n1.views()[0].letters == ("X:",)
    n1.unmount(letter="X:", force=False)


def test_force_unmounts_whatever_is_open(node: Callable[..., Shelf], disk: Path) -> None:
    n1 = node("n1")
    bring_up(n1, key="k1")
    with (n1.node_folder / "X" / "log").open("w"):
        n1.unmount(letter="X:", force=True)
    assert disks.writers(disk) == set()


def test_taking_a_disk_offline_takes_its_letter(node: Callable[..., Shelf], disk: Path) -> None:
    n1 = node("n1")
    bring_up(n1, key="k1")
    n1.set_online(DISK, online=False)
    assert not (n1.node_folder / "X").is_symlink()
    assert disks.writers(disk) == set()


def test_a_letter_that_is_taken_and_a_second_letter_are_refused(node: Callable[..., Shelf]) -> None:
    n1 = node("n1")
    n1.set_online(DISK, online=True)
    assert refusal(lambda: n1.mount(DISK, letter="C:")) == disks.PATH_IN_USE
    n1.mount(DISK, letter="X:")
    assert refusal(lambda: n1.mount(DISK, letter="Y:")) == disks.PATH_IN_USE
    assert refusal(lambda: n1.unmount(letter="C:", force=True)) == disks.ACCESS_DENIED


def test_after_a_power_cut_the_reservation_is_left_and_nothing_is_online(
    node: Callable[..., Shelf], disk: Path
) -> None:
    bring_up(node("n1"), key="k1")
    disks.power_off(disk.parent, node="n1")
    (view,) = node("n1", boot="boot-2").views()
    assert (view.online, view.holder) == (False, "k1")
    assert disks.writers(disk) == set()


def test_a_disk_is_offline_after_a_new_boot_even_when_nobody_cleaned_up(node: Callable[..., Shelf]) -> None:
    bring_up(node("n1"), key="k1")
    assert not node("n1", boot="boot-2").views()[0].online


def test_a_lost_path_hides_the_disk_but_the_letter_can_go(node: Callable[..., Shelf], disk: Path) -> None:
    n1 = node("n1")
    bring_up(n1, key="k1")
    shutil.move(disk, disk.parent.parent / "aside")
    assert n1.views() == ()
    with pytest.raises(NoDiskError):
        n1.release(DISK, key="k1")
    n1.unmount(letter="X:", force=False)
    assert not (n1.node_folder / "X").is_symlink()


@pytest.mark.parametrize("name", ["", "..", "a/b", "HFLAB-2"])
def test_a_disk_that_is_not_there_is_said_so(node: Callable[..., Shelf], name: str) -> None:
    with pytest.raises(NoDiskError):
        node("n1").set_online(name, online=True)


def test_a_damaged_state_file_is_refused(node: Callable[..., Shelf], disk: Path) -> None:
    (disk / "state.json").write_text('{"owner": "n1"}')
    with pytest.raises(DiskError, match=r"state\.json is damaged"):
        node("n1").views()
