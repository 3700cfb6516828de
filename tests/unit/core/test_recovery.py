# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What recovery leaves behind as data: notes with rules and values, countdowns, a history that every node knows.

The stories themselves are in tests/scenarios; here is what their text does not show.
"""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.core.moves.group import GroupMachine
from holdfast.core.moves.heirs import heirs, orphan_bar
from holdfast.core.moves.readiness import judge
from holdfast.core.values import events as e
from holdfast.core.values.facts import WebFacts
from holdfast.core.values.graph import Group
from holdfast.core.values.messages import Register
from holdfast.core.values.model import Hierarchy, Site
from holdfast.core.wire import codec
from holdfast_sim.theatre import Theatre

FAILING = ("command n1 in_service docs n1", "sick n1 start docs fail", "switch_off n1 docs", "notice n1 docs", "run 1")


def _played(*lines: str) -> Theatre:
    theatre = Theatre()
    for line in lines:
        theatre.do(line)
    return theatre


def _group(theatre: Theatre, node: str, name: str = "docs") -> GroupMachine:
    return theatre.world.processes[node].machine.groups[name]


def _row(theatre: Theatre, node: str, name: str = "docs") -> dict[str, Any]:
    view = theatre.world.processes[node].machine.view()
    assert view is not None
    row: dict[str, Any] = next(row for row in view["groups"] if row["name"] == name)["recovery"]
    return row


def _notes(theatre: Theatre, kind: str) -> list[e.Note]:
    return [note for _now_s, _node, note in theatre.world.notes if note.kind == kind]


def test_a_decision_is_noted_with_its_rule_and_all_that_it_rests_on() -> None:
    theatre = _played("nodes n1 n2 arbiter=witness", *FAILING)

    first, second = (note.fields for note in _notes(theatre, "recovery"))
    assert (first["rule"], first["remedy"], first["because"]) == ("HF801", "restart", "docs is down")
    assert (second["rule"], second["remedy"], second["to"]) == ("HF802", "move", "n2")
    assert second["restarts"] == [1, 3]
    assert second["candidates"] == [{"node": "n2", "priority": 1, "why_not": ""}]


def test_a_decision_not_to_act_says_when_it_is_made_anew() -> None:
    theatre = _played("nodes n1 n2", *FAILING)

    left = _notes(theatre, "recovery")[-1].fields
    assert (left["rule"], left["remedy"], left["again_in_s"]) == ("HF804", "wait", 5.0)


def test_the_countdown_goes_down() -> None:
    theatre = _played("nodes n1 n2", *FAILING)

    before = _row(theatre, "n1")
    theatre.do("run 2")
    after = _row(theatre, "n1")

    assert before["again_in_s"] - after["again_in_s"] == 2.0
    assert before["quarantine"][0]["seconds_left"] - after["quarantine"][0]["seconds_left"] == 2.0
    assert after["quarantine"][0]["node"] == "n1"


def test_every_node_shows_the_same_budgets() -> None:
    theatre = _played("nodes n1 n2 n3 arbiter=witness", *FAILING, "run 1")

    rows = [_row(theatre, node) for node in ("n1", "n2", "n3")]
    assert [row["restarts"]["used"] for row in rows] == [1, 1, 1]
    assert [row["failovers"]["used"] for row in rows] == [1, 1, 1]


def test_what_befell_the_group_is_on_every_disk() -> None:
    theatre = _played("nodes n1 n2 arbiter=witness", *FAILING, "run 1")

    kept = {name: computer.registers["docs"].history for name, computer in theatre.world.computers.items()}
    assert kept["n1"] == kept["n2"]
    assert [i.kind for i in kept["n1"].incidents] == ["restart", "failure", "failover"]


def test_a_history_goes_over_the_wire_and_to_disk_and_back() -> None:
    theatre = _played("nodes n1 n2 arbiter=witness", *FAILING, "run 1")
    register = _group(theatre, "n2").register

    assert register.history.incidents
    assert codec.decode(Register, codec.encode(register, Register)) == register
    assert codec.decode(Register, codec.encode(register, Register, terse=True)) == register


def test_a_restarted_monitor_counts_incidents_from_its_start() -> None:
    theatre = _played("nodes n1 n2 arbiter=witness window_s=60", *FAILING, "run 40", "restart n2", "run 30")

    assert _row(theatre, "n1")["restarts"]["used"] == 0
    assert _row(theatre, "n2")["restarts"]["used"] == 1


def test_a_command_pardons_on_every_node() -> None:
    theatre = _played("nodes n1 n2 arbiter=witness", *FAILING, "cure n1", "command n1 in_service docs n1", "run 1")

    assert _group(theatre, "n1").register.history.incidents == ()
    assert _group(theatre, "n2").register.history.incidents == ()


def test_a_plan_and_a_check_pardon_nothing() -> None:
    theatre = _played("nodes n1 n2 arbiter=witness", *FAILING, "run 6", "command n1 plan docs n1")
    theatre.do("command n1 in_service docs n1 check=yes")

    assert len(_group(theatre, "n1").register.history.incidents) == 3


def test_a_standby_tells_that_it_is_not_ready() -> None:
    theatre = _played("nodes n1 n2 arbiter=witness", "command n1 in_service docs n1", "sick n2 inspect docs fail")
    theatre.do("run 130")

    found = heirs(_group(theatre, "n1"), without=["n1"])
    assert [(c.node, c.why_not) for c in found] == [("n2", "n2 could not look at docs")]


@pytest.mark.parametrize(("services", "refused"), [({"W3SVC": "running"}, True), ({"W3SVC": "stopped"}, False)])
def test_a_source_whose_iis_is_off_cannot_be_different(services: dict[str, str], *, refused: bool) -> None:
    """Its certificates cannot be read then, and a group that fails there must not be kept there for that."""
    here, there = (
        WebFacts(
            state="down",
            site=Site(name="shop", kind="web", content=content, app_pool="shop", bindings=()),
            autostart=False,
            services=services,
            certificates={},
            content_present=None,
        )
        for content, services in (("C:\\shop", {"W3SVC": "running"}), ("C:\\Shop", services))
    )
    shop = Hierarchy(tag="shop", kind="web", site="shop", priorities={"n1": 1, "n2": 2}, drain_s=0.0, depends_on=())
    group = Group(name="shop", hierarchies=(shop,), ips=(), volumes=())

    problems = judge(group, node="n2", facts={"shop": here}, source="n1", theirs={"shop": there})

    assert bool(problems) == refused


def test_who_would_take_over_if_a_node_died() -> None:
    theatre = _played("nodes n1 n2 n3 arbiter=witness", "command n1 in_service docs n3", "run 1")

    assert [c.node for c in heirs(_group(theatre, "n1"), without=["n3"])] == ["n2", "n1"]


def test_a_node_that_shuts_down_is_no_candidate_and_its_peers_know() -> None:
    theatre = _played("nodes n1 n2 n3 arbiter=witness", "command n1 in_service docs n3", "sick n3 stop docs hang")
    theatre.do("shutdown n3")
    theatre.do("run 1")
    theatre.do("shutdown n2")
    theatre.do("run 0.02")

    bar = orphan_bar(_group(theatre, "n2"))
    assert bar is not None
    assert bar.reason == "n2 shuts down"
    assert {c.node: c.why_not for c in heirs(_group(theatre, "n1"))}["n2"] == "n2 shuts down"
