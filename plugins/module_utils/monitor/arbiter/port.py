# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What the monitor needs of an arbiter, whatever its kind, and what every kind is given."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from ..core.values.arbitration import Question
from ..core.values.events import Consulted
from ..core.values.model import Config
from ..surface import Surface
from ..transport.identity import Identity

T = TypeVar("T")


class InThread(Protocol):
    """Runs blocking work elsewhere."""

    def __call__(self, work: Callable[[], T], /) -> Awaitable[T]:
        """The outcome of the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an arbiter's client works with. ``on_answer`` is called in the event loop, never from within ``consult``."""

    node: str
    config: Config
    surface: Surface
    identity: Identity
    in_thread: InThread
    on_answer: Callable[[Consulted], None]


class ArbiterPort(Protocol):
    """The arbiter as this node sees it. Used in the event loop only."""

    def consult(self, number: int, question: Question) -> None:
        """The question is on its way; the answer comes through ``on_answer``, or never. Does not block or raise."""

    def state(self) -> Mapping[str, Any]:
        """What people are shown: plain data, always with ``kind``, ``reachable`` and ``why`` (empty when reachable)."""

    def close(self) -> None:
        """Nothing is asked any more, and no answer comes after this."""
