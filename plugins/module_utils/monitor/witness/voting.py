# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Whether this witness votes at all, and for whom: the acceptor behind what guards it. No I/O.

Rules: an instance without a confirmed memory grants nothing. It votes when every node has confirmed it, or an
administrator has; a node confirms an instance only while it has pinned no other. A node that has seen a later serial
number than ours proves that our disk was put back: what we promised since is lost, and we are a new instance.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.cluster.acceptor import Acceptor
from ..core.values.arbitration import Question, Verdict
from ..core.wire.consultation import Hail, Put, Standing
from .memory import Memory, blank

log = logging.getLogger(__name__)
COPIES_MAX = 64
"""How many answers are remembered per node, for the copies of a question that come over its other paths."""


@dataclass(slots=True)
class _Copies:
    """The latest questions of one client with their answers, by number."""

    session: str
    newest: int = 0
    answers: OrderedDict[int, tuple[Question, Verdict]] = field(default_factory=OrderedDict)

    def keep(self, put: Put, verdict: Verdict) -> None:
        self.newest = max(self.newest, put.number)
        self.answers[put.number] = (put.question, verdict)
        while len(self.answers) > COPIES_MAX:
            self.answers.popitem(last=False)


class Voting:
    """``memory`` is what is on the disk. ``changed`` counts changes since; ``serial`` is the last durable number."""

    def __init__(self, *, name: str, nodes: Collection[str], memory: Memory, now_s: float) -> None:
        self.counters: Counter[str] = Counter()
        self.changed = 0
        self.serial = memory.serial
        self._name = name
        self._nodes = frozenset(nodes)
        self._instance = memory.instance
        self._confirmed_by = set(memory.confirmed_by)
        self._acceptor = Acceptor(registers=memory.registers, now_s=now_s) if memory.voting else None
        self._copies: dict[str, _Copies] = {}
        self._strangers: dict[str, Hail] = {}

    @property
    def instance(self) -> str:
        """The name of our memory."""
        return self._instance

    @property
    def reason(self) -> str:
        """Why this witness does not vote; empty when it does."""
        if self._acceptor is not None:
            return ""
        missing = ", ".join(sorted(self._nodes - self._confirmed_by))
        return f"witness {self._name} is a new instance ({self._instance[:8]}), not confirmed yet by {missing}"

    def memory(self) -> Memory:
        """What is to be written next."""
        return Memory(
            instance=self._instance,
            serial=self.serial + 1,
            confirmed_by=frozenset(self._confirmed_by),
            voting=self._acceptor is not None,
            registers=dict(self._acceptor.registers) if self._acceptor else {},
        )

    def standing(self) -> Standing:
        """What nodes are told of us."""
        return Standing(instance=self._instance, serial=self.serial, reason=self.reason)

    def hail(self, node: str, hail: Hail, now_s: float) -> bool:
        """Whether the node takes us for the witness that it knows. Its word may let us vote."""
        if not hail.instance:
            return False
        if hail.instance != self._instance:
            if self._strangers.get(node) != hail:
                self._strangers[node] = hail
                self.refuse("another_instance", f"{node} knows this witness as instance {hail.instance[:8]}")
            return False
        if hail.serial > self.serial:
            self._forget(
                f"{node} has seen number {hail.serial} of what this witness wrote, which has only {self.serial}"
            )
            return False
        if node not in self._confirmed_by:
            self._confirmed_by.add(node)
            self.changed += 1
            log.info("%s confirms instance %s", node, self._instance[:8])
            if self._acceptor is None and self._confirmed_by >= self._nodes:
                self._begin(now_s)
        if self._copies.get(node) is None or self._copies[node].session != hail.session:
            self._copies[node] = _Copies(hail.session)
        return True

    def confirm(self, now_s: float) -> bool:
        """An administrator lets this instance vote; false when it does already."""
        if self._acceptor is not None:
            return False
        log.warning("instance %s may vote by an administrator's word", self._instance[:8])
        self._begin(now_s)
        return True

    def hear(self, node: str, session: str, put: Put, now_s: float) -> Verdict | None:
        """The answer, which may be sent when all changes up to now are durable; None when there is to be none."""
        if put.question.node != node:
            self.refuse("foreign", f"{node} asks in the name of {put.question.node}")
            return None
        if self._acceptor is None:
            return Verdict(granted=False, renewed=False, reason=self.reason)
        copies = self._copies[node]
        if copies.session != session:
            self.refuse("replayed", f"question {put.number} of {node} is of an earlier client")
            return None
        if put.number in copies.answers:
            question, verdict = copies.answers[put.number]
            if question == put.question:
                return verdict
            self.refuse("cloned", f"two machines ask as {node}: their questions {put.number} differ")
            return Verdict(granted=False, renewed=False, reason=f"two machines ask as {node}")
        if put.number <= copies.newest - COPIES_MAX:
            self.refuse("replayed", f"question {put.number} of {node} comes after {copies.newest}")
            return None
        verdict = self._acceptor.hear(put.question, now_s)
        if self._acceptor.changed:
            self._acceptor.changed = False
            self.changed += 1
        if not verdict.renewed:
            self.refuse("stale", f"{node}: {verdict.reason}")
        copies.keep(put, verdict)
        return verdict

    def state(self, now_s: float) -> Mapping[str, Any]:
        """What people are shown, as plain data."""
        known = self._acceptor.nodes if self._acceptor else {}
        groups = self._acceptor.registers if self._acceptor else {}
        return {
            "instance": self._instance,
            "serial": self.serial,
            "why_not_voting": self.reason,
            "nodes": [
                {
                    "name": node,
                    "confirmed": node in self._confirmed_by,
                    "incarnation": known[node].incarnation if node in known else None,
                    "lease_light_s": _left(known[node].light_until_s - now_s) if node in known else None,
                    "lease_full_s": _left(known[node].full_until_s - now_s) if node in known else None,
                }
                for node in sorted(self._nodes)
            ],
            "groups": [
                {
                    "name": name,
                    "epoch": register.epoch,
                    "holder": register.holder,
                    "promised_epoch": max(register.promised_epoch, register.epoch),
                    "promised_to": register.promised_to,
                }
                for name, register in sorted(groups.items())
            ],
            "refused": dict(sorted(self.counters.items())),
        }

    def _begin(self, now_s: float) -> None:
        """From now on we vote, as one who has just started and knows nothing."""
        log.info("instance %s votes from now on", self._instance[:8])
        self._acceptor = Acceptor(registers={}, now_s=now_s)
        self.changed += 1

    def _forget(self, proof: str) -> None:
        self.refuse("put_back", proof)
        fresh = blank()
        log.error("the memory of this witness was put back: %s. It is a new instance now: %s", proof, fresh.instance)
        self._instance, self._confirmed_by, self._acceptor = fresh.instance, set(), None
        self._copies.clear()
        self.changed += 1

    def refuse(self, kind: str, text: str) -> None:
        """Counted always, told when it is the first, tenth, hundredth... of its kind."""
        self.counters[kind] += 1
        count = self.counters[kind]
        if str(count).strip("0") == "1":
            log.warning("refused (%s, number %d): %s", kind, count, text)


def _left(seconds: float) -> float:
    return round(max(0.0, seconds), 2)
