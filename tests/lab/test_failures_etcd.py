# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cluster with an etcd of three members as its arbiter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from holdfast_lab.scene import Scene
from holdfast_lab.trials.proof import prove, unnoticed
from holdfast_lab.trials.stage import stage
from holdfast_lab.world import launch
from holdfast_lab.world.places import Places

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Two nodes and an etcd, profile `vm`, set up and watched."""
    with stage(Places(tmp_path_factory.mktemp("stored")), launch.Wish(etcd=True)) as scene:
        yield scene


def test_no_client_notices_the_loss_of_one_member(stored: Scene) -> None:
    assert unnoticed(prove(stored, "etcd member killed"))


def test_the_other_node_serves_what_a_node_did_that_is_gone(stored: Scene) -> None:
    prove(stored, "power cut")
