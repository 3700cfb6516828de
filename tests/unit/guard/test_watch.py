# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard at work on a node in memory: what it takes off, in which order, and what it does when it cannot."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast import paths
from holdfast.core.values.model import Cluster, CommPath, Config, Hierarchy, Ip, Recovery, Site, Volume, Witness
from holdfast.errors import SurfaceError
from holdfast.guard import PermitFile, collect
from holdfast.guard.page import Page, token
from holdfast.guard.service import body
from holdfast.guard.watch import Guard
from holdfast.kits import Context, kit_of
from holdfast.surface import FOREVER_S, Address
from holdfast.windows.iis import write_sites
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

PRIORITIES = {"n1": 1, "n2": 2}
IP_SHOP = Ip(
    tag="ip-shop", address="10.77.0.113", prefix_length=24, interfaces={"n1": "LAN", "n2": "LAN"}, priorities=PRIORITIES
)
IP_DOCS = replace(IP_SHOP, tag="ip-docs", address="10.77.0.114")
VOLUME = Volume(tag="vol-shop", drive="X:", driver="shared_disk", disk="D-1", priorities=PRIORITIES)
SHOP = Hierarchy(
    tag="shop", kind="web", site="shop", priorities=PRIORITIES, drain_s=0, depends_on=("ip-shop", "vol-shop")
)
DOCS = Hierarchy(tag="docs", kind="web", site="docs", priorities=PRIORITIES, drain_s=0, depends_on=("ip-docs",))
CLUSTER = Cluster(
    name="web",
    arbiter=Witness(name="w", addresses={"path-a": "10.77.1.20"}, port=7431),
    profile="normal",
    comm_port=7430,
    comm_paths=(CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"}),),
)
CONFIG = Config(cluster=CLUSTER, ips=(IP_SHOP, IP_DOCS), volumes=(VOLUME,), hierarchies=(SHOP, DOCS))
SOON_S = 5.0


@pytest.fixture
def n1(tmp_path: Path) -> MemorySurface:
    node = MemoryWorld(tmp_path, disks=["D-1"]).node("n1")
    write_sites(
        node,
        [
            Site(name=name, kind="web", content=rf"C:\sites\{name}", app_pool=name, bindings=())
            for name in ("shop", "docs")
        ],
    )
    node.changes()
    return node


@pytest.fixture
def permits(n1: MemorySurface) -> PermitFile:
    made = PermitFile(n1)
    made.plan(node="n1", config=CONFIG)
    return made


@contextmanager
def _guarding(surface: MemorySurface) -> Iterator[Guard]:
    stopped = threading.Event()
    guard = Guard(surface, stopped)
    thread = threading.Thread(target=guard.run, name="guard", daemon=True)
    thread.start()
    try:
        yield guard
    finally:
        stopped.set()
        thread.join(SOON_S)
        assert not thread.is_alive()


def _serve(surface: MemorySurface, permits: PermitFile) -> None:
    """Everything is up here, as the monitor would have brought it up."""
    context = Context(surface=surface, node="n1", config=CONFIG, permit_s=permits.permit_s)
    for resource in (VOLUME, IP_SHOP, IP_DOCS, SHOP, DOCS):
        kit_of(resource).start(resource, context)
    surface.changes()


def _until(reached: Callable[[], bool]) -> float:
    began_s = time.monotonic()
    while not reached():
        assert time.monotonic() - began_s < SOON_S
        time.sleep(0.005)
    return time.monotonic() - began_s


def _off(surface: MemorySurface) -> bool:
    disk = surface.world.disks["D-1"]
    return not surface.entries and disk.holder is None and not disk.online and not disk.letters


def test_a_permit_that_runs_out_costs_the_group_its_address_its_disk_and_its_site_in_this_order(
    n1: MemorySurface, permits: PermitFile
) -> None:
    with _guarding(n1):
        until_s = n1.monotonic_s() + 0.4
        permits.publish({"shop": until_s, "docs": math.inf})
        n1.open_files.add("X:")
        _serve(n1, permits)
        _until(lambda: n1.sites.get("shop") == "stopped")
        assert n1.monotonic_s() > until_s
        assert n1.changes() == [
            "remove_address 10.77.0.113",
            "unmount X: by force",
            "set_disk_online D-1 off",
            "release_disk D-1",
            "iis_stop shop",
        ]
        assert [entry.address for entry in n1.entries] == ["10.77.0.114"]
        assert n1.sites["docs"] == "started"
        assert n1.resets == []
        time.sleep(0.3)
    told = [(note.kind, note.group, note.text) for note in collect(n1)]
    assert told == [
        ("guard", "shop", "took address 10.77.0.113 off LAN"),
        ("guard", "shop", "gave disk D-1 up, volume X: by force"),
        ("guard", "shop", "stopped site shop"),
    ]
    assert collect(n1) == []
    assert [event[2] for event in n1.events][:1] == ["The guard: group shop: took address 10.77.0.113 off LAN"]


def test_renewed_in_time_everything_stays_and_after_the_last_renewal_it_is_off(
    n1: MemorySurface, permits: PermitFile
) -> None:
    with _guarding(n1):
        until_s = n1.monotonic_s() + 0.5
        permits.publish({"shop": until_s, "docs": until_s})
        _serve(n1, permits)
        for _round in range(8):
            time.sleep(0.1)
            until_s = n1.monotonic_s() + 0.5
            permits.publish({"shop": until_s, "docs": until_s})
        assert n1.changes() == []
        _until(lambda: _off(n1))
        assert n1.monotonic_s() > until_s - 0.01


def test_a_manual_arbiter_leaves_the_guard_idle(n1: MemorySurface, permits: PermitFile) -> None:
    with _guarding(n1):
        permits.publish({"shop": math.inf, "docs": math.inf})
        _serve(n1, permits)
        time.sleep(0.4)
        assert n1.changes() == []


def test_a_monitor_that_restarts_and_publishes_nothing_yet_loses_nothing_before_the_old_deadline(
    n1: MemorySurface, permits: PermitFile
) -> None:
    with _guarding(n1):
        until_s = n1.monotonic_s() + 0.8
        permits.publish({"shop": until_s, "docs": until_s})
        _serve(n1, permits)
        permits.close()
        restarted = PermitFile(n1)
        restarted.plan(node="n1", config=CONFIG)
        restarted.publish({})
        time.sleep(0.4)
        assert n1.changes() == []
        restarted.publish({"docs": math.inf})
        _until(lambda: "iis_stop shop" in n1.log)
        assert n1.monotonic_s() > until_s
        assert [entry.address for entry in n1.entries] == ["10.77.0.114"]


def test_a_late_start_of_a_group_that_is_not_permitted_is_undone(n1: MemorySurface, permits: PermitFile) -> None:
    with _guarding(n1):
        permits.publish({"docs": math.inf})
        time.sleep(0.1)
        n1.add_address(
            interface="LAN", address="10.77.0.113", prefix_length=24, skip_as_source=True, lifetime_s=FOREVER_S
        )
        took_s = _until(lambda: not n1.entries)
        assert took_s < 0.4


def test_what_is_not_surely_ours_is_left_alone_while_the_group_never_had_a_permit(
    n1: MemorySurface, permits: PermitFile
) -> None:
    by_hand = Address(
        interface="LAN",
        address="10.77.0.113",
        prefix_length=24,
        usable=True,
        skip_as_source=False,
        lifetime_s=FOREVER_S,
    )
    n1.entries.append(by_hand)
    n1.set_disk_online(disk="D-1", online=True)
    n1.iis_start(site="docs")
    n1.changes()
    with _guarding(n1):
        permits.publish({})
        time.sleep(0.4)
        assert n1.changes() == []
        assert n1.entries == [by_hand]


@pytest.mark.parametrize("primitive", ["remove_address", "unmount", "addresses"])
def test_what_cannot_be_confirmed_to_be_off_in_time_costs_the_machine_its_life(
    n1: MemorySurface, permits: PermitFile, primitive: str
) -> None:
    with _guarding(n1):
        until_s = n1.monotonic_s() + 0.3
        permits.publish({"shop": until_s, "docs": math.inf})
        _serve(n1, permits)
        n1.fail[primitive] = SurfaceError(primitive, "the driver does not answer")
        if primitive == "addresses":
            n1.addresses = _hang  # type: ignore[method-assign] # it does not come back
        _until(lambda: bool(n1.resets))
        assert n1.monotonic_s() - until_s > 1.0
    assert "shop could not be confirmed to be off in time; the guard resets this machine" in n1.resets[0]
    assert "shop could not be confirmed" in " ".join(note.text for note in collect(n1))


def _hang() -> list[Address]:
    time.sleep(SOON_S)
    return []


def test_a_machine_that_may_not_be_reset_is_not_and_the_guard_goes_on_trying(n1: MemorySurface) -> None:
    permits = PermitFile(n1)
    cluster = replace(CLUSTER, recovery=Recovery(guard_resets=False))
    permits.plan(node="n1", config=replace(CONFIG, cluster=cluster))
    with _guarding(n1):
        permits.publish({"docs": n1.monotonic_s() + 0.2})
        n1.add_address(
            interface="LAN", address="10.77.0.114", prefix_length=24, skip_as_source=True, lifetime_s=FOREVER_S
        )
        n1.fail["remove_address"] = SurfaceError("remove_address", "the driver does not answer")
        _until(lambda: any("may not reset this machine" in event[2] for event in n1.events))
        assert n1.resets == []
        del n1.fail["remove_address"]
        _until(lambda: not n1.entries)


def test_a_permit_of_another_start_of_the_machine_says_nothing(n1: MemorySurface, permits: PermitFile) -> None:
    permits.publish({"shop": n1.monotonic_s() - 10})
    n1.boot = "boot-n1-2"
    n1.entries.append(
        Address(
            interface="LAN",
            address="10.77.0.113",
            prefix_length=24,
            usable=True,
            skip_as_source=True,
            lifetime_s=FOREVER_S,
        )
    )
    with _guarding(n1):
        time.sleep(0.3)
        assert n1.changes() == []


def test_a_plan_that_cannot_be_read_leaves_the_known_deadlines_in_force(n1: MemorySurface, permits: PermitFile) -> None:
    with _guarding(n1):
        until_s = n1.monotonic_s() + 0.5
        permits.publish({"shop": until_s, "docs": until_s})
        _serve(n1, permits)
        time.sleep(0.15)
        Page(n1.local_path(paths.PERMIT)).write(plan=b"unknown!", boot=token(n1.boot_id()), until_s=(1e9, 1e9))
        time.sleep(0.15)
        assert n1.changes() == []
        _until(lambda: _off(n1))
        assert n1.monotonic_s() > until_s


def test_the_guard_shows_that_it_lives_and_runs_as_a_service_until_it_is_stopped(n1: MemorySurface) -> None:
    stops: list[Callable[[], None]] = []
    thread = threading.Thread(target=body, args=(n1, stops.append, lambda _hear: None), daemon=True)
    thread.start()
    _until(lambda: bool(stops))
    page = Page(n1.local_path(paths.PERMIT))
    beat = page.beat()
    assert beat is not None
    time.sleep(0.3)
    later = page.beat()
    assert later is not None
    assert 4 <= later.serial - beat.serial <= 12
    stops[0]()
    thread.join(SOON_S)
    assert not thread.is_alive()


def test_a_pause_of_the_guard_is_written_down_and_what_ran_out_in_it_is_taken_off_at_once(
    n1: MemorySurface, permits: PermitFile
) -> None:
    guard = Guard(n1, threading.Event())
    permits.publish({"docs": n1.monotonic_s() + 0.2, "shop": math.inf})
    guard.tick()
    _until(lambda: guard.orders().due == frozenset() and guard._terms.now().plan.groups != ())
    _serve(n1, permits)
    guard.tick()
    time.sleep(0.7)
    guard.tick()
    took_s = _until(lambda: [entry.address for entry in n1.entries] == ["10.77.0.113"])
    assert took_s < 0.1
    _until(lambda: any("stood still for 0.7 s" in event[2] for event in n1.events))
