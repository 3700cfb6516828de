# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an incoming question, order or answer meets: the right story, or a refusal that says why."""

from __future__ import annotations

from typing import Any

import pytest

from holdfast.core.values import events as e
from holdfast.core.values.messages import Answer, Ask, Envelope, Look, Message, Seen
from holdfast_sim.cluster import STEADY, World


class Pair:
    """Node n1 of a simulated cluster, and somebody who speaks as n2."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.seq = 1_000_000

    def says(self, message: Message) -> list[Message]:
        """What n1 answers n2 at once."""
        world, process = self.world, self.world.processes["n1"]
        sender = world.processes["n2"]
        self.seq += 1
        envelope = Envelope(
            sender="n2",
            boot_id=sender.computer.boot_id,
            incarnation=sender.incarnation,
            seq=self.seq,
            message=message,
        )
        actions = process.machine.handle(e.Received(peer="n2", path="a", envelope=envelope), world.now_s)
        process._execute(actions)
        return [a.message for a in actions if isinstance(a, e.Send) and isinstance(a.message, Answer | Seen)]

    def asked(self, **ask: Any) -> Answer:
        """The one answer to a question for shop."""
        (answer,) = self.says(Ask(**{"request": "q1", "group": "shop", **ask}))
        assert isinstance(answer, Answer)
        return answer


@pytest.fixture
def pair() -> Pair:
    """Two nodes that have met."""
    world = World(STEADY)
    world.run(1.0)
    return Pair(world)


def _serve(pair: Pair, node: str) -> None:
    id_ = pair.world.command("n1", "in_service", tags=["shop"], node=node)
    assert pair.world.run_until(lambda: id_ in pair.world.answers, 10.0)
    pair.world.run(1.0)


def test_a_group_that_is_not_known_here_is_refused_by_name(pair: Pair) -> None:
    answer = pair.asked(group="crm", epoch=1)
    assert (answer.granted, answer.reason) == (False, "n1 does not know crm")
    (seen,) = pair.says(Look(request="q2", group="crm"))
    assert isinstance(seen, Seen)
    assert seen.error == "no such group here"


def test_whoever_has_nothing_of_it_running_promises_when_that_is_durable(pair: Pair) -> None:
    assert pair.says(Ask(request="q1", group="shop", epoch=1)) != []
    register = pair.world.processes["n1"].machine.groups["shop"].register
    assert (register.promised_epoch, register.promised_to) == (1, "n2")


def test_an_epoch_that_is_over_is_refused(pair: Pair) -> None:
    _serve(pair, "n1")
    answer = pair.asked(epoch=1)
    assert not answer.granted
    assert "epoch 1 is over" in answer.reason


def test_a_holder_stops_before_it_answers(pair: Pair) -> None:
    _serve(pair, "n1")
    assert pair.says(Ask(request="q1", group="shop", epoch=2)) == []
    assert pair.world.processes["n1"].machine.groups["shop"].activity == "stopping"
    pair.world.run(1.0)
    assert not pair.world.computers["n1"].on


def test_a_question_repeated_while_it_is_worked_on_is_not_worked_on_twice(pair: Pair) -> None:
    _serve(pair, "n1")
    pair.says(Ask(request="q1", group="shop", epoch=2))
    task = pair.world.processes["n1"].machine.groups["shop"].task
    assert pair.says(Ask(request="q1", group="shop", epoch=2)) == []
    assert pair.world.processes["n1"].machine.groups["shop"].task is task


def test_another_question_meanwhile_is_told_what_is_going_on(pair: Pair) -> None:
    _serve(pair, "n1")
    pair.says(Ask(request="q1", group="shop", epoch=2))
    answer = pair.asked(request="q2", epoch=3)
    assert (answer.granted, answer.reason) == (False, "n1 hands it over to n2 just now")


def test_a_granted_question_is_granted_again_when_its_answer_was_lost(pair: Pair) -> None:
    _serve(pair, "n1")
    pair.says(Ask(request="q1", group="shop", epoch=2))
    pair.world.run(0.5)
    assert pair.asked(epoch=2).granted


def test_an_order_for_a_busy_group_is_refused_with_what_it_does(pair: Pair) -> None:
    _serve(pair, "n1")
    pair.says(Ask(request="q1", group="shop", epoch=2))
    id_ = pair.world.command("n1", "out_of_service", tags=["shop"])
    pair.world.run(0.05)
    answer = pair.world.answers[id_]
    assert not answer["ok"]
    assert answer["error"]["message"].startswith("n1 hands it over to n2 just now (shop)")


def test_an_answer_to_no_question_changes_nothing(pair: Pair) -> None:
    _serve(pair, "n1")
    machine = pair.world.processes["n1"].machine
    before = machine.groups["shop"].register
    pair.says(Answer(request="none", group="shop", epoch=9, granted=True))
    pair.says(Seen(request="none", group="shop", facts={}))
    assert machine.groups["shop"].register == before
    assert machine.groups["shop"].activity == "up"
