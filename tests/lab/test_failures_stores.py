# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster with a file on a share as its arbiter, and then, changed while it runs, with the clients' network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from holdfast_lab.demo.playbook import run_playbook
from holdfast_lab.scene import Scene, watched
from holdfast_lab.trials.episode import play
from holdfast_lab.trials.proof import keep, prove, unnoticed
from holdfast_lab.trials.stage import EVERY_MS, PATIENT
from holdfast_lab.world import launch
from holdfast_lab.world.places import Places
from holdfast_lab.world.preflight import NotPossibleError, check
from holdfast_lab.world.remote import Lab

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = [pytest.mark.timeout(180), pytest.mark.long]

SHARE = {"kind": "share", "path": r"\\files\holdfast"}
CLIENT = "10.77.0.5"
LAN = {"kind": "lan", "targets": [CLIENT], "accept_weaker": True}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Two nodes and a share that both reach."""
    try:
        check({"ip": "iproute2"})
    except NotPossibleError as error:
        pytest.skip(str(error))
    with launch.running(Places(tmp_path_factory.mktemp("shared")), launch.Wish()) as lab:
        (lab.places.shares / "files" / "holdfast").mkdir(parents=True)
        set_up(lab, SHARE)
        with watched(lab, every_ms=EVERY_MS) as scene:
            yield scene


def set_up(lab: Lab, arbiter: Mapping[str, Any]) -> None:
    options = json.dumps({"lab_recovery": PATIENT, "lab_arbiter": arbiter})
    run_playbook("site.yml", inventory=(*lab.inventory, "-e", options))


def lose(server: Path, away: Path) -> None:
    server.rename(away)


def test_the_other_node_serves_what_a_node_did_that_is_gone(shared: Scene) -> None:
    prove(shared, "power cut")

    assert list((shared.lab.places.shares / "files" / "holdfast").iterdir())


def test_while_the_share_is_away_the_nodes_live_by_each_others_votes(shared: Scene) -> None:
    server, away = shared.lab.places.shares / "files", shared.lab.places.shares / "away"
    try:
        episode = play(shared, partial(lose, server, away), lasts="own")
    finally:
        away.rename(server)

    keep("share lost", episode)
    assert unnoticed(episode)


def test_the_clients_network_takes_over_as_arbiter_while_groups_run(shared: Scene) -> None:
    set_up(shared.lab, LAN)

    prove(shared, "power cut")
