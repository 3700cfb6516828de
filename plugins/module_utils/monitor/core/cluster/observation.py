# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What one node knows of a store, and since when by its own clock.

A lease counts from the moment at which this node received the answer that showed it; until it has watched a record for
the lease's time without a change, the lease runs. A record whose ``fenced_by`` alone changed was not renewed.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..values.records import Answer, Presence, Stored, presence_key, register_key
from .acceptor import Acceptor

_NODES = presence_key("")
_GROUPS = register_key("")


class Observation:
    """``law`` judges by what was seen; ``revision`` is the store's, as of its last answer."""

    def __init__(self, *, now_s: float) -> None:
        self.law = Acceptor(registers={}, now_s=now_s)
        self.revision = 0
        self._stored: dict[str, Stored] = {}

    def contradicts(self, answer: Answer) -> bool:
        """Whether records that were there are there no more: nobody removes any, so the store has lost its content."""
        if not answer.complete:
            return False
        return any(
            stored.revision <= answer.revision and key not in answer.records for key, stored in self._stored.items()
        )

    def learn(self, answer: Answer, now_s: float) -> None:
        """The answer was received now; of each record the latest counts."""
        self.revision = max(self.revision, answer.revision)
        self.notice(answer.records, now_s)

    def notice(self, records: Mapping[str, Stored], now_s: float) -> None:
        """These records were seen now, perhaps not all that changed."""
        for key, stored in records.items():
            if stored.revision > self.expected(key):
                self._note(key, stored, now_s)
                self._stored[key] = stored

    def expected(self, key: str) -> int:
        """The revision of the record, 0 when there is none."""
        stored = self._stored.get(key)
        return stored.revision if stored else 0

    def presence(self, node: str) -> Presence | None:
        """The node's lease as it lies there."""
        stored = self._stored.get(presence_key(node))
        return stored.record if stored and isinstance(stored.record, Presence) else None

    def presences(self) -> list[tuple[str, Presence]]:
        """The leases of all nodes that ever renewed one, by name."""
        nodes = sorted(key.removeprefix(_NODES) for key in self._stored if key.startswith(_NODES))
        return [(node, presence) for node in nodes if (presence := self.presence(node)) is not None]

    def _note(self, key: str, stored: Stored, now_s: float) -> None:
        record = stored.record
        if not isinstance(record, Presence):
            self.law.learn(key.removeprefix(_GROUPS), record)
            return
        node = key.removeprefix(_NODES)
        before = self.presence(node)
        if before is None or (before.incarnation, before.seq) != (record.incarnation, record.seq):
            self.law.saw(node, record.incarnation, record.lease, now_s)
