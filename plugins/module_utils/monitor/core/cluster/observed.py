# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The arbiter's answers, given on the asking node itself, from a store of records that can only be read and swapped.

The law is the acceptor's (``acceptor``); here is how it is kept when its registers lie where every node writes them:

- A renewal is a swap of the node's own record. It counts from when it was asked for, and only when it is known to be
  in; an attempt whose answer was lost is known again by its incarnation and number.
- Whoever takes something from a node whose lease ran out swaps that node's record too, in one with the register: it
  must be as it was when it was last seen to change, and its owner's next renewal fails. The owner then reads everything
  before it asks again, so no renewal is in whose sender has not seen what was taken from it before.
- Registers that a renewal tells are in the store before it is answered. A renewal that tells none writes one record,
  however many groups there are.
- A question is answered only when the law has nothing left to write for it.
- A node that is none of the cluster's any more is marked so in its own record, by whoever renews next; it gets no vote,
  also when nobody else is left. Nodes of two minds, while they are told of a change, mark and clear in turn.
- A store that lost records is a new one: nobody is believed to be gone before the longest lease has passed.

Source: engines such as client-go's leader election do the same without the second record (k8s.io/client-go,
tools/leaderelection), and say that they do not fence; docs/decisions/0013-stores-as-arbiters.md.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from ..values.arbitration import Claim, Question, Verdict
from ..values.events import Consulted
from ..values.history import History
from ..values.lease import Lease
from ..values.messages import Register
from ..values.records import Answer, Operation, Presence, Put, Read, Record, Swap, presence_key, register_key
from .acceptor import Acceptor, Voter
from .observation import Observation

POLL_S = 1.0
"""Without questions the store is read this often: what was not seen to change cannot be taken."""
REGISTERS_MAX = 100
"""Registers in one swap. etcd takes 128 operations in a transaction (``--max-txn-ops``), nodes' records included."""
RACES_MAX = 8
"""Swaps in a row that fail because others were faster, before the questions are given up."""
_NEVER_S = float("-inf")


@dataclass(slots=True)
class _Plan:
    """What the law would write for some questions, and whose leases it took for run out. ``keys`` were looked at."""

    keys: list[str] = field(default_factory=list)
    registers: dict[str, Register] = field(default_factory=dict)
    lapsed: set[str] = field(default_factory=set)


class ObservedArbiter:
    """Sans I/O: ``ask``, carry out each ``operation``, tell its outcome, and collect ``outcomes``.

    One operation is under way at a time. Of questions that wait, a newer one of the same kind and group replaces the
    older, which is never answered.
    """

    def __init__(self, *, node: str, nodes: Collection[str] = ()) -> None:
        """``nodes`` are all of the cluster; nobody is taken for removed when they are not given."""
        self._node = node
        self._nodes = frozenset(nodes)
        self._seen: Observation | None = None
        self._sure = False
        self._tried_s = _NEVER_S
        self._waiting: dict[str, tuple[int, Question]] = {}
        self._asked: dict[str, tuple[int, Question]] = {}
        self._under_way: tuple[Operation, _Plan] | None = None
        self._outcomes: list[Consulted] = []
        self._own = Voter(node, 0, light_until_s=_NEVER_S, full_until_s=_NEVER_S)
        self._seq = 0
        self._races = 0

    # -- in -----------------------------------------------------------------------------------------

    def ask(self, number: int, question: Question) -> None:
        """The question waits for its turn."""
        if isinstance(question, Claim):
            self._waiting[question.group] = (number, question)
        else:
            told = {group: _bare(register) for group, register in question.registers.items()}
            self._waiting[""] = (number, replace(question, registers=told))

    def answered(self, answer: Answer, now_s: float) -> None:
        """The operation under way had this answer, received now."""
        operation, plan = self._under_way or (None, _Plan())
        self._under_way = None
        self._sure = True
        self._learn(answer, now_s)
        if isinstance(operation, Swap):
            self._judge(operation, plan, answer, now_s)

    def failed(self, error: str) -> None:
        """Nobody knows what became of the operation under way; it may even take effect later."""
        operation, _plan = self._under_way or (None, None)
        self._under_way = None
        self._sure = False
        if not isinstance(operation, Swap):
            self._asked, self._waiting = self._asked | self._waiting, {}
        self._give_up(error)

    def noticed(self, answer: Answer, now_s: float) -> None:
        """Somebody told of these records; a hint that may come late, twice or never."""
        if self._seen is not None:
            self._seen.notice(answer.records, now_s)

    # -- out ----------------------------------------------------------------------------------------

    def operation(self, now_s: float) -> Operation | None:
        """What is to be carried out now; None while one is under way or nothing is due."""
        if self._under_way is not None:
            return None
        if self._seen is None or not self._sure:
            due = bool(self._waiting) or now_s >= self._tried_s + POLL_S
            return self._begin(Read(since=0), _Plan(), now_s) if due else None
        self._asked |= self._waiting
        self._waiting = {}
        plan = self._plan(self._seen, list(self._asked), now_s)
        if plan.keys:
            return self._begin(self._swap(self._seen, plan, now_s), plan, now_s)
        if now_s >= self._tried_s + POLL_S:
            return self._begin(Read(since=self._seen.revision), _Plan(), now_s)
        return None

    def outcomes(self) -> list[Consulted]:
        """The answers found since the last call."""
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    # -- planning -----------------------------------------------------------------------------------

    def _begin(self, operation: Operation, plan: _Plan, now_s: float) -> Operation:
        self._tried_s = now_s
        self._under_way = (operation, plan)
        return operation

    def _plan(self, seen: Observation, keys: list[str], now_s: float) -> _Plan:
        """What the law says to these questions one after another, as far as it fits into one swap.

        Questions of a node for which there is no vote are answered at once.
        """
        plan, law = _Plan(), seen.law.fork()
        own = seen.presence(self._node)
        if own is not None and own.removed_by is not None:
            for key in keys:
                self._settle(key, self._asked[key][0], _removed(self._node, own.removed_by))
            return plan
        for key in sorted(keys):
            if len(plan.registers) >= REGISTERS_MAX:
                break
            number, question = self._asked[key]
            before = {tag: law.registers.get(tag, Register()) for tag in _tags(question)}
            verdict = law.hear(question, now_s)
            if not verdict.renewed:
                self._settle(key, number, verdict)
                continue
            plan.keys.append(key)
            written = _written(law, seen.law, question)
            if isinstance(question, Claim):
                changed = [register for tag, register in before.items() if law.registers.get(tag) != register]
                plan.lapsed |= {node for register in changed for node in _relied_on(register, question)}
            plan.registers |= written
        return plan

    def _swap(self, seen: Observation, plan: _Plan, now_s: float) -> Swap:
        _number, question = self._asked[plan.keys[0]]
        puts: dict[str, Record] = {presence_key(self._node): self._presence(seen, question, now_s)}
        puts |= {presence_key(node): presence for node, presence in self._misplaced(seen)}
        for node in sorted(plan.lapsed):
            puts[presence_key(node)] = _fence(seen.presence(node), by=self._node)
        for group in sorted(plan.registers)[:REGISTERS_MAX]:
            puts[register_key(group)] = plan.registers[group]
        expected = {key: Put(expected=seen.expected(key), record=record) for key, record in puts.items()}
        return Swap(puts=expected, since=seen.revision)

    def _misplaced(self, seen: Observation) -> list[tuple[str, Presence]]:
        """The records of nodes that left the cluster or came again, and do not say so, as they are to be."""
        known = [(node, presence) for node, presence in seen.presences() if node != self._node] if self._nodes else []
        wanted = {node: None if node in self._nodes else presence.removed_by or self._node for node, presence in known}
        return [(n, replace(p, removed_by=wanted[n])) for n, p in known if p.removed_by != wanted[n]]

    def _presence(self, seen: Observation, question: Question, now_s: float) -> Presence:
        """Our next renewal. A longer lease than now, announced before, is announced until it has passed."""
        before = seen.presence(self._node)
        if before is not None and before.incarnation == question.incarnation:
            self._seq = max(self._seq, before.seq)
        self._seq += 1
        own = self._own
        own.extend(question.lease, now_s)
        lease = Lease(
            light_s=max(question.lease.light_s, round(own.light_until_s - now_s, 3)),
            full_s=max(question.lease.full_s, round(own.full_until_s - now_s, 3)),
        )
        return Presence(incarnation=question.incarnation, seq=self._seq, lease=lease)

    # -- judging ------------------------------------------------------------------------------------

    def _learn(self, answer: Answer, now_s: float) -> None:
        if self._seen is None or self._seen.contradicts(answer):
            self._seen = Observation(now_s=now_s)
        first = self._seen.presence(self._node) is None
        self._seen.learn(answer, now_s)
        own = self._seen.presence(self._node)
        if first and own is not None:
            self._own.extend(own.lease, now_s)

    def _judge(self, swap: Swap, plan: _Plan, answer: Answer, now_s: float) -> None:
        """Answers what the swap has settled; what it has not stays asked."""
        seen = self._seen
        own = seen.presence(self._node) if seen else None
        wrote = swap.puts[presence_key(self._node)].record
        if seen is None or not isinstance(wrote, Presence):
            return
        if answer.done or own == wrote:
            self._races = 0
            for key in plan.keys:
                self._answer(seen, key, now_s)
        elif own is not None and own.incarnation == wrote.incarnation and own.seq > wrote.seq:
            twice = f"another monitor renews the lease of {self._node} as if it were this one; stop one of them"
            for key, (number, _question) in list(self._asked.items()):
                self._settle(key, number, Verdict(granted=False, renewed=False, reason=twice))
        else:
            self._races += 1
            if self._races >= RACES_MAX:
                self._give_up(f"other nodes changed the records first, {RACES_MAX} times in a row")

    def _answer(self, seen: Observation, key: str, now_s: float) -> None:
        """The question is answered if the law has nothing left to write for it."""
        number, question = self._asked[key]
        trial = seen.law.fork()
        trial.hear(question, now_s)
        if not _written(trial, seen.law, question):
            self._settle(key, number, seen.law.hear(question, now_s))

    def _settle(self, key: str, number: int, verdict: Verdict) -> None:
        self._outcomes.append(Consulted(number=number, verdict=verdict))
        self._asked.pop(key, None)

    def _give_up(self, error: str) -> None:
        self._races = 0
        for number, _question in self._asked.values():
            self._outcomes.append(Consulted(number=number, verdict=None, error=error))
        self._asked = {}


def _written(law: Acceptor, before: Acceptor, question: Question) -> dict[str, Register]:
    """The registers that the question has changed."""
    now = {tag: law.registers[tag] for tag in _tags(question) if tag in law.registers}
    return {tag: register for tag, register in now.items() if register is not before.registers.get(tag)}


def _tags(question: Question) -> Iterable[str]:
    """The resources that the question is about."""
    return question.keys if isinstance(question, Claim) else question.registers


def _relied_on(register: Register, claim: Claim) -> set[str]:
    """The nodes whose leases the law took for run out when it granted the claim on this register."""
    heir = register.promised_to if register.promised_epoch > register.epoch else None
    concerned = {node for node in (heir, register.holder, register.former) if node is not None}
    return concerned - {claim.node, claim.consent_of or claim.node}


def _bare(register: Register) -> Register:
    """Without what nodes tell each other, and no voter judges by."""
    return replace(register, history=History()) if register.history != History() else register


def _removed(node: str, by: str) -> Verdict:
    reason = f"{node} is no node of the cluster any more, as {by} knows it"
    return Verdict(granted=False, renewed=False, reason=reason)


def _fence(presence: Presence | None, *, by: str) -> Presence:
    """The node's record, changed without renewing anything."""
    nobody = Presence(incarnation=0, seq=0, lease=Lease(light_s=0.0, full_s=0.0))
    return replace(presence or nobody, fenced_by=by)
