# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The oracles and the load client see what is done by hand on the lab's machines."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from holdfast_lab.client.load import load
from holdfast_lab.oracle.recording import recording
from holdfast_lab.world.hands import announce, give, take, tidy_up
from holdfast_lab.world.remote import Lab

SHOP = "10.77.0.113"
DISK = "HFLAB-DISK-0001"


@pytest.fixture(autouse=True)
def everything_as_before(plain_lab: Lab) -> Iterator[None]:
    """After each test every machine is on, its cables are good and the shop's address is nowhere."""
    yield
    tidy_up(plain_lab, SHOP)


def test_the_oracles_see_an_address_that_is_moved_by_hand(plain_lab: Lab) -> None:
    with recording(plain_lab, addresses=[SHOP]) as seen:
        give(plain_lab, "n1", SHOP)
        time.sleep(0.15)
        take(plain_lab, "n1", SHOP)
        give(plain_lab, "n2", SHOP)
        time.sleep(0.15)
    assert [interval.holder for interval in seen.addresses()] == ["n1", "n2"]
    assert [interval.holder for interval in seen.answers()] == ["n1", "n2"]
    assert seen.faults() == []


def test_the_oracles_see_an_address_that_is_on_two_nodes_for_a_moment(plain_lab: Lab) -> None:
    with recording(plain_lab, addresses=[SHOP]) as seen:
        give(plain_lab, "n1", SHOP)
        give(plain_lab, "n2", SHOP)
        time.sleep(0.15)
        take(plain_lab, "n1", SHOP)
        time.sleep(0.1)
    faults = seen.faults()
    assert any("on n1 and n2 for" in fault for fault in faults)
    assert any("was answered by n1 and n2" in fault for fault in faults)


def test_the_shortest_double_address_is_seen_though_no_sample_could(plain_lab: Lab) -> None:
    """Both changes come in one batch of one process, some microseconds apart."""
    give(plain_lab, "n1", SHOP)
    batch = f"address add {SHOP}/24 dev LAN\naddress del {SHOP}/24 dev LAN\n"
    with recording(plain_lab, addresses=[SHOP]) as seen:
        for _unused in range(20):
            assert plain_lab.run("n2", ["ip", "-batch", "-"], stdin=batch).code == 0
    assert sum("on n1 and n2" in fault or "on n2 and n1" in fault for fault in seen.faults()) >= 20


def test_the_oracles_see_who_has_a_way_to_a_disk(plain_lab: Lab) -> None:
    ways = plain_lab.places.disk(DISK) / "paths"
    with recording(plain_lab, addresses=[SHOP], disks=[DISK]) as seen:
        for node in ("n1", "n2"):
            (ways / node).symlink_to("../content")
            time.sleep(0.05)
            (ways / node).unlink()
        (ways / "n1").symlink_to("../content")
        (ways / "n2").symlink_to("../content")
        (ways / "n1").unlink()
        (ways / "n2").unlink()
    assert [interval.holder for interval in seen.disks()] == ["n1", "n2", "n1", "n2"]
    assert len(seen.faults()) == 1
    assert seen.faults()[0].startswith(f"disk {DISK} on n1 and n2")


def test_a_stolen_address_is_seen_with_the_thief(plain_lab: Lab) -> None:
    give(plain_lab, "n1", SHOP)
    try:
        with recording(plain_lab, addresses=[SHOP]) as seen:
            plain_lab.fault("steal_address", address=SHOP)
            time.sleep(0.15)
            plain_lab.fault("give_address_back", address=SHOP)
    finally:
        assert {interval.holder for interval in seen.addresses()} == {"n1", "stranger"}
    assert any("n1 and stranger" in fault for fault in seen.faults())


def test_the_load_client_sees_an_address_move_and_who_answered(plain_lab: Lab) -> None:
    give(plain_lab, "n1", SHOP)
    with load(plain_lab, f"http://{SHOP}/", every_ms=5, timeout_ms=1000) as asked:
        time.sleep(0.3)
        take(plain_lab, "n1", SHOP)
        give(plain_lab, "n2", SHOP)
        announce(plain_lab, "n2", SHOP)
        time.sleep(0.5)
    assert [spell.node for spell in asked.summary.spells] == ["n1", "n2"]
    assert asked.summary.requests > 100
