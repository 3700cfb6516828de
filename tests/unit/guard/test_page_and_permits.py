# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The channel between monitor and guard: what is published is read, whole, by the guard and by the next monitor."""

from __future__ import annotations

import math
import mmap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast import paths
from holdfast.core.values.model import Cluster, CommPath, Config, Hierarchy, Ip, Manual, Volume, Witness
from holdfast.core.values.profiles import TIMERS
from holdfast.errors import RequestError
from holdfast.guard import PermitFile, page, plan
from holdfast.guard.page import Page, token
from holdfast.guard.plan import plan_of, read_plan, write_plan
from holdfast.windows.storage import Claim, reservation_key
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

PRIORITIES = {"n1": 1, "n2": 2}
CLUSTER = Cluster(
    name="web",
    arbiter=Witness(name="w", addresses={"path-a": "10.77.1.20"}, port=7431),
    profile="normal",
    comm_port=7430,
    comm_paths=(CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"}),),
)


def _ip(tag: str, address: str) -> Ip:
    return Ip(tag=tag, address=address, prefix_length=24, interfaces={"n1": "LAN"}, priorities=PRIORITIES)


def _site(tag: str, *children: str) -> Hierarchy:
    return Hierarchy(tag=tag, kind="web", site=tag, priorities=PRIORITIES, drain_s=0, depends_on=children)


CONFIG = Config(
    cluster=CLUSTER,
    ips=(_ip("ip-shop", "10.77.0.113"), _ip("ip-docs", "10.77.0.114")),
    volumes=(Volume(tag="vol-shop", drive="X:", driver="shared_disk", disk="D-1", priorities=PRIORITIES),),
    hierarchies=(_site("shop", "ip-shop", "vol-shop"), _site("docs", "ip-docs")),
)


@pytest.fixture
def n1(tmp_path: Path) -> MemorySurface:
    return MemoryWorld(tmp_path, disks=["D-1"]).node("n1")


def _guards_view(surface: MemorySurface) -> dict[str, float]:
    """What a guard that starts now would read."""
    written = read_plan(surface.local_path(paths.PERMIT_PLAN))
    permit = Page(surface.local_path(paths.PERMIT)).permit()
    assert written is not None
    assert permit is not None
    assert permit.plan == written.id
    assert permit.boot == token(surface.boot_id())
    return dict(zip((group.name for group in written.groups), permit.until_s, strict=True))


# -- the mapped page -------------------------------------------------------------------------------
def test_what_is_written_is_read_through_another_mapping(tmp_path: Path) -> None:
    ours, theirs = Page(tmp_path / "permit"), Page(tmp_path / "permit")
    assert theirs.permit() is None
    ours.write(plan=b"p" * 8, boot=b"b" * 8, until_s=(1.5, math.inf, 0.0))
    found = theirs.permit()
    assert found is not None
    assert (found.plan, found.boot, found.until_s) == (b"p" * 8, b"b" * 8, (1.5, math.inf, 0.0))
    assert theirs.permit() is found


def test_a_permit_torn_at_any_byte_is_not_read_and_the_one_before_counts(tmp_path: Path) -> None:
    file = tmp_path / "permit"
    writer = Page(file)
    writer.write(plan=b"p" * 8, boot=b"b" * 8, until_s=(1.0, 2.0))
    before = file.read_bytes()
    writer.write(plan=b"p" * 8, boot=b"b" * 8, until_s=(3.0, 4.0))
    after = file.read_bytes()
    changed = [at for at in range(len(before)) if before[at] != after[at]]
    for cut in changed[1:]:
        file.write_bytes(after[:cut] + before[cut:])
        found = Page(file).permit()
        assert found is not None
        assert found.until_s == (1.0, 2.0), f"torn at byte {cut}"
    file.write_bytes(after)
    whole = Page(file).permit()
    assert whole is not None
    assert whole.until_s == (3.0, 4.0)


def test_a_writer_that_takes_over_never_touches_the_permit_that_counts(tmp_path: Path) -> None:
    file = tmp_path / "permit"
    for number in range(1, 6):
        Page(file).write(plan=b"p" * 8, boot=b"b" * 8, until_s=(float(number),))
        with file.open("r+b") as opened, mmap.mmap(opened.fileno(), 0) as raw:
            slots = [raw[start : start + 40] for start in (0, page._SLOT_BYTES)]
        serials = [int.from_bytes(slot[8:16], "little") for slot in slots]
        assert max(serials) == number
        assert min(serials) == number - 1


def test_the_guards_sign_of_life_is_read_and_a_torn_one_is_none(tmp_path: Path) -> None:
    file = tmp_path / "permit"
    guard, monitor = Page(file), Page(file)
    assert monitor.beat() is None
    guard.write_beat(boot=b"b" * 8, at_s=12.5, gap_s=0.05)
    guard.write_beat(boot=b"b" * 8, at_s=13.5, gap_s=0.05)
    beat = monitor.beat()
    assert beat is not None
    assert (beat.serial, beat.at_s, beat.gap_s) == (2, 13.5, 0.05)
    raw = bytearray(file.read_bytes())
    raw[page._BEAT_AT + 20] ^= 1
    file.write_bytes(raw)
    assert monitor.beat() is None


# -- the plan --------------------------------------------------------------------------------------
def test_a_plan_holds_what_is_taken_off_and_how_soon() -> None:
    docs, shop = plan_of(node="n1", config=CONFIG).groups
    key = reservation_key(cluster="web", node="n1")
    assert (docs.name, docs.addresses, docs.disks, docs.sites) == ("docs", ("10.77.0.114",), (), ("docs",))
    assert docs.fence_s == TIMERS["normal"].fence_light_s
    assert (shop.name, shop.addresses, shop.sites) == ("shop", ("10.77.0.113",), ("shop",))
    assert shop.disks == (Claim(disk="D-1", letter="X:", key=key),)
    assert shop.fence_s == TIMERS["normal"].fence_s


def test_a_plan_comes_back_from_its_file_and_a_torn_file_is_none(tmp_path: Path) -> None:
    wanted, file = plan_of(node="n1", config=CONFIG), tmp_path / "plan"
    assert read_plan(file) is None
    write_plan(file, wanted)
    found = read_plan(file)
    assert found == wanted
    assert found is not None
    assert found.id == wanted.id != plan_of(node="n2", config=CONFIG).id
    file.write_bytes(file.read_bytes()[:-7])
    assert read_plan(file) is None


def test_more_groups_than_the_guard_can_watch_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "GROUPS_MAX", 1)
    with pytest.raises(RequestError, match="2 groups are more than the 1"):
        plan_of(node="n1", config=CONFIG)


# -- the monitor's side ----------------------------------------------------------------------------
def test_a_published_permit_reaches_the_guard_and_the_kits(n1: MemorySurface) -> None:
    permits = PermitFile(n1)
    permits.plan(node="n1", config=CONFIG)
    until_s = n1.monotonic_s() + 2.0
    permits.publish({"shop": until_s})
    assert _guards_view(n1) == {"docs": 0.0, "shop": until_s}
    left_s = permits.permit_s("vol-shop")
    assert left_s is not None
    assert 1.5 < left_s <= 2.0
    none_s = permits.permit_s("ip-docs")
    assert none_s is not None
    assert none_s < 0
    assert permits.permit_s("nothing-of-ours") is not None
    permits.publish({"shop": math.inf})
    assert permits.permit_s("shop") is None


def test_a_group_that_was_published_and_is_not_any_more_has_no_permit(n1: MemorySurface) -> None:
    permits = PermitFile(n1)
    permits.plan(node="n1", config=CONFIG)
    permits.publish({"shop": 100.0, "docs": 100.0})
    permits.publish({"shop": 101.0})
    assert _guards_view(n1) == {"docs": 0.0, "shop": 101.0}


def test_a_monitor_that_restarts_keeps_the_old_deadline_until_it_has_one_of_its_own(n1: MemorySurface) -> None:
    former, now_s = PermitFile(n1), n1.monotonic_s()
    former.plan(node="n1", config=CONFIG)
    former.publish({"shop": now_s + 1, "docs": now_s + 2})
    permits = PermitFile(n1)
    assert _guards_view(n1) == {"docs": now_s + 2, "shop": now_s + 1}
    permits.plan(node="n1", config=CONFIG)
    permits.publish({})
    assert _guards_view(n1) == {"docs": now_s + 2, "shop": now_s + 1}
    permits.publish({"docs": now_s + 3})
    assert _guards_view(n1) == {"docs": now_s + 3, "shop": now_s + 1}
    permits.publish({})
    assert _guards_view(n1) == {"docs": 0.0, "shop": now_s + 1}


def test_nothing_is_taken_over_from_before_a_restart_of_the_machine(n1: MemorySurface) -> None:
    former = PermitFile(n1)
    former.plan(node="n1", config=CONFIG)
    former.publish({"shop": 500.0})
    n1.boot = "boot-n1-2"
    permits = PermitFile(n1)
    permits.plan(node="n1", config=CONFIG)
    assert _guards_view(n1) == {"docs": 0.0, "shop": 0.0}


def test_what_was_permitted_for_ever_by_hand_is_not_once_an_arbiter_decides(n1: MemorySurface) -> None:
    permits = PermitFile(n1)
    permits.plan(node="n1", config=replace(CONFIG, cluster=replace(CLUSTER, arbiter=Manual())))
    permits.publish({"shop": math.inf, "docs": math.inf})
    permits.plan(node="n1", config=CONFIG)
    assert all(n1.monotonic_s() < until_s <= n1.monotonic_s() + 2.2 for until_s in _guards_view(n1).values())


def test_a_group_under_a_new_name_keeps_its_deadline_until_the_core_has_published_it(n1: MemorySurface) -> None:
    permits = PermitFile(n1)
    permits.plan(node="n1", config=replace(CONFIG, hierarchies=(_site("shop", "ip-shop", "vol-shop"),)))
    permits.publish({"ip-docs": 50.0})
    permits.plan(node="n1", config=CONFIG)
    assert _guards_view(n1) == {"docs": 50.0, "shop": 0.0}
    permits.publish({"docs": 60.0})
    permits.publish({})
    assert _guards_view(n1) == {"docs": 0.0, "shop": 0.0}


def test_a_guard_that_is_silent_is_told_of_only_while_a_permit_can_run_out(n1: MemorySurface) -> None:
    permits = PermitFile(n1)
    permits.plan(node="n1", config=CONFIG)
    permits.publish({"shop": math.inf, "docs": math.inf})
    assert permits.warnings() == []
    permits.publish({"shop": n1.monotonic_s() + 2})
    (never,) = permits.warnings()
    assert never.startswith("the guard has not run since this machine was started: start the service HoldfastGuard")
    guard = Page(n1.local_path(paths.PERMIT))
    guard.write_beat(boot=token(n1.boot_id()), at_s=n1.monotonic_s(), gap_s=0.05)
    assert permits.warnings() == []
    guard.write_beat(boot=token(n1.boot_id()), at_s=n1.monotonic_s() - 7.2, gap_s=0.05)
    (late,) = permits.warnings()
    assert late.startswith("the guard has not looked for 7 s")


def test_publishing_a_thousand_groups_takes_no_time_worth_speaking_of(n1: MemorySurface) -> None:
    ips = tuple(_ip(f"ip-{number:04d}", f"10.78.{number // 250}.{1 + number % 250}") for number in range(1000))
    permits = PermitFile(n1)
    permits.plan(node="n1", config=Config(cluster=CLUSTER, ips=ips))
    began_s = time.perf_counter()
    for round_ in range(50):
        permits.publish({ip.tag: 1000.0 + round_ for ip in ips})
    assert (time.perf_counter() - began_s) / 50 < 0.01
    assert set(_guards_view(n1).values()) == {1049.0}
