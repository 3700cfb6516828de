# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A node that loses its power, pauses, or shuts down: the other one serves, and never both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from holdfast_lab.oracle import intervals
from holdfast_lab.scene import ADDRESSES, DISK, Scene, until
from holdfast_lab.trials.catalogue import other
from holdfast_lab.trials.episode import settle, timers_of
from holdfast_lab.trials.proof import NODE, prove, unnoticed

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)

WRITER = """
import sys, time
while True:
    now_s = time.monotonic()
    try:
        with open(sys.argv[1], "a") as page:
            page.write(f"{now_s}\\n")
    except OSError as error:
        print(now_s, error, flush=True)
    time.sleep(0.0005)
"""


@pytest.mark.parametrize("name", ["power cut", "shutdown"])
def test_the_other_node_serves_what_a_node_did_that_is_gone(guarded: Scene, name: str) -> None:
    prove(guarded, name)


def test_a_planned_move_leaves_clients_waiting_briefly(guarded: Scene) -> None:
    prove(guarded, "switchover")


def test_the_loss_of_the_node_that_serves_nothing_is_not_noticed(guarded: Scene) -> None:
    assert unnoticed(prove(guarded, "power cut", at=other(NODE)))


def test_a_node_that_paused_drops_what_it_no_longer_holds_and_its_writes_do_not_reach_the_disk(guarded: Scene) -> None:
    """The writer tries to write without a pause: before, and from the first instant after the thaw.

    A write that was begun before the pause (its time is older) the lab cannot refuse, as a disk's reservation would.
    """
    with writer(guarded) as (page, log):
        episode = prove(guarded, "freeze")
        _who, thawed_s = intervals.thaws(guarded.seen.records)[-1]
        until(lambda: latest_s(log) > thawed_s, within_s=5, or_say=lambda: "the writer did not go on")
        assert latest_s(page) < thawed_s
    timers = timers_of(guarded)
    assert episode.thaw_s < timers.fence_light_s + timers.own_s


@contextmanager
def writer(scene: Scene) -> Iterator[tuple[Path, Path]]:
    """A program on the node that serves appends to a file of the shared disk: that file and the log of its failures."""
    scene.bring(dict.fromkeys(ADDRESSES, NODE))
    settle(scene)
    page = scene.lab.places.disk(DISK) / "content" / "shop" / "written.txt"
    log = scene.lab.places.logs / "writer.log"
    there = scene.lab.places.node(NODE) / "X" / "shop" / "written.txt"
    scene.lab.start("writer", NODE, ["python", "-uc", WRITER, str(there)])
    try:
        until(page.exists, within_s=5, or_say=lambda: "the writer did not begin")
        yield page, log
    finally:
        scene.lab.stop("writer")
        page.unlink(missing_ok=True)


def latest_s(file: Path) -> float:
    """The time in the file's last line, minus infinity when it has none."""
    times = [float(line.split()[0]) for line in file.read_text(encoding="utf-8").splitlines() if line]
    return max(times, default=float("-inf"))
