# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which groups are tended at an event: those that are concerned, and never a thousand because of one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from holdfast.core.moves.group import GroupMachine
from holdfast.core.moves.story import Task, Until
from holdfast.core.node.agenda import EACH_S, FEW, Agenda


def waiting(name: str) -> GroupMachine:
    """As much of a group as the agenda looks at, whose story waits for a condition."""

    def story() -> Any:
        yield Until(lambda: False)

    task = Task("waits", story())
    return cast(GroupMachine, SimpleNamespace(name=name, waiting=[], task=task, looks=[], observed_s=None))


def agenda_of(count: int) -> Agenda:
    agenda = Agenda()
    for number in range(count):
        agenda.tended(waiting(f"s{number}"))
    return agenda


def test_a_few_that_wait_are_looked_at_on_every_event() -> None:
    agenda = agenda_of(FEW)
    assert [len(agenda.due(10.0)) for _event in range(3)] == [FEW] * 3
    assert agenda.deadline_s() is None


def test_a_thousand_that_wait_are_not_looked_at_on_every_event_but_soon() -> None:
    agenda = agenda_of(1000)
    assert len(agenda.due(10.0)) == 1000
    assert agenda.due(10.001) == []
    agenda.touch("s7")
    assert agenda.due(10.002) == ["s7"]
    due_s = agenda.deadline_s()
    assert due_s == 10.0 + 1000 * EACH_S
    assert len(agenda.due(due_s)) == 1000
    assert agenda.deadline_s() is None
