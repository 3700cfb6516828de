# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The monitor, the guard or the witness is killed or hangs."""

from __future__ import annotations

import pytest

from holdfast_lab.scene import Scene
from holdfast_lab.trials.proof import NODE, prove, unnoticed

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("name", ["monitor killed", "witness killed"])
def test_no_client_notices(guarded: Scene, name: str) -> None:
    assert unnoticed(prove(guarded, name))


def test_the_other_node_serves_when_monitor_and_guard_hang_for_the_address_carries_its_permit(guarded: Scene) -> None:
    prove(guarded, "monitor and guard hung")


def test_the_guard_takes_off_what_a_hung_monitor_serves(guarded: Scene) -> None:
    prove(guarded, "monitor hung")


def test_the_guard_resets_the_machine_when_it_cannot_take_the_disk_off(guarded: Scene) -> None:
    before = guarded.lab.status()["machines"][NODE]["boot_id"]
    prove(guarded, "monitor hung, disk stuck")
    assert guarded.lab.status()["machines"][NODE]["boot_id"] != before
    log = (guarded.lab.places.node(NODE) / "standin" / "eventlog.jsonl").read_text(encoding="utf-8")
    assert "shop could not be confirmed to be off in time; the guard resets this machine" in log
