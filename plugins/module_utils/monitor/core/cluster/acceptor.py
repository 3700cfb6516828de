# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A voter that serves nothing: one exclusive vote per group, bounded in time. The heart of the witness.

Rules (tests/unit/core/test_acceptor.py has each):

- A vote that was given is not given to another until its holder said so or its lease ran out, counted from when the
  voter heard of the holder last.
- What was promised outlives a restart: whoever sends answers makes the registers durable first (``changed``).
- A voter that has just started treats every lease as if it had been renewed at that moment, and gives no vote for a
  group that it does not know: it may have forgotten it. So no lease may be longer than TAKE_MAX_S.
- Who hears of a group from others may have heard it of another grouping: what it tells takes a vote from nobody whose
  lease runs. The holder tells itself that it has passed the group on, or its lease runs out.
- Questions may come twice, late and in any order. What comes too late changes nothing, or renews a lease, which is
  safe: an epoch that a node has abandoned, as its own register tells, it is not given any more.

Source: PaxosLease (arXiv 1209.4187), sections 2 and 3, for two proposers and their own votes last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from ..values.arbitration import Claim, Question, Renewal, Verdict
from ..values.lease import Lease
from ..values.messages import Register
from ..values.profiles import TAKE_MAX_S
from .ownership import VOUCHED, abandoned_by, adopt, grant, has_abandoned, newer, promise, refusal

Lapsed = Callable[[str], bool]
UNPLACED = Register()


def objection(register: Register, *, epoch: int, candidate: str, consent_of: str | None, lapsed: Lapsed) -> str:
    """Why a voter with this register does not give its vote; empty when it does.

    ``consent_of`` is the holder that will be asked itself; ``lapsed`` says whose lease has run out for this voter.
    """
    if reason := refusal(register, epoch=epoch, candidate=candidate):
        return reason
    heir = register.promised_to if register.promised_epoch > register.epoch else None
    if heir is not None and heir != candidate and not lapsed(heir):
        return f"epoch {register.promised_epoch} is promised to {heir}, whose lease runs"
    holder = register.holder
    if holder is not None and holder not in (candidate, consent_of) and not lapsed(holder):
        return f"{holder} holds it at epoch {register.epoch}, and its lease runs"
    former = register.former
    if former is not None and former not in (candidate, consent_of) and not lapsed(former):
        return f"{former} may hold it still, for a claim came to nothing, and its lease runs"
    return ""


@dataclass(slots=True)
class Voter:
    """What the acceptor knows of one node: until when its votes are exclusive, and what it has told.

    ``lost`` are the groups that it told of as its own and that are not, as far as the acceptor knows.
    """

    name: str
    incarnation: int
    light_until_s: float
    full_until_s: float
    version: int = 0
    told: dict[str, Register] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)

    def extend(self, lease: Lease, now_s: float) -> None:
        """The votes are exclusive for the lease's time from now on, or longer where that was agreed before."""
        self.light_until_s = max(self.light_until_s, now_s + lease.light_s)
        self.full_until_s = max(self.full_until_s, now_s + lease.full_s)

    def compare(self, group: str, register: Register) -> None:
        """``lost`` is true to the acceptor's register: a later one, or one with another promise than was told of."""
        told = self.told.get(group)
        if told is not None and (
            newer(told, register) or self._unpromised(told, register) or self._forgotten(told, register)
        ):
            self.lost.add(group)
        else:
            self.lost.discard(group)

    def _unpromised(self, told: Register, register: Register) -> bool:
        wants = told.promised_to == self.name and told.promised_epoch > max(told.epoch, register.epoch)
        return wants and (register.promised_epoch, register.promised_to) != (told.promised_epoch, self.name)

    def _forgotten(self, told: Register, register: Register) -> bool:
        """Whether the node was promised the group and may not know it any more, having started again since."""
        return register.promised_to == self.name and register.promised_epoch > max(told.promised_epoch, register.epoch)


class Acceptor:
    """``registers`` are by resource tag, as they were made durable last; ``changed`` while they are not durable yet."""

    def __init__(self, *, registers: Mapping[str, Register], now_s: float) -> None:
        self.registers = dict(registers)
        self.changed = False
        self.nodes: dict[str, Voter] = {}
        self._knowing_s = now_s + TAKE_MAX_S

    def hear(self, question: Question, now_s: float) -> Verdict:
        """The answer; it may be sent when the registers are durable."""
        known = self.nodes.get(question.node)
        if known is not None and question.incarnation < known.incarnation:
            return Verdict(granted=False, renewed=False, reason=f"{question.node} was started again since")
        if known is None or question.incarnation != known.incarnation:
            known = self._reborn(question.node, question.incarnation, known)
        if max(question.lease.light_s, question.lease.full_s) > TAKE_MAX_S:
            reason = f"the lease asked for is longer than {TAKE_MAX_S:g} s; upgrade this arbiter before the nodes"
            return Verdict(granted=False, renewed=False, reason=reason)
        known.extend(question.lease, now_s)
        if isinstance(question, Claim):
            return self._claim(known, question, now_s)
        return self._renew(known, question, now_s)

    def lapsed(self, node: str, now_s: float, *, volume: bool) -> bool:
        """Whether the node's votes may be given to another."""
        known = self.nodes.get(node)
        if known is None:
            return now_s >= self._knowing_s
        return now_s >= (known.full_until_s if volume else known.light_until_s)

    def saw(self, node: str, incarnation: int, lease: Lease, now_s: float) -> None:
        """The node has renewed its lease where everybody can see it (``observed``)."""
        known = self.nodes.get(node)
        if known is None or incarnation != known.incarnation:
            known = self._reborn(node, incarnation, known)
        known.extend(lease, now_s)

    def learn(self, group: str, register: Register) -> None:
        """The group's register is this one, as another wrote it (``observed``)."""
        self._write(group, register)

    def fork(self) -> Acceptor:
        """Another one that knows the same; what it hears from now on is not heard here."""
        other = Acceptor(registers=self.registers, now_s=self._knowing_s - TAKE_MAX_S)
        other.nodes = {
            name: replace(voter, told=dict(voter.told), lost=set(voter.lost)) for name, voter in self.nodes.items()
        }
        return other

    def _reborn(self, node: str, incarnation: int, before: Voter | None) -> Voter:
        """A new run of the node's monitor has told nothing yet; what its last run was granted still counts."""
        light_s, full_s = (before.light_until_s, before.full_until_s) if before else (self._knowing_s, self._knowing_s)
        self.nodes[node] = fresh = Voter(node, incarnation, light_until_s=light_s, full_until_s=full_s)
        return fresh

    def _renew(self, known: Voter, renewal: Renewal, now_s: float) -> Verdict:
        if renewal.since <= known.version < renewal.version:
            known.told |= renewal.registers
            settled = [self._told(known, group, told, now_s) for group, told in renewal.registers.items()]
            # What cannot be settled yet is told again with the next renewal.
            known.version = renewal.version if all(settled) else known.version
        lost = {group: self._register(group) for group in sorted(known.lost)}
        alive = tuple(sorted(name for name, node in self.nodes.items() if now_s < node.full_until_s))
        return Verdict(version=known.version, registers=lost, alive=alive)

    def _told(self, known: Voter, group: str, told: Register, now_s: float) -> bool:
        """The register is as late as the one that was told; false while others' votes stand against that."""
        mine = abandoned_by(self._register(group), told, peer=known.name)
        bound = self._bound(mine, told, known.name, now_s) if newer(mine, told) else False
        self._write(group, mine if bound else adopt(mine, told))
        known.compare(group, self._register(group))
        return not bound

    def _bound(self, mine: Register, told: Register, teller: str, now_s: float) -> bool:
        """Whether the vote is another's, who does not know yet what was told.

        An operator's word that the others are off outranks their votes.
        """
        if told.holder == teller and told.epoch // VOUCHED > mine.epoch // VOUCHED:
            return False
        heir = mine.promised_to if mine.promised_epoch > mine.epoch else None
        if teller == mine.holder or (heir is not None and (heir, mine.promised_epoch) == (told.holder, told.epoch)):
            return False
        others = {mine.holder, mine.former, heir} - {None, told.holder, teller}
        return any(not self.lapsed(node, now_s, volume=True) for node in others if node is not None)

    def _claim(self, known: Voter, claim: Claim, now_s: float) -> Verdict:
        registers = {key: self._register(key) for key in claim.keys}
        if all((register.epoch, register.holder) == (claim.epoch, claim.node) for register in registers.values()):
            return Verdict(registers=registers)
        if not any(register.epoch for register in registers.values()) and now_s < self._knowing_s:
            reason = f"this arbiter has just started and does not know {claim.group}; it waits for whoever may hold it"
            return Verdict(granted=False, reason=reason, registers=registers)
        for key, register in registers.items():
            if reason := self._objection(known, claim, key, register, now_s):
                return Verdict(granted=False, reason=reason, registers=registers)
        for key, register in registers.items():
            if claim.consent_of is not None:
                self._write(key, promise(register, epoch=claim.epoch, candidate=claim.node))
            else:
                self._write(key, grant(register, epoch=claim.epoch, node=claim.node))
        return Verdict(registers={key: self.registers[key] for key in claim.keys})

    def _objection(self, known: Voter, claim: Claim, key: str, register: Register, now_s: float) -> str:
        told = known.told.get(key)
        if told is not None and has_abandoned(told, claim.epoch):
            return f"{claim.node} has abandoned epoch {claim.epoch} since"

        def lapsed(node: str) -> bool:
            return self.lapsed(node, now_s, volume=claim.volume)

        return objection(register, epoch=claim.epoch, candidate=claim.node, consent_of=claim.consent_of, lapsed=lapsed)

    def _register(self, group: str) -> Register:
        return self.registers.get(group, UNPLACED)

    def _write(self, group: str, register: Register) -> None:
        if self._register(group) != register:
            self.registers[group] = register
            self.changed = True
            for node in self.nodes.values():
                node.compare(group, register)
