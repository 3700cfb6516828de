# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node that loses its power, pauses, or shuts down: the other one serves, and never both."""

from __future__ import annotations

import time

import pytest

from holdfast_lab.scene import DISK, Scene, until
from holdfast_lab.trials.catalogue import other
from holdfast_lab.trials.episode import settle, timers_of
from holdfast_lab.trials.proof import NODE, prove, unnoticed

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)

WRITER = """
import sys, time
while True:
    try:
        with open(sys.argv[1], "a") as page:
            page.write(f"{time.monotonic()} {sys.argv[2]}\\n")
    except OSError as error:
        print(time.monotonic(), error, flush=True)
    time.sleep(0.0005)
"""


@pytest.mark.parametrize("name", ["power cut", "power cycle", "shutdown", "reboot"])
def test_the_other_node_serves_what_a_node_did_that_is_gone(guarded: Scene, name: str) -> None:
    prove(guarded, name)


def test_a_planned_move_leaves_clients_waiting_briefly(guarded: Scene) -> None:
    prove(guarded, "switchover")


def test_the_loss_of_the_node_that_serves_nothing_is_not_noticed(guarded: Scene) -> None:
    assert unnoticed(prove(guarded, "power cut", at=other(NODE)))


def test_a_node_that_paused_drops_what_it_no_longer_holds_as_soon_as_it_goes_on(guarded: Scene) -> None:
    episode = prove(guarded, "freeze")
    timers = timers_of(guarded)
    assert episode.thaw_s < timers.fence_light_s + 0.5


def test_a_disk_with_a_reservation_takes_no_write_of_a_node_that_paused_and_goes_on(guarded: Scene) -> None:
    """The writer tries to write without a pause, before, and from the first instant after the thaw."""
    guarded.bring({"shop": NODE})
    settle(guarded)
    written = guarded.lab.places.disk(DISK) / "content" / "shop" / "written.txt"
    page = guarded.lab.places.node(NODE) / "X" / "shop" / "written.txt"
    guarded.lab.start("writer", NODE, ["python", "-uc", WRITER, str(page), NODE])
    try:
        until(written.exists, within_s=5, or_say=lambda: "the writer did not begin")
        guarded.lab.fault("freeze", node=NODE)
        guarded.await_served("shop", other(NODE), within_s=3 * timers_of(guarded).take_s)
        mine = written.read_text()
        thawed_s = time.monotonic()
        guarded.lab.fault("thaw", node=NODE)
        until(lambda: refused_since(guarded, thawed_s), within_s=5, or_say=lambda: "the writer did not go on")
    finally:
        guarded.lab.stop("writer")
        guarded.lab.fault("heal")
    settle(guarded)
    assert written.read_text() == mine
    written.unlink()


def refused_since(scene: Scene, since_s: float) -> bool:
    """Whether the writer has tried and failed after this moment."""
    lines = (scene.lab.places.logs / "writer.log").read_text().splitlines()
    return any(float(line.split()[0]) > since_s for line in lines if line)
