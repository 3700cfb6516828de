# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read in the output of a playbook; the words themselves are those of the program on the node."""

from __future__ import annotations

from typing import Any

from ansible_collections.holdfast.iis.plugins.plugin_utils._tables import (
    move_table,
    plan_table,
    status_table,
    stop_table,
)

MOVE: dict[str, Any] = {
    "group": "shop",
    "tags": ["shop"],
    "from": "n1",
    "to": "n2",
    "epoch": 8,
    "outcome": "moved",
    "outage_s": 0.0124,
    "phases": [{"name": "stop", "node": "n1", "resource": "shop", "start_s": 0.0, "seconds": 0.004}],
}
STAYS = {**MOVE, "group": "docs", "outcome": "unchanged", "phases": []}


def test_a_move_is_told_with_its_phases_and_without_colours() -> None:
    lines = move_table([MOVE], check=False)

    assert "shop" in lines[0]
    assert "12 ms" in lines[0]
    assert any("stop" in line and "n1" in line and "4.0" in line for line in lines[1:])
    assert "\x1b" not in "".join(lines)


def test_check_mode_speaks_of_what_would_be_done() -> None:
    first = {"group": "new", "tags": ["new"], "from": None, "to": None, "outcome": "predicted"}

    assert move_table([MOVE, STAYS, first], check=True) == [
        "shop would be brought in service on n2, from n1",
        "new would be brought in service on its preferred node",
    ]
    assert move_table([STAYS], check=True) == ["nothing would be done"]


def test_a_stop_in_check_mode_would_be_done() -> None:
    stop = {"group": "shop", "tags": ["shop", "blog"], "outcome": "stopped"}

    assert stop_table([stop], check=True) == ["shop, blog would be taken out of service"]
    assert "would" not in stop_table([stop], check=False)[0]


def test_where_holdfast_does_not_run_yet_the_tables_say_so() -> None:
    assert status_table({}) == plan_table({}) == ["Holdfast does not run on this node yet."]


def test_a_plan_that_cannot_be_done_says_why() -> None:
    problem = {
        "path": "vol-shop",
        "message": "n2 does not see the disk.",
        "cure": "Look at its cable.",
        "rule": "HF604",
    }
    plan = {
        "group": "shop",
        "tags": ["shop"],
        "from": "n1",
        "to": "n2",
        "allowed": False,
        "problems": [problem],
        "phases": [],
        "dragged": ["docs"],
    }

    text = "\n".join(plan_table(plan))

    assert "NOT POSSIBLE" in text
    assert "Look at its cable." in text
    assert "docs" in text
