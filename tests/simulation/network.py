# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comm paths of the simulation: delay, loss, duplication, cuts in one direction or both.

What was sent to one run of a monitor never reaches the next one, since it came over a connection to the first. In
every other way this is worse than the connections of ``transport``: messages are lost, doubled and overtake each
other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

Deliver = Callable[[], None]


@dataclass(slots=True)
class Network:
    """Every (from, to, path) is a link of its own. A cut link loses what is sent, as a black hole does."""

    random: Random
    later: Callable[[float, Deliver], None]
    loss: float = 0.0
    delay_max_s: float = 0.002
    duplicate: float = 0.0
    cut: set[tuple[str, str, str]] = field(default_factory=set)

    def send(self, source: str, target: str, path: str, deliver: Deliver) -> None:
        """Delivers after a random delay, perhaps twice, perhaps never."""
        chance = self.random.random
        if (self.cut and (source, target, path) in self.cut) or (self.loss and chance() < self.loss):
            return
        self.later(0.0002 + chance() * self.delay_max_s, deliver)
        if self.duplicate and chance() < self.duplicate:
            self.later(0.0002 + chance() * self.delay_max_s * 3, deliver)

    def heal(self) -> None:
        """No loss, no cuts."""
        self.loss, self.duplicate, self.delay_max_s = 0.0, 0.0, 0.002
        self.cut.clear()
