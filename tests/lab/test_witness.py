# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A witness that lost its memory is a stranger: it decides nothing until the playbook says that it is meant."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from typing import Any

import pytest

from holdfast_lab.demo.playbook import run_playbook
from holdfast_lab.scene import Scene
from holdfast_lab.world.calls import call
from holdfast_lab.world.remote import Lab

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(300)

NODES = ("n1", "n2")
MEMORY = "C/ProgramData/Holdfast/witness"


def test_a_wiped_witness_stops_nothing_and_grants_nothing_until_it_is_accepted(guarded: Scene) -> None:
    lab = guarded.lab
    begun_s = time.monotonic()
    wipe(lab)
    until(lambda: all("another instance" in arbiter(lab, node)["why"] for node in NODES), "they notice")
    time.sleep(3.0)  # longer than a permit lasts
    epochs = {group["name"]: group["epoch"] for group in status(lab)["groups"]}

    run = run_playbook("accept_witness.yml", inventory=lab.inventory)
    again = run_playbook("accept_witness.yml", inventory=lab.inventory)

    assert {host: counts["changed"] for host, counts in run.hosts.items()} == dict.fromkeys(NODES, 1)
    assert {host: counts["changed"] for host, counts in again.hosts.items()} == dict.fromkeys(NODES, 0)
    until(lambda: all(voting(lab, node)["answers"] for node in NODES), "it votes for both")
    assert {group["name"]: group["epoch"] for group in status(lab)["groups"]} == epochs, "nothing has moved"
    for tag in ("shop", "docs"):
        assert guarded.clients(tag, begun_s, time.monotonic() - 1.0).failures == 0


def wipe(lab: Lab) -> None:
    lab.fault("power_off", node="w1")
    shutil.rmtree(lab.places.node("w1") / MEMORY)
    lab.fault("power_on", node="w1")


def status(lab: Lab, node: str = "n1") -> dict[str, Any]:
    return dict(call(lab, node, "cluster_info", {}))


def arbiter(lab: Lab, node: str) -> dict[str, Any]:
    return dict(status(lab, node)["arbiter_state"])


def voting(lab: Lab, node: str) -> dict[str, Any]:
    return dict(status(lab, node)["voting"])


def until(condition: Callable[[], bool], what: str, within_s: float = 30.0) -> None:
    deadline_s = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline_s, f"this did not happen: {what}"
        time.sleep(0.2)
