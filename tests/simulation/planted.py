# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults planted into the core, each as small as a slip of the pen. The exploration has to find every one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.moves import handover, sequence, story, takeover
from holdfast.core.node import machine
from holdfast.core.values.messages import Register


def _never(_register: Register, **_question: object) -> str:
    return ""


def _whatever_comes(_mine: Register, theirs: Register, **_who: object) -> Register:
    return replace(theirs, suspended=False)


def an_epoch_is_promised_to_two(plant: pytest.MonkeyPatch) -> None:
    """A node says yes to whoever asks."""
    plant.setattr(handover, "refusal", _never)


def a_refusal_counts_as_a_grant(plant: pytest.MonkeyPatch) -> None:
    """The target starts whatever it was answered."""
    original = takeover._ask

    def hasty(g: Any, order: Any, source: Any) -> Any:
        outcome = yield from original(g, order, source)
        if isinstance(outcome, str):
            return takeover.Grant(epoch=g.register.promised_epoch, out=frozenset(), phases=())
        return outcome

    plant.setattr(takeover, "_ask", hasty)


def an_older_register_is_adopted(plant: pytest.MonkeyPatch) -> None:
    """Epochs go back."""
    plant.setattr(machine, "learn", _whatever_comes)


def a_failed_stop_counts_as_done(plant: pytest.MonkeyPatch) -> None:
    """The source lets go although something of the group still runs."""

    def forgetful(self: sequence.Run, step: Any, error: str, *, confirmed: bool) -> None:
        if step.operation != "stop":
            self.failure = sequence.Failure(
                operation=step.operation, tag=step.resource.tag, error=error, confirmed=confirmed
            )

    plant.setattr(sequence.Run, "_fail", forgetful)


def any_answer_passes_for_the_grant(plant: pytest.MonkeyPatch) -> None:
    """A late answer to an earlier question of the same move ends the wait for the real one."""

    def careless(self: story.Questions, peer: str, message: Any) -> bool:
        question = self._questions.get(peer)
        if question is None or question.request != message.request:
            return False
        self.answers[peer] = message
        return True

    plant.setattr(story.Questions, "answer", careless)


PLANTED = (
    (an_epoch_is_promised_to_two, 0),
    (a_refusal_counts_as_a_grant, 0),
    (an_older_register_is_adopted, 0),
    (a_failed_stop_counts_as_done, 290),
    (any_answer_passes_for_the_grant, 320),
)
"""Each with the seed at which the search begins: the rarer ones show in one schedule of three hundred."""
