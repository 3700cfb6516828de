# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node and the arbiter say to each other. Values only.

A node renews one lease for everything it holds, and claims groups one by one. Every question may be repeated and may
arrive late; an answer counts from the moment at which its question was sent.
Source: PaxosLease (arXiv 1209.4187) for exclusive votes bounded in time; docs/decisions/0011-permits.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Union

from .lease import Lease
from .messages import Register


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """I live, and these registers are mine to tell; nobody else is to have what I hold for the lease's time.

    ``registers``, by resource tag, are those that changed after ``since``, up to ``version``, as they are on the
    sender's disk. An arbiter that has not heard all up to ``since`` from this incarnation answers with what it has, and
    gets the rest.
    """

    node: str
    incarnation: int
    lease: Lease
    since: int
    version: int
    registers: Mapping[str, Register]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """I want this group at this epoch. It renews the lease too.

    ``consent_of`` is the holder that will be asked to stop and pass the group on: the arbiter only promises the epoch
    then. Without it the group is taken: nobody holds it, or its holder's lease has run out. ``volume``: the group has
    one. ``tags`` are its resources, each with a register of its own at the arbiter, so that nodes that put them
    together in different ways meet there; none: the group's name stands for all.
    """

    node: str
    incarnation: int
    lease: Lease
    group: str
    epoch: int
    volume: bool
    consent_of: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """Under what the arbiter keeps the registers."""
        return self.tags or (self.group,)


Question = Union[Renewal, Claim]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The arbiter's answer.

    To a renewal: ``version`` is how much it has from this incarnation, ``alive`` the nodes whose leases run,
    ``registers`` are the arbiter's own where they contradict the node's: groups that are not the node's any more. To a
    claim: ``granted``, else ``reason`` and the group's registers there. Every verdict that comes in time has renewed
    the lease, granted or not, unless ``renewed`` is false: this arbiter does not vote for this node now, and ``reason``
    says why.
    """

    granted: bool = True
    renewed: bool = True
    reason: str = ""
    version: int = 0
    registers: Mapping[str, Register] = field(default_factory=dict)
    alive: tuple[str, ...] = ()
