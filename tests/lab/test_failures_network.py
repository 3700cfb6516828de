# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Cards, networks and paths that are cut, one by one, together and one way, or bad: one node serves, never both."""

from __future__ import annotations

import pytest

from holdfast_lab.scene import Scene
from holdfast_lab.trials.proof import prove, unnoticed

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("name", ["link lost", "all paths cut", "isolated"])
def test_the_other_node_serves_when_a_node_is_cut_off(guarded: Scene, name: str) -> None:
    prove(guarded, name)


@pytest.mark.parametrize(
    "name",
    ["one path cut", "paths between nodes cut", "paths cut outwards", "paths cut inwards", "paths lossy and slow"],
)
def test_no_client_notices_that_nodes_hear_each_other_badly_or_not_at_all(guarded: Scene, name: str) -> None:
    assert unnoticed(prove(guarded, name))
