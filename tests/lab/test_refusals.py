# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A switchover that cannot succeed is refused while the site serves on, and says what is wrong, where, and the cure."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast_lab.scene import ADDRESSES, DISK, Scene, until
from holdfast_lab.world.described import described

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)


def test_the_target_does_not_see_the_disk(scene: Scene) -> None:
    with fault(scene, "remove_disk_path", "restore_disk_path", node="n2"), serving(scene, "shop"):
        answer = scene.move("shop", "n2")

    assert_refused(
        answer,
        rule="HF608",
        place="vol-shop on n2",
        message=f"n2 does not see disk {DISK}.",
        cure="Restore the path to the disk",
    )


def test_the_target_lacks_the_certificate(scene: Scene) -> None:
    thumbprint = scene.lab.generated()["lab_https_thumbprint"]
    with fault(scene, "remove_certificate", "restore_certificate", node="n2"), serving(scene, "shop"):
        answer = scene.move("shop", "n2")

    assert_refused(
        answer,
        rule="HF606",
        place="shop on n2",
        message=f"certificate {thumbprint} of n2: missing.",
        cure="Install the certificate with its private key in the machine store MY of n2.",
    )


def test_the_target_s_monitor_is_down(scene: Scene) -> None:
    scene.stop_service("n2", "Holdfast")
    try:
        until(lambda: not alive_for(scene, "n1", "n2"), within_s=5, or_say=lambda: "n1 still hears n2")
        with serving(scene, "shop"):
            answer = scene.move("shop", "n2")
    finally:
        scene.start_service("n2", "Holdfast")
        scene.await_monitors("n1", "n2")

    assert answer["error"]["kind"] == "unreachable"
    assert "shop stays as it is: n2 is" in answer["error"]["message"]
    assert "Start service Holdfast on n2" in answer["error"]["message"]


def test_the_target_s_network_card_is_down(scene: Scene) -> None:
    with fault(scene, "cut_lan", "restore_path", node="n2", how="unplug"), serving(scene, "shop"):
        answer = scene.move("shop", "n2")

    assert_refused(
        answer,
        rule="HF610",
        place="ip-shop on n2",
        message="network card 'LAN' of n2 is down or missing.",
        cure="Connect the card, or correct 'interface' of this address.",
    )


def test_the_target_lacks_the_content_folder(scene: Scene) -> None:
    folder = drive(scene, "n1") / "sites" / "docs"
    aside = folder.rename(folder.with_name("elsewhere"))
    try:
        with serving(scene, "docs"):
            answer = scene.move("docs", "n1")
    finally:
        aside.rename(folder)

    assert_refused(
        answer,
        rule="HF607",
        place="docs on n1",
        message="the content folder of docs does not exist on n1.",
        cure="Copy the content there",
    )


def test_the_site_was_changed_by_hand_on_the_target_which_a_description_puts_right(scene: Scene) -> None:
    with edited_iis(scene, "n2", "10.77.0.113:80:", "10.77.0.113:8080:"), serving(scene, "shop"):
        answer = scene.move("shop", "n2")
        described = scene.ask("n2", "site", sites=inventory(scene)["holdfast_sites"])
        moved = scene.ask("n2", "plan", tag="shop", node="n2")

    assert_refused(
        answer,
        rule="HF224",
        place="sites.shop.bindings[http 10.77.0.113:8080:]",
        message="site 'shop' differs: 'http 10.77.0.113:8080:' on n2, 'no such binding' on n1.",
        cure="Run the playbook site.yml so that it is the same on both.",
    )
    assert described["changed"]
    assert moved["data"]["allowed"]


def test_the_site_was_removed_on_the_target(scene: Scene) -> None:
    with edited_iis(scene, "n2", 'name="shop" id', 'name="Shop" id'), serving(scene, "shop"):
        answer = scene.move("shop", "n2")

    assert_refused(
        answer,
        rule="HF604",
        place="shop on n2",
        message="IIS on n2 has no site named 'shop'.",
        cure="names must be equal, letter case included",
    )


def test_one_node_has_another_configuration(scene: Scene) -> None:
    extra = {"tag": "ip-extra", "address": "10.77.0.120", "prefix_length": 24, "interface": "LAN"}
    assert scene.ask("n2", "ip", ips=[{**extra, "priorities": {"n1": 1, "n2": 2}}])["changed"]
    try:
        with serving(scene, "shop"):
            answer = scene.move("shop", "n2")
    finally:
        assert scene.ask("n2", "ip", ips=inventory(scene)["holdfast_ips"], prune=True)["changed"]

    assert_refused(
        answer,
        rule="HF602",
        place="n2 and n1",
        message="n2 and n1 have different configurations",
        cure="Run the set-up playbook for all nodes.",
    )


def test_iis_is_stopped_on_the_target(scene: Scene) -> None:
    assert scene.move("docs", "n1")["ok"]
    scene.stop_service("n2", "W3SVC")
    try:
        with serving(scene, "shop"), serving(scene, "docs"):
            answer = scene.move("shop", "n2")
    finally:
        scene.start_service("n2", "W3SVC")

    assert_refused(
        answer,
        rule="HF612",
        place="shop on n2",
        message="service W3SVC of n2 is stopped.",
        cure="Start service W3SVC on n2.",
    )


def test_a_stranger_answers_for_an_address_that_nobody_serves(scene: Scene) -> None:
    assert scene.ask("n1", "out_of_service", tags=["shop"])["ok"]
    with fault(scene, "steal_address", "give_address_back", address=ADDRESSES["shop"]):
        answer = scene.move("shop", "n2")
        assert scene.standing("shop")["address"] == {"stranger"}

    assert_refused(
        answer,
        rule="HF611",
        place="ip-shop on n2",
        message=f"{ADDRESSES['shop']} is answered by 02:48:46:00:00:42, and no node of the cluster serves it.",
        cure="Find that machine and take the address away from it.",
    )


def test_a_tag_or_a_node_that_there_is_not(scene: Scene) -> None:
    with serving(scene, "shop"):
        tag, node = scene.move("shpo", "n2"), scene.move("shop", "n3")

    assert tag["error"]["kind"] == node["error"]["kind"] == "rule"
    assert tag["error"]["message"] == "Nothing with the tag 'shpo' is protected. Did you mean 'shop'?"
    assert node["error"]["message"] == "'n3' is no node of this cluster; its nodes are n1, n2."


def assert_refused(answer: dict[str, Any], *, rule: str, place: str, message: str, cure: str) -> None:
    """The answer is a refusal with this problem among its problems, and its sentence is in the message too."""
    assert not answer["ok"]
    error = answer["error"]
    assert error["kind"] == "refused"
    found = {(problem["rule"], problem["path"]): problem for problem in error["problems"]}
    assert (rule, place) in found
    problem = found[rule, place]
    assert message in problem["message"]
    assert cure in problem["cure"]
    assert message.rstrip(".") in error["message"]


@contextmanager
def serving(scene: Scene, tag: str) -> Iterator[None]:
    """Every request for the site in this block is answered well by the node that has it now."""
    [node] = scene.standing(tag)["address"]
    start_s = time.monotonic()
    yield
    clients = scene.clients(tag, start_s, time.monotonic())
    assert clients.errors == {}
    assert {spell.node for spell in clients.spells} == {node}
    scene.await_standing(tag, node)


@contextmanager
def fault(scene: Scene, cause: str, undo: str, **where: str) -> Iterator[None]:
    """The lab's fault is in effect in the block."""
    scene.lab.fault(cause, **where)
    try:
        yield
    finally:
        scene.lab.fault(undo, **{name: value for name, value in where.items() if name != "how"})


@contextmanager
def edited_iis(scene: Scene, node: str, old: str, new: str) -> Iterator[None]:
    """Somebody has changed this text in the configuration of IIS on the node, by hand."""
    file = drive(scene, node) / "Windows/System32/inetsrv/config/applicationHost.config"
    before = file.read_text(encoding="utf-8")
    assert before.count(old) == 1
    replace(file, before.replace(old, new))
    try:
        yield
    finally:
        replace(file, before)


def replace(file: Path, text: str) -> None:
    """The file has this text, from one moment to the next."""
    fresh = file.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)


def alive_for(scene: Scene, node: str, peer: str) -> bool:
    """Whether the node's monitor hears the peer's."""
    nodes = scene.ask(node, "cluster_info")["data"]["nodes"]
    return any(other["name"] == peer and other["state"] == "alive" for other in nodes)


def inventory(scene: Scene) -> dict[str, Any]:
    """The lab's own description of cluster and sites."""
    return described(scene.lab)


def drive(scene: Scene, node: str) -> Path:
    """Drive C: of the node."""
    return scene.lab.places.node(node) / "C"
