# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The monitor, the guard or the witness is killed or hangs."""

from __future__ import annotations

import pytest

from holdfast_lab.scene import Scene
from holdfast_lab.trials.proof import prove, unnoticed

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("name", ["monitor killed", "witness killed"])
def test_no_client_notices(guarded: Scene, name: str) -> None:
    assert unnoticed(prove(guarded, name))


def test_the_other_node_serves_when_monitor_and_guard_hang_for_the_address_carries_its_permit(guarded: Scene) -> None:
    prove(guarded, "monitor and guard hung")
