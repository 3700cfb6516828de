# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a group does when nobody tells it: it looks, brings what runs to what may run, and gives way to people."""

from __future__ import annotations

import pytest

from holdfast.core.moves.group import GroupMachine
from holdfast.core.moves.tending import next_look_s
from holdfast_sim.cluster import STEADY, World


@pytest.fixture
def world() -> World:
    """Two nodes that have met."""
    world = World(STEADY)
    world.run(1.0)
    return world


def _group(world: World, node: str, name: str = "shop") -> GroupMachine:
    return world.processes[node].machine.groups[name]


def _command(world: World, verb: str, **args: object) -> str:
    id_ = world.command("n1", verb, tags=["shop"], **args)
    world.run_until(lambda: id_ in world.answers, 20.0)
    return id_


def test_a_group_that_rests_is_looked_at_again_in_time(world: World) -> None:
    g = _group(world, "n1")
    assert g.observed_s is not None
    due_s = next_look_s(g)
    assert due_s is not None
    assert g.observed_s < due_s <= g.observed_s + world.processes["n1"].machine.timers.observe_s


def test_a_group_at_work_waits_for_its_steps(world: World) -> None:
    world.command("n1", "in_service", tags=["shop"], node="n1")
    world.run(0.03)
    g = _group(world, "n1")
    assert g.task is not None
    assert next_look_s(g) == g.task.deadline_s()


def test_an_address_that_somebody_put_on_the_wrong_node_is_taken_off(world: World) -> None:
    _command(world, "in_service", node="n1")
    world.computers["n2"].tampered = True
    world.computers["n2"].on.add("vol-shop")
    world.computers["n1"].on.discard("vol-shop")
    world.run(7.0)
    assert world.computers["n2"].on == set()


def test_a_holder_that_waits_for_its_peers_gives_way_to_an_order(world: World) -> None:
    """After a reboot with the other node away, an operator's word goes before the wait."""
    _command(world, "in_service", node="n1")
    world.power_off("n2")
    world.power_off("n1")
    world.start("n1")
    world.run(2.0)
    assert _group(world, "n1").activity == "waiting"
    id_ = _command(world, "in_service", node="n1", peers_off=["n2"])
    assert world.answers[id_]["ok"]
    assert _group(world, "n1").activity == "up"


def test_what_runs_when_the_monitor_comes_back_is_adopted_without_a_step_that_changes_anything(world: World) -> None:
    _command(world, "in_service", node="n1")
    before = set(world.computers["n1"].on)
    world.start("n1")
    world.run(0.001)
    began = [step.operation for queue in world.processes["n1"].busy.values() for step in queue]
    assert set(began) == {"observe"}
    world.run(2.0)
    assert (world.computers["n1"].on, _group(world, "n1").activity) == (before, "up")


def test_what_was_stopped_half_way_is_stopped_when_the_monitor_comes_back(world: World) -> None:
    """The promise was durable, so the hand-over is finished."""
    _command(world, "in_service", node="n1")
    world.command("n1", "in_service", tags=["shop"], node="n2")
    assert world.run_until(lambda: _group(world, "n1").register.promised_to == "n2", 5.0)
    world.run(0.01)
    world.start("n1")
    world.run(10.0)
    assert not world.computers["n1"].on
    assert _group(world, "n1").register.holder == "n2"


def test_a_thousand_looks_set_off_nothing_while_all_is_well(world: World) -> None:
    _command(world, "in_service", node="n1")
    world.run(1.0)
    noted = len(world.notes)
    world.run(120.0)
    assert len(world.notes) == noted
