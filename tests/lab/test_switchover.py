# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moves under load, and moves that something goes wrong in: what clients and oracles see.

After every test the fixture `scene` asserts that the oracles never saw an address or a disk on two nodes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast_lab.client.load import load
from holdfast_lab.scene import ADDRESSES, HOME, Scene, until

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)

OUTAGE_MS = 3000.0
"""A move here takes clients 30 to 200 ms; this leaves room for a machine that does ten other things."""

HANG_S = 60.0
SETTLE_S = 20.0


# -- moves that succeed ------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", ["shop", "docs"])
def test_a_switchover_and_back_leaves_nothing_behind_and_clients_wait_briefly(scene: Scene, tag: str) -> None:
    home, away = HOME[tag], other(HOME[tag])
    for source, target in ((home, away), (away, home)):
        start_s = time.monotonic()
        answer = scene.move(tag, target)

        assert [move["outcome"] for move in answer["data"]["moves"]] == ["moved"]
        scene.await_served(tag, target)
        end_s = time.monotonic()
        assert scene.arp_answers(tag, start_s, end_s) == [source, target]
        clients = scene.clients(tag, start_s, end_s)
        assert [spell.node for spell in clients.spells] == [source, target]
        assert clients.longest_outage_ms < OUTAGE_MS


@pytest.mark.parametrize("slow", [f"remove_address:{ADDRESSES['shop']}", "iis_stop:shop"])
def test_no_client_gets_the_page_of_another_site_however_slow_a_step_of_the_source_is(scene: Scene, slow: str) -> None:
    """The fresh IIS has a Default Web Site on all addresses, which answers wherever a stopped site leaves a gap."""
    assert scene.sites("n1")["Default Web Site"] == "started"
    start_s = time.monotonic()
    scene.inject("n1", slow, hang_s=0.3)

    assert scene.move("shop", "n2")["ok"]

    scene.await_served("shop", "n2")
    assert scene.foreign_pages("shop", start_s, time.monotonic()) == []


def test_https_with_its_certificate_moves_along(scene: Scene) -> None:
    ca = scene.lab.places.pki / "ca.crt"
    url, address = "https://shop.example.com/", ADDRESSES["shop"]
    with load(scene.lab, url, every_ms=20, timeout_ms=900, connect=address, ca=ca) as asked:
        assert scene.move("shop", "n2")["ok"]
        moved_s = time.monotonic()
        until(
            lambda: any(s.ok and s.start_s > moved_s for s in asked.read()),
            within_s=5,
            or_say=lambda: f"https is not answered: {asked.samples[-3:]}",
        )

    assert [spell.node for spell in asked.summary.spells] == ["n1", "n2"]
    assert asked.summary.longest_outage_ms < OUTAGE_MS


def test_a_site_moves_to_the_node_it_is_on_without_a_change(scene: Scene) -> None:
    start_s = time.monotonic()

    answer = scene.move("shop", "n1", at="n2")

    assert (answer["changed"], answer["data"]["moves"][0]["outcome"]) == (False, "unchanged")
    assert scene.clients("shop", start_s, time.monotonic()).failures == 0


# -- out of service ----------------------------------------------------------------------------------


def test_out_of_service_starts_nowhere_and_stays_so_through_crashes_and_power_cuts(scene: Scene) -> None:
    answer = scene.ask("n2", "out_of_service", tags=["shop"])
    assert answer["ok"]
    scene.await_standing("shop", None)
    out_s = time.monotonic()

    scene.kill_monitors("n1", "n2")
    scene.await_standing("shop", None)
    scene.power("off", "n1", "n2")
    scene.power("on", "n1", "n2")
    scene.await_served("docs", "n2", within_s=SETTLE_S)
    scene.await_monitors("n1", "n2")

    scene.await_standing("shop", None)
    assert scene.address_intervals("shop", out_s) == []
    assert scene.ask("n1", "in_service", tags=["shop"])["ok"]
    scene.await_served("shop", "n1")


# -- monitors and nodes that go away and come back ---------------------------------------------------


def test_a_monitor_that_is_killed_is_started_again_and_no_client_notices(scene: Scene) -> None:
    start_s = time.monotonic()

    scene.kill_monitors("n1", "n2")

    scene.await_standing("shop", "n1")
    scene.await_standing("docs", "n2")
    for tag in ("shop", "docs"):
        assert scene.clients(tag, start_s, time.monotonic()).errors == {}
        assert len(scene.address_intervals(tag, start_s)) == 1


def test_a_holder_that_reboots_serves_again_and_nobody_took_over_meanwhile(scene: Scene) -> None:
    start_s = time.monotonic()
    scene.power("off", "n1")
    scene.await_standing("shop", None)

    scene.power("on", "n1")

    scene.await_served("shop", "n1", within_s=SETTLE_S)
    assert {i.holder for i in scene.address_intervals("shop", start_s)} == {"n1"}


def test_a_holder_that_comes_back_alone_waits_until_its_peer_is_back_too(scene: Scene) -> None:
    scene.power("off", "n1", "n2")
    off_s = time.monotonic()
    scene.power("on", "n1")
    scene.await_monitors("n1", alone=True)
    assert scene.address_intervals("shop", off_s) == []

    scene.power("on", "n2")

    scene.await_served("shop", "n1", within_s=SETTLE_S)
    scene.await_served("docs", "n2", within_s=SETTLE_S)


# -- moves that fail half-way ------------------------------------------------------------------------


def test_a_target_that_cannot_start_the_site_gives_it_back(scene: Scene) -> None:
    scene.inject("n2", "iis_start:shop", fail="the worker process crashed", code=0x80070032)

    answer = scene.move("shop", "n2")

    assert not answer["ok"]
    assert "the worker process crashed" in answer["error"]["message"]
    assert "n1 serves it again" in answer["error"]["message"]
    scene.await_served("shop", "n1")
    scene.heal("n2")
    assert_moves(scene, "shop", "n2")


def test_moves_of_two_groups_that_fail_at_the_same_time_are_both_taken_back(scene: Scene, broken_page: Path) -> None:
    """shop cannot leave n1, since its address hangs there; docs answers with errors on n1 and goes back to n2.

    The slow one: the core waits ten seconds for a step on an address, and a site has as long for a good answer.
    """
    start_s = time.monotonic()
    scene.inject("n1", f"remove_address:{ADDRESSES['shop']}", hang_s=10.5)
    moving = scene.begin("shop", "n2")

    docs = scene.move("docs", "n1", at="n2")
    shop = moving.result()

    assert "HTTP status 500" in docs["error"]["message"]
    assert "n2 serves it again" in docs["error"]["message"]
    assert "stop of ip-shop failed: no answer within 10 s" in shop["error"]["message"]
    assert "n1 has started it again" in shop["error"]["message"]
    scene.await_served("docs", "n2")
    scene.await_served("shop", "n1")
    assert scene.clients("shop", start_s, time.monotonic()).longest_outage_ms < OUTAGE_MS
    scene.heal("n1")
    broken_page.unlink()
    assert_moves(scene, "shop", "n2")
    assert_moves(scene, "docs", "n1")


def test_a_target_whose_monitor_is_killed_in_the_middle_finishes_the_move_when_it_is_back(scene: Scene) -> None:
    moving = hang_target_half_way(scene)
    before = {"n2": scene.service("n2")["pid"]}

    scene.lab.fault("kill_service", node="n2")
    scene.heal("n2")
    scene.await_new_monitors(before)

    scene.await_served("shop", "n2", within_s=SETTLE_S)
    moving()
    assert_moves(scene, "shop", "n2")


def test_a_source_whose_monitor_is_killed_in_the_middle_finishes_the_hand_over_when_it_is_back(scene: Scene) -> None:
    moving = hang_source_half_way(scene)
    before = {"n1": scene.service("n1")["pid"]}

    scene.lab.fault("kill_service", node="n1")
    scene.heal("n1")
    scene.await_new_monitors(before)

    scene.await_served("shop", "n2", within_s=SETTLE_S)
    moving()
    assert_moves(scene, "shop", "n2")


def test_a_target_that_loses_power_in_the_middle_serves_when_it_is_back_and_nobody_before(scene: Scene) -> None:
    moving = hang_target_half_way(scene)

    scene.power("off", "n2")
    scene.heal("n2")
    answer = moving()
    assert answer["error"]["kind"] == "unreachable"
    assert "n2 stopped answering" in answer["error"]["message"]
    scene.await_standing("shop", None)
    scene.power("on", "n2")

    scene.await_served("shop", "n2", within_s=SETTLE_S)
    assert_moves(scene, "shop", "n2")


def test_a_hand_over_that_is_cut_off_ends_when_the_paths_are_back_and_nobody_serves_before(scene: Scene) -> None:
    moving = hang_source_half_way(scene)

    cut_comm_paths(scene)
    scene.heal("n1")
    answer = moving()
    assert not answer["ok"]
    assert "n1 stopped answering" in answer["error"]["message"]
    scene.await_standing("shop", None)
    scene.lab.fault("restore_path", node="n1")

    scene.await_served("shop", "n2", within_s=SETTLE_S)
    assert_moves(scene, "shop", "n2")


def test_a_target_that_is_cut_off_after_the_grant_serves_and_the_source_does_not_start_again(scene: Scene) -> None:
    moving = hang_target_half_way(scene)

    cut_comm_paths(scene)
    scene.heal("n2")
    scene.await_served("shop", "n2", within_s=SETTLE_S)
    assert "n2 stopped answering" in moving()["error"]["message"]
    scene.lab.fault("restore_path", node="n1")
    scene.await_monitors("n1", "n2")

    scene.await_standing("shop", "n2")
    assert_moves(scene, "shop", "n2")


@pytest.fixture
def broken_page(scene: Scene) -> Iterator[Path]:
    """IIS answers every request for docs on n1 with status 500: its web.config is no XML."""
    file = scene.lab.places.node("n1") / "C" / "sites" / "docs" / "web.config"
    file.write_text("<configuration>", encoding="utf-8")
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def other(node: str) -> str:
    return "n2" if node == "n1" else "n1"


def hang_target_half_way(scene: Scene) -> Callable[[], dict[str, Any]]:
    """n1 has let go of shop, n2 has its disk and hangs in starting the site; ends with the command's answer."""
    scene.inject("n2", "iis_start:shop", hang_s=HANG_S)
    moving = scene.begin("shop", "n2")
    until(lambda: scene.standing("shop")["disk"] == {"n2"}, within_s=10, or_say=lambda: f"{scene.standing('shop')}")
    return moving.result


def hang_source_half_way(scene: Scene) -> Callable[[], dict[str, Any]]:
    """n1 has removed the address and hangs in stopping the site; ends with the command's answer."""
    scene.inject("n1", "iis_stop:shop", hang_s=HANG_S)
    moving = scene.begin("shop", "n2", at="n2")
    until(lambda: scene.standing("shop")["address"] == set(), within_s=10, or_say=lambda: f"{scene.standing('shop')}")
    return moving.result


def cut_comm_paths(scene: Scene) -> None:
    for network in ("a", "b"):
        scene.lab.fault("cut_path", node="n1", network=network)


def assert_moves(scene: Scene, tag: str, node: str) -> None:
    """The command, given again, brings the site to the node."""
    answer = scene.move(tag, node)
    assert answer["ok"], answer
    scene.await_served(tag, node)
