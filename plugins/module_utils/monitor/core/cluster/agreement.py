# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""From one arbiter to another while groups run: between two arbiters lies unanimity.

A node lets its arbiter's vote count only once it knows that every node has the same arbiter, and remembers that in
``agreed``; until then it keeps and takes groups by the votes of all nodes. So a node that lives by the old arbiter and
one that takes by the new never exist at the same time, and unanimity meets both.
Rule: ``agreed`` is durable before it counts, and forgotten whenever the configured arbiter changes.
Source: docs/decisions/0012-arbiters.md; the joint configurations of Raft (Ongaro 2014, section 4.3) for the idea.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..values.model import Arbiter, identity


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a peer said last of its arbiter.

    ``fresh``: it had heard us with ours when it said so; ``whole``: we have all its registers.
    """

    arbiter: str
    fresh: bool
    whole: bool


OTHER = "another"
"""In place of an identity: this node had another arbiter, and does not know yet whether every node has the new one."""


def remembered(agreed: str, arbiter: Arbiter) -> str:
    """What is left of the agreement when this arbiter is configured; also after a crash in between.

    Empty is the agreement of a node that never had an arbiter.
    """
    return agreed if agreed in ("", identity(arbiter)) else OTHER


def agreed_now(agreed: str, arbiter: Arbiter, peers: Iterable[Heard]) -> str:
    """The agreement after hearing the peers, all of them.

    ``manual`` from the beginning needs none: nothing is taken without every node. After another arbiter it does: its
    permits have no end, and whoever has the old arbiter still could take the group.
    """
    name = identity(arbiter)
    if (name == "manual" and agreed == "") or all(peer.arbiter == name and peer.fresh and peer.whole for peer in peers):
        return name
    return remembered(agreed, arbiter)
