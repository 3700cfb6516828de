# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Commands: which group and which node they concern, the way there and the way back of the answer.

A command may be given to any node. It is split into one order per group, each carried out by the node that it
concerns; forwarded orders are repeated until their result is in, and a repetition is never carried out twice.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..moves.care import Errand
from ..moves.group import Order
from ..values.events import Commanded, Send, Tell
from ..values.graph import Group
from ..values.messages import Forward, Report

REMEMBERED = 4096
"""How many orders of other nodes are remembered, to recognise repetitions."""
RESEND_S = 1.0
AT_ONCE = 64
"""Orders that a node carries out at the same time; what comes beyond waits for its turn, for a thousand groups that
are looked at, claimed and started at once would all be late."""
TURN_S = 120.0
"""After this time the next one begins, whatever became of an order."""
NOT_PLACED = "was never in service"


@dataclass(slots=True, kw_only=True)
class Command:
    """A command given to this node: what is still open, and what has come back."""

    id: str
    verb: str
    deadline_s: float
    open: set[str] = field(default_factory=set)
    results: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Away:
    """An order that another node carries out for us."""

    peer: str
    forward: Forward
    due_s: float


class Desk:
    """All commands of a node. ``send`` emits; ``perform`` gives an order to a local group, which is told of errands."""

    def __init__(
        self,
        *,
        node: str,
        prefix: str,
        emit: Callable[[Send | Tell], None],
        send: Callable[[str, Forward | Report], None],
        perform: Callable[[str, Order], None],
        ended: Callable[[str], None],
    ) -> None:
        self._node = node
        self._prefix = prefix
        self._emit = emit
        self._send = send
        self._perform = perform
        self._ended = ended
        self._count = 0
        self._commands: dict[str, Command] = {}
        self._command_of: dict[str, str] = {}
        self._away: dict[str, Away] = {}
        self._errands: dict[str, Errand] = {}
        self._asked: OrderedDict[tuple[str, str], Mapping[str, Any] | None] = OrderedDict()
        self._asker_of: dict[str, tuple[str, str]] = {}
        self._line: deque[tuple[str, Order]] = deque()
        self._under_way: dict[str, float] = {}
        self._beginning = False
        self._now_s = 0.0

    def open(self, event: Commanded, now_s: float) -> Command:
        """The command is on the desk; it ends with ``close`` or when its time is up."""
        command = Command(id=event.id, verb=event.verb, deadline_s=now_s + float(event.args.get("timeout_s", 60.0)))
        self._commands[event.id] = command
        return command

    def give(self, command: Command, group: Group, node: str, order: Mapping[str, Any], now_s: float) -> None:
        """One order of the command is on its way to the node that carries it out."""
        ticket = self._ticket()
        command.open.add(ticket)
        self._command_of[ticket] = command.id
        if node == self._node:
            self._carry_out(group.name, _order(ticket, command.verb, order), now_s)
            return
        forward = Forward(request=ticket, verb=command.verb, args={"group": group.name, **order})
        self._away[ticket] = Away(peer=node, forward=forward, due_s=now_s + RESEND_S)
        self._send(node, forward)

    def delegate(self, errand: Errand, order: Mapping[str, Any], now_s: float) -> None:
        """This node's own order is on its way to another one; the answer will be in the errand."""
        ticket = self._ticket()
        self._errands[ticket] = errand
        forward = Forward(request=ticket, verb="in_service", args={"group": errand.group, **order})
        self._away[ticket] = Away(peer=errand.node, forward=forward, due_s=now_s + RESEND_S)
        self._send(errand.node, forward)

    def result(self, command: Command, data: Mapping[str, Any]) -> None:
        """A part of the command is done without any order."""
        command.results.append(data)

    def close(self, command: Command) -> None:
        """Answers the command if nothing of it is open any more."""
        if not command.open and self._commands.pop(command.id, None) is not None:
            self._emit(Tell(command=command.id, final=True, data=_combined(command)))

    def refuse(self, command: Command, kind: str, message: str, problems: Sequence[Mapping[str, Any]] = ()) -> None:
        """Ends the command with an error."""
        if self._commands.pop(command.id, None) is not None:
            self._emit(Tell(command=command.id, final=True, data=_error(kind, message, problems)))

    def report(self, ticket: str, *, final: bool, data: Mapping[str, Any]) -> None:
        """News of an order: to the command on this desk, or to the node that forwarded it."""
        if final and self._under_way.pop(ticket, None) is not None:
            self._begin_next()
        errand = self._errands.get(ticket)
        if errand is not None:
            if final:
                errand.result = data
                del self._errands[ticket]
                self._ended(errand.group)
            return
        asker = self._asker_of.get(ticket)
        if asker is not None:
            if final:
                self._asked[asker] = data
                del self._asker_of[ticket]
            self._send(asker[0], Report(request=asker[1], final=final, data=data))
            return
        command = self._commands.get(self._command_of.get(ticket, ""))
        if command is None:
            return
        if not final:
            self._emit(Tell(command=command.id, final=False, data=data))
            return
        del self._command_of[ticket]
        command.open.discard(ticket)
        command.results.append(data)
        self.close(command)

    def forwarded(self, peer: str, forward: Forward, now_s: float) -> None:
        """Another node wants an order carried out here; a repetition gets the same result again."""
        key = (peer, forward.request)
        if key in self._asked:
            done = self._asked[key]
            if done is not None:
                self._send(peer, Report(request=forward.request, final=True, data=done))
            return
        self._asked[key] = None
        while len(self._asked) > REMEMBERED:
            self._asked.popitem(last=False)
        ticket = self._ticket()
        self._asker_of[ticket] = key
        self._carry_out(str(forward.args["group"]), _order(ticket, forward.verb, forward.args), now_s)

    def reported(self, peer: str, report: Report) -> None:
        """News of an order that is carried out elsewhere."""
        away = self._away.get(report.request)
        if away is None or away.peer != peer:
            return
        if report.final:
            del self._away[report.request]
        self.report(report.request, final=report.final, data=report.data)

    def tick(self, now_s: float, *, dead: Callable[[str], bool]) -> None:
        """Repeats what is unanswered, gives up what its node can no longer answer, ends what took too long."""
        if self._line:
            self._now_s = now_s
            self._begin_next()
        if not self._away and not self._commands:
            return
        for ticket, away in list(self._away.items()):
            if dead(away.peer):
                del self._away[ticket]
                text = f"{away.peer} stopped answering; what it was doing may go on there: look with status"
                self.report(ticket, final=True, data=_error("unreachable", text))
            elif now_s >= away.due_s:
                away.due_s = now_s + RESEND_S
                self._send(away.peer, away.forward)
        for command in list(self._commands.values()):
            if now_s >= command.deadline_s:
                self.refuse(command, "timeout", "not finished in time; it goes on: look with status")

    def deadline_s(self) -> float | None:
        """When the next thing on the desk is due."""
        if not self._away and not self._commands and not self._line:
            return None
        dues = [away.due_s for away in self._away.values()] + [c.deadline_s for c in self._commands.values()]
        return min(dues + ([min(self._under_way.values())] if self._line and self._under_way else []))

    def _carry_out(self, group: str, order: Order, now_s: float) -> None:
        """The order is carried out by this node, in its turn."""
        self._line.append((group, order))
        self._now_s = now_s
        self._begin_next()

    def _begin_next(self) -> None:
        """As many are under way as may be. One that is refused at once makes room while we are here."""
        if self._beginning:
            return
        self._beginning = True
        if self._line:
            self._under_way = {ticket: end_s for ticket, end_s in self._under_way.items() if end_s > self._now_s}
        while self._line and len(self._under_way) < AT_ONCE:
            group, order = self._line.popleft()
            self._under_way[order.ticket] = self._now_s + TURN_S
            self._perform(group, order)
        self._beginning = False

    def _ticket(self) -> str:
        self._count += 1
        return f"{self._prefix}.{self._count}"


def _order(ticket: str, verb: str, data: Mapping[str, Any]) -> Order:
    return Order(
        ticket=ticket,
        verb=verb,
        tags=tuple(data.get("tags", ())),
        check=bool(data.get("check", False)),
        off=tuple(data.get("off", ())),
        cause=data.get("cause", "command"),
        why=str(data.get("why", "")),
    )


def _error(kind: str, message: str, problems: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    return {"ok": False, "error": {"kind": kind, "message": message, "problems": list(problems)}}


LISTS = {"in_service": "moves", "out_of_service": "stops"}
"""Under which key the answers of an order's verb are collected."""


def _combined(command: Command) -> dict[str, Any]:
    """The results of all orders as one answer: any failure makes it a failure, what succeeded is in it all the same."""
    good = [result for result in command.results if result["ok"]]
    bad = [result["error"] for result in command.results if not result["ok"]]
    if command.verb not in LISTS:
        return dict(command.results[0])
    data = {LISTS[command.verb]: [result["data"] for result in good]}
    changed = any(result["changed"] for result in good)
    if not bad:
        return {"ok": True, "changed": changed, "data": data}
    problems = [problem for error in bad for problem in error["problems"]]
    message = " ".join(error["message"] for error in bad)
    return {**_error(bad[0]["kind"], message, problems), "changed": changed, "data": data}
