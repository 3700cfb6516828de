# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a schedule draws from."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

Story = list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What a schedule draws from: nodes, the tags that its commands and faults are about, and the arbiter if any."""

    random: Random
    nodes: list[str]
    tags: tuple[str, ...]
    arbiter: str = ""

    @property
    def machines(self) -> list[str]:
        """The nodes, and the arbiter."""
        return [*self.nodes, self.arbiter] if self.arbiter else self.nodes

    def node(self) -> str:
        """One of the nodes."""
        return self.random.choice(self.nodes)

    def pair(self) -> list[str]:
        """Two machines."""
        return self.random.sample(self.machines, 2)

    def tag(self) -> str:
        """One of the tags."""
        return self.random.choice(self.tags)

    def chance(self, of_one: float) -> bool:
        """True so often."""
        return self.random.random() < of_one
