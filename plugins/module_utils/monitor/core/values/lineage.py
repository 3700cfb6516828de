# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which configuration a node has, and which ones came before it: so two nodes can tell whose is the newer.

Every change of a configuration is described to every node, and each node makes it. One that was away finds its own
among the forebears of another's, and takes that over; where neither descends from the other, people decide.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FOREBEARS_MAX = 256
"""A node that missed more changes than this is told to people as a conflict."""
Relation = Literal["same", "older", "newer", "conflict"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lineage:
    """A configuration by its digest, and those before it, the latest first. ``version`` counts the changes."""

    digest: str
    version: int = 1
    forebears: tuple[str, ...] = ()

    def followed_by(self, digest: str) -> Lineage:
        """The lineage of a configuration that was made out of this one."""
        if digest == self.digest:
            return self
        forebears = (self.digest, *self.forebears)[:FOREBEARS_MAX]
        return Lineage(digest=digest, version=self.version + 1, forebears=forebears)


def relation(mine: Lineage, theirs: Lineage) -> Relation:
    """What mine is beside theirs.

    When each descends from the other, one of them was changed back: then the number of changes decides.
    """
    if mine.digest == theirs.digest:
        return "same"
    older, newer = mine.digest in theirs.forebears, theirs.digest in mine.forebears
    if older and newer:
        older, newer = mine.version < theirs.version, mine.version > theirs.version
    if older:
        return "older"
    return "newer" if newer else "conflict"
