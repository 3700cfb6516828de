# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Operations on a group, written as stories: generators that yield what they wait for.

A story reads from top to bottom as what happens and what happens when it fails. It stays pure: it is advanced by
``Task.proceed`` with the time passed in, and emits actions through its group.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Protocol

from ..values.arbitration import Verdict
from ..values.messages import Answer, Ask, Look, Seen


class Wait(Protocol):
    """Something a story waits for."""

    def ready(self) -> bool:
        """Whether the story goes on."""

    def deadline_s(self) -> float | None:
        """When to look again even if nothing happens."""

    def poll(self, now_s: float) -> None:
        """Emit what is due: next steps, repeated questions."""


Story = Generator[Wait, None, None]


class Task:
    """A story under way. Orders and questions wait for ``background`` ones, and end those that are ``yielding``: looks.

    ``name`` is for people; ``request`` is the peer's question that set it off, if one did.
    """

    def __init__(
        self, name: str, story: Story, *, background: bool = False, yielding: bool = False, request: str = ""
    ) -> None:
        self.name = name
        self.request = request
        self.background = background
        self.yielding = yielding
        self._story = story
        self._wait: Wait | None = next(story, None)

    @property
    def wait(self) -> Wait | None:
        """What the story waits for now."""
        return self._wait

    def proceed(self, now_s: float) -> bool:
        """Advances as far as possible; true when the story is over."""
        while self._wait is not None:
            self._wait.poll(now_s)
            if not self._wait.ready():
                return False
            self._wait = next(self._story, None)
        return True

    def deadline_s(self) -> float | None:
        """When the story wants to be looked at again."""
        return self._wait.deadline_s() if self._wait is not None else None


class Questions:
    """Waits until every node asked has answered or is lost. Unanswered questions are repeated."""

    def __init__(
        self,
        *,
        questions: Mapping[str, Look | Ask],
        send: Callable[[str, Look | Ask], None],
        lost: Callable[[str], bool],
        resend_s: float,
    ) -> None:
        self.answers: dict[str, Seen | Answer] = {}
        self.lost: set[str] = set()
        self._questions = dict(questions)
        self._send = send
        self._is_lost = lost
        self._resend_s = resend_s
        self._due_s: float | None = None

    def answer(self, peer: str, message: Seen | Answer) -> bool:
        """Takes an answer; false when it is to no question of ours. A late Seen never passes for an Answer."""
        question = self._questions.get(peer)
        if question is None or question.request != message.request:
            return False
        if isinstance(question, Ask) != isinstance(message, Answer):
            return False
        self.answers[peer] = message
        return True

    def ready(self) -> bool:
        """Whether nobody is left to wait for."""
        self.lost |= {peer for peer in self._open() if self._is_lost(peer)}
        return not self._open()

    def deadline_s(self) -> float | None:
        """When to repeat the questions."""
        return self._due_s

    def poll(self, now_s: float) -> None:
        """Asks, first at once and then every ``resend_s``."""
        if self._due_s is None or now_s >= self._due_s:
            self._due_s = now_s + self._resend_s
            for peer in self._open():
                self._send(peer, self._questions[peer])

    def _open(self) -> list[str]:
        return [peer for peer in self._questions if peer not in self.answers and peer not in self.lost]


class Claiming:
    """Waits for the arbiter's verdict on a claim; asks again until it comes or the time is up.

    Ever more seldom: when a thousand groups claim at once, an arbiter that is late is not made later by it.
    """

    def __init__(self, *, ask: Callable[[], int], resend_s: float, deadline_s: float) -> None:
        self.verdict: Verdict | None = None
        self._ask = ask
        self._resend_s = resend_s
        self._deadline_s = deadline_s
        self._due_s: float | None = None
        self._numbers: set[int] = set()
        self._late = False

    def judged(self, number: int, verdict: Verdict) -> bool:
        """Takes a verdict; false when it is on no question of ours."""
        if number not in self._numbers:
            return False
        self.verdict = verdict
        return True

    def ready(self) -> bool:
        """Whether there is a verdict or the time is up."""
        return self._late or self.verdict is not None

    def deadline_s(self) -> float | None:
        """When to ask again or give up."""
        return self._deadline_s if self._due_s is None else min(self._due_s, self._deadline_s)

    def poll(self, now_s: float) -> None:
        """Asks, first at once, then after ``resend_s``, and each time after twice as long."""
        self._late = now_s >= self._deadline_s
        if not self.ready() and (self._due_s is None or now_s >= self._due_s):
            self._due_s = now_s + self._resend_s
            self._resend_s *= 2
            self._numbers.add(self._ask())


class Until:
    """Waits for a condition that other events bring about, or until a time has passed."""

    def __init__(self, condition: Callable[[], bool], *, deadline_s: float | None = None) -> None:
        self._condition = condition
        self._deadline_s = deadline_s
        self._late = False

    def ready(self) -> bool:
        """Whether the condition holds or the time is up."""
        return self._late or self._condition()

    def deadline_s(self) -> float | None:
        """The time limit."""
        return self._deadline_s

    def poll(self, now_s: float) -> None:
        """Notes whether the time is up; there is nothing to emit."""
        self._late = self._deadline_s is not None and now_s >= self._deadline_s


class Turn:
    """Waits for a condition of which its group is told; ``every_s`` is how often it is looked at without that."""

    def __init__(self, condition: Callable[[], bool], *, every_s: float) -> None:
        self._condition = condition
        self._every_s = every_s
        self._due_s: float | None = None

    def ready(self) -> bool:
        """Whether it holds now."""
        return self._condition()

    def deadline_s(self) -> float | None:
        """When it is looked at in any case."""
        return self._due_s

    def poll(self, now_s: float) -> None:
        """Notes when it is looked at next."""
        if self._due_s is None or now_s >= self._due_s:
            self._due_s = now_s + self._every_s


def pause(until_s: float) -> Until:
    """Waits until then, whatever happens meanwhile."""
    return Until(lambda: False, deadline_s=until_s)


class All:
    """Waits until all of several things are ready."""

    def __init__(self, *waits: Wait) -> None:
        self.waits = waits

    def ready(self) -> bool:
        """Whether every one is ready."""
        ready = [wait.ready() for wait in self.waits]
        return all(ready)

    def deadline_s(self) -> float | None:
        """The earliest of theirs."""
        return min((d for d in (wait.deadline_s() for wait in self.waits) if d is not None), default=None)

    def poll(self, now_s: float) -> None:
        """Polls each."""
        for wait in self.waits:
            wait.poll(now_s)
