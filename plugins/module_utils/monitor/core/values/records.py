# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What lies in a store that serves as arbiter, and the only two things asked of it: read, and compare and swap.

A store is linearizable: an operation takes effect at one moment between its question and its answer. Every record has
the revision of its last change; revisions grow over the whole store, and 0 stands for a record that is not there.
Source: etcd.io/docs/v3.5/learning/api (revisions and transactions).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Union

from .lease import Lease
from .messages import Register


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """A node's one lease, written anew for every renewal.

    ``seq`` counts the writes of this incarnation, so a node knows its own attempts again. ``fenced_by`` took something
    for which this lease had to have run out: that changes the record, so a renewal still under way fails.
    ``removed_by`` is a node of a cluster that this one is no node of any more: it gets no vote.
    """

    incarnation: int
    seq: int
    lease: Lease
    fenced_by: str | None = None
    removed_by: str | None = None


Record = Union[Presence, Register]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A record as it lies in the store."""

    revision: int
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """Write the record if its revision is still the expected one."""

    expected: int
    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """The records that changed after revision ``since``; 0: all there are."""

    since: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """All the puts by key if each finds what it expects, otherwise none. The answer reads as Read does."""

    puts: Mapping[str, Put]
    since: int


Operation = Union[Read, Swap]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The store's revision after the operation, and the records asked for, as they are then.

    ``done``: the puts are in. ``complete``: these are all records, as with ``since`` 0 and whenever puts were refused.
    """

    revision: int
    records: Mapping[str, Stored]
    complete: bool
    done: bool = False


def presence_key(node: str) -> str:
    """Where the node's lease lies."""
    return f"node/{node}"


def register_key(group: str) -> str:
    """Where the group's register lies."""
    return f"own/{group}"
