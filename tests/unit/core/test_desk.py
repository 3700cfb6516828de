# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands find their way and their answers come back once, whatever is lost or repeated on the way."""

from __future__ import annotations

from typing import Any

from holdfast.core.moves.group import Order
from holdfast.core.node.desk import AT_ONCE, TURN_S, Desk
from holdfast.core.values.events import Action, Commanded, Tell
from holdfast.core.values.graph import Group
from holdfast.core.values.messages import Forward, Message, Report

SHOP = Group(name="shop", hierarchies=(), ips=(), volumes=())
GOOD: dict[str, Any] = {"ok": True, "changed": True, "data": {"group": "shop"}}
BAD: dict[str, Any] = {"ok": False, "error": {"kind": "refused", "message": "No.", "problems": []}}


def _nobody(_peer: str) -> bool:
    return False


class Office:
    """A desk and everything that leaves it."""

    def __init__(self) -> None:
        self.told: list[Tell] = []
        self.sent: list[tuple[str, Message]] = []
        self.performed: list[tuple[str, Order]] = []
        self.touched: list[str] = []
        self.desk = Desk(
            node="n1",
            prefix="n1-7",
            emit=self._emit,
            send=lambda peer, message: self.sent.append((peer, message)),
            perform=lambda group, order: self.performed.append((group, order)),
            ended=self.touched.append,
        )

    def _emit(self, action: Action) -> None:
        assert isinstance(action, Tell)
        self.told.append(action)

    def give(self, node: str, *, verb: str = "in_service", timeout_s: float = 60.0) -> None:
        command = self.desk.open(Commanded(id="c1", verb=verb, args={"timeout_s": timeout_s}), 10.0)
        self.desk.give(command, SHOP, node, {"tags": ("shop",)}, 10.0)

    def forward(self) -> Forward:
        peer, message = self.sent[0]
        assert peer == "n2"
        assert isinstance(message, Forward)
        return message


def test_an_order_for_this_node_is_performed_here() -> None:
    office = Office()
    office.give("n1")
    ((group, order),) = office.performed
    assert (group, order.tags, office.sent) == ("shop", ("shop",), [])
    office.desk.report(order.ticket, final=True, data=GOOD)
    (told,) = office.told
    assert told.data == {"ok": True, "changed": True, "data": {"moves": [{"group": "shop"}]}}


def test_an_order_for_another_node_is_repeated_until_its_result_is_in() -> None:
    office = Office()
    office.give("n2")
    office.desk.tick(10.5, dead=_nobody)
    office.desk.tick(11.0, dead=_nobody)
    assert [message for _peer, message in office.sent] == [office.forward()] * 2
    office.desk.reported("n2", Report(request=office.forward().request, final=True, data=GOOD))
    office.desk.tick(12.5, dead=_nobody)
    assert len(office.sent) == 2
    assert office.told[-1].final


def test_a_repeated_order_is_carried_out_once_and_answered_again() -> None:
    office = Office()
    forward = Forward(request="n2-3.1", verb="in_service", args={"group": "shop", "tags": ["shop"]})
    office.desk.forwarded("n2", forward, 10.0)
    office.desk.forwarded("n2", forward, 10.0)
    assert len(office.performed) == 1
    office.desk.report(office.performed[0][1].ticket, final=True, data=GOOD)
    office.desk.forwarded("n2", forward, 10.0)
    assert len(office.performed) == 1
    assert office.sent == [("n2", Report(request="n2-3.1", final=True, data=GOOD))] * 2


def test_a_node_that_dies_over_an_order_ends_the_command_with_what_is_known() -> None:
    office = Office()
    office.give("n2")
    office.desk.tick(14.0, dead=lambda peer: peer == "n2")
    (told,) = office.told
    assert told.data["error"]["kind"] == "unreachable"
    assert "n2 stopped answering" in told.data["error"]["message"]


def test_a_command_that_takes_too_long_is_answered_and_its_late_result_is_not() -> None:
    office = Office()
    office.give("n1", timeout_s=5.0)
    office.desk.tick(15.0, dead=_nobody)
    assert office.told[0].data["error"]["kind"] == "timeout"
    office.desk.report(office.performed[0][1].ticket, final=True, data=GOOD)
    assert len(office.told) == 1


def test_a_result_from_the_wrong_node_is_not_believed() -> None:
    office = Office()
    office.give("n2")
    office.desk.reported("n3", Report(request=office.forward().request, final=True, data=GOOD))
    assert office.told == []


def test_one_failure_makes_the_command_fail_and_what_succeeded_is_told_all_the_same() -> None:
    office = Office()
    command = office.desk.open(Commanded(id="c1", verb="in_service", args={}), 10.0)
    for data in (GOOD, BAD):
        office.desk.result(command, data)
    office.desk.close(command)
    (told,) = office.told
    assert told.data["ok"] is False
    assert told.data["error"]["message"] == "No."
    assert told.data["data"] == {"moves": [{"group": "shop"}]}
    assert told.data["changed"]


def test_progress_is_passed_on() -> None:
    office = Office()
    office.give("n2")
    office.desk.reported("n2", Report(request=office.forward().request, final=False, data={"text": "ready"}))
    assert [(told.final, told.data) for told in office.told] == [(False, {"text": "ready"})]


def test_of_many_orders_so_many_are_under_way_at_once_and_the_rest_follow() -> None:
    office = Office()
    command = office.desk.open(Commanded(id="c1", verb="in_service", args={}), 10.0)
    for _number in range(AT_ONCE + 10):
        office.desk.give(command, SHOP, "n1", {"tags": ("shop",)}, 10.0)
    assert len(office.performed) == AT_ONCE
    office.desk.report(office.performed[0][1].ticket, final=True, data=GOOD)
    assert len(office.performed) == AT_ONCE + 1
    for _group, order in office.performed[1:]:
        office.desk.report(order.ticket, final=True, data=GOOD)
    for _group, order in office.performed[AT_ONCE + 1 :]:
        office.desk.report(order.ticket, final=True, data=GOOD)
    (told,) = office.told
    assert len(told.data["data"]["moves"]) == AT_ONCE + 10


def test_an_order_that_is_never_answered_gives_its_place_to_the_next() -> None:
    office = Office()
    command = office.desk.open(Commanded(id="c1", verb="in_service", args={"timeout_s": 3600.0}), 10.0)
    for _number in range(AT_ONCE + 1):
        office.desk.give(command, SHOP, "n1", {"tags": ("shop",)}, 10.0)
    assert office.desk.deadline_s() == 10.0 + TURN_S
    office.desk.tick(10.0 + TURN_S, dead=_nobody)
    assert len(office.performed) == AT_ONCE + 1


def test_a_thousand_orders_that_are_refused_at_once_leave_nothing_behind() -> None:
    office = Office()
    office.desk = Desk(
        node="n1", prefix="n1-7", emit=office._emit, send=lambda _peer, _message: None,
        perform=lambda _group, order: office.desk.report(order.ticket, final=True, data=BAD),
        ended=office.touched.append,
    )  # fmt: skip
    command = office.desk.open(Commanded(id="c1", verb="in_service", args={}), 10.0)
    for _number in range(2000):
        office.desk.give(command, SHOP, "n1", {"tags": ("shop",)}, 10.0)
    office.desk.close(command)
    assert office.desk.deadline_s() is None
