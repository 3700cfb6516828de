# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The node's own lease: renews it at the arbiter, keeps the permits of its groups, and ends what has none any more."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from ..cluster.agreement import Heard, agreed_now, remembered
from ..cluster.claims import OpenClaims
from ..cluster.ownership import abandon, adopt, newer
from ..cluster.peer import NEVER_S
from ..cluster.permits import OwnLease, by_arbiter_s, by_peers_s
from ..moves.election import CLAIM_S
from ..moves.group import GroupMachine
from ..moves.story import Claiming
from ..moves.tending import lapse
from ..values.arbitration import Claim, Renewal, Verdict
from ..values.events import Consult, Consulted, Permit
from ..values.messages import Register
from ..values.model import Arbiter, Manual, identity
from .routing import on_verdict

if TYPE_CHECKING:
    from .machine import Machine

FOREVER_S = float("inf")
AT_FIRST_S = 0.1
"""How soon an arbiter that has not answered this monitor yet is asked again: what runs may be waiting for its vote."""
WORTH_TELLING_S = 0.05
"""A permit that got longer by less than this is not told to the guard yet."""


class Leasing:
    """``stale``: votes came in since the permits were reckoned last. ``agreed``: see ``cluster.agreement``.

    ``identity`` is which arbiter is configured here.
    """

    def __init__(self, machine: Machine, *, agreed: str) -> None:
        self.agreed = self._durable = agreed
        self.own = OwnLease()
        self.identity = identity(Manual())
        self.stale = True
        self._machine = machine
        self._numbers = count(1)
        self._permitted: dict[str, float] = {}
        self._first_s = FOREVER_S
        self._shown_s = NEVER_S
        self._since_s = machine.now_s
        self._lost: set[str] = set()
        self._claims = OpenClaims(patience_s=CLAIM_S)

    def begin(self) -> None:
        """There is another arbiter: nothing that the one before said counts any more."""
        machine = self._machine
        self.own = OwnLease()
        self.identity = identity(self._arbiter)
        self.own.due_s = self._since_s = machine.now_s
        self.agreed = remembered(self.agreed, self._arbiter)
        for g in machine.groups.values():
            g.backing.claimed = (-1, NEVER_S)
        self.limit()

    @property
    def counts(self) -> bool:
        """Whether the arbiter's vote counts: every node is known to have the same one."""
        return self.agreed == self.identity

    @property
    def _arbiter(self) -> Arbiter:
        config = self._machine.config
        return config.cluster.arbiter if config is not None else Manual()

    def limit(self) -> None:
        """No permit is for ever any more, unless the votes that there are now make it so."""
        end_s = self._machine.now_s + self._machine.timers.own_s
        for g in self._machine.groups.values():
            g.backing.until_s = min(g.backing.until_s, end_s)
        self.stale = True

    # -- permits ----------------------------------------------------------------------------------------

    def enforce(self) -> None:
        """What this node may not serve any more is being taken off; by the votes that were in before this moment."""
        now_s = self._machine.now_s
        if now_s < self._first_s:
            return
        self._reckon()
        for g in self._machine.groups.values():
            if NEVER_S < g.backing.until_s <= now_s:
                lapse(g)
                self._machine.agenda.touch(g.name)
        self.stale = True

    def until_s(self, g: GroupMachine) -> float:
        """Until when the votes that are in now let this node serve the group."""
        machine = self._machine
        epoch = g.epoch_here
        if epoch < 0:
            return NEVER_S
        if machine.manual and self.counts:
            return FOREVER_S
        peers = [peer for name, peer in machine.membership.peers.items() if name not in machine.vouched]
        if not peers and machine.vouched:
            return FOREVER_S
        arbiter_s = by_arbiter_s(g.backing, epoch=epoch, own=self.own) if self.counts else NEVER_S
        peers_s = by_peers_s(
            g.backing, group=g.name, epoch=epoch, node=machine.node, peers=peers, ground=machine.ground
        )
        return machine.timers.own_s + max(arbiter_s, peers_s)

    def heard(self, g: GroupMachine) -> bool:
        """Whether the group's register as it is now is known to the arbiter, or to every peer."""
        machine = self._machine
        if g.told is None or g.told.register != g.register:
            return False
        peers = [peer for name, peer in machine.membership.peers.items() if name not in machine.vouched]
        by_arbiter = self.counts and self.own.version >= g.backing.version
        return by_arbiter or all(peer.told >= g.backing.version for peer in peers)

    def arbiter_hears(self, node: str | None) -> bool:
        """Whether the node's lease runs at the arbiter, as it said last."""
        return node in self.own.hears

    def missing(self, g: GroupMachine) -> str:
        """Who has not voted for this node to serve the group."""
        machine = self._machine
        arbiter = self.own.reason or "the arbiter does not vote for it"
        silent = [
            p.name for p in machine.membership.peers.values() if not machine.membership.alive(p.name, machine.now_s)
        ]
        peers = f"{' and '.join(silent)} is silent" if silent else "not every peer has promised it"
        return f"{arbiter}; {peers} (epoch {g.register.epoch})"

    def _reckon(self) -> None:
        """The permits are as long as the votes that are in make them."""
        self._first_s = FOREVER_S
        for g in self._machine.groups.values():
            if g.epoch_here >= 0 and not g.suspended and g.extend() > NEVER_S:
                self._first_s = min(self._first_s, g.backing.until_s)
        self.stale = False

    # -- the arbiter --------------------------------------------------------------------------------------

    def agree(self) -> None:
        """Once every peer has named the same arbiter, its vote counts here; that is remembered before it counts."""
        machine = self._machine
        if machine.config is None:
            return
        if not self.counts:
            heard = [
                Heard(arbiter=peer.arbiter, fresh=peer.acked_s >= self._since_s, whole=True)
                for peer in machine.membership.peers.values()
            ]
            self.agreed = agreed_now(self.agreed, self._arbiter, heard)
            self.stale = self.stale or self.counts
        by_hand_from_the_beginning = machine.manual and self.counts and self._durable == ""
        if self.agreed != self._durable and not by_hand_from_the_beginning:
            self._durable = self.agreed
            machine.persist()

    def renew(self) -> None:
        """The lease is renewed where that is due, and the guard knows the permits."""
        machine = self._machine
        if not machine.manual and machine.config is not None:
            behind = self.own.told < machine.telling.registers and not self.own.renewing
            if machine.now_s >= self.own.due_s or behind:
                self._renew()
        if self.stale and machine.now_s >= self._shown_s + machine.timers.renew_s / 2:
            self.show()

    def deadline_s(self) -> float | None:
        """When the lease is to be renewed, or the first permit runs out."""
        due_s = FOREVER_S if self._machine.manual else self.own.due_s
        first_s = min(due_s, self._first_s)
        return None if first_s in (FOREVER_S, NEVER_S) else first_s

    def may_claim(self, g: GroupMachine) -> bool:
        """Whether the arbiter is not busy with many claims of this node; if it is, the group is touched later."""
        return self._claims.has_room(g.name, self._machine.now_s)

    def claim(self, g: GroupMachine, *, epoch: int, consent_of: str | None) -> int:
        """The arbiter is asked for the group; the number of the question."""
        machine = self._machine
        question = Claim(
            node=machine.node,
            incarnation=machine.incarnation,
            lease=machine.timers.lease,
            group=g.name,
            epoch=epoch,
            volume=bool(g.group.volumes) or self._differs(g),
            consent_of=consent_of,
            tags=g.group.tags,
        )
        self._claims.begun(g.name, machine.now_s)
        return self._ask(question)

    def _differs(self, g: GroupMachine) -> bool:
        """Whether the holder may know of a volume of the group that this node does not know of yet."""
        holder = self._machine.membership.peers.get(g.register.holder or "")
        return holder is not None and holder.ground != self._machine.ground

    def judged(self, event: Consulted) -> None:
        """The arbiter's answer counts from when its question was sent."""
        machine = self._machine
        question = self.own.judged(event.number, event.verdict, event.error, machine.now_s)
        verdict = event.verdict
        if question is None or verdict is None:
            if self.own.answered_s is None:
                self.own.due_s = min(self.own.due_s, machine.now_s + AT_FIRST_S)
            return
        self.stale = True
        if isinstance(question, Renewal) and self.own.sent_s < self.own.renewed_s:
            return
        if isinstance(question, Renewal):
            # First of all, or what it takes back would count as a vote for what is learnt next. What was not told yet
            # when the question was asked cannot be contradicted by its answer.
            self._mark({g.name for g in self._contradicted(verdict) if question.version >= g.backing.version})
        if isinstance(question, Renewal) or not verdict.granted:
            for g in {g.name: g for tag in verdict.registers if (g := machine.group_of.get(tag))}.values():
                told = {verdict.registers.get(tag) for tag in g.group.tags}
                if len(told) == 1 and (register := told.pop()) is not None:
                    self._learn(g, register)
        if isinstance(question, Claim) and (waiting := self._claims.answered(question.group)) is not None:
            machine.agenda.touch(waiting)
        if isinstance(question, Claim) and (g := machine.groups.get(question.group)) is not None:
            machine.agenda.touch(g.name)
            if on_verdict(g, event.number, verdict) and verdict.granted:
                g.backing.claimed = (question.epoch, self.own.sent_s)
                g.backing.lost = False
                self._lost.discard(g.name)

    def _contradicted(self, verdict: Verdict) -> list[GroupMachine]:
        """The groups of which the arbiter has other registers than it was told, unless it is our claim under way."""
        group_of, node = self._machine.group_of, self._machine.node
        theirs = [(group_of[tag], register) for tag, register in verdict.registers.items() if tag in group_of]
        return [
            g
            for g, register in theirs
            if (register.holder != node or not _claiming(g)) and not self._forgotten(g, register)
        ]

    def _forgotten(self, g: GroupMachine, theirs: Register) -> bool:
        """Whether the arbiter has nothing against us but a promise to this node that it does not know of."""
        promised = theirs.promised_to == self._machine.node and theirs.promised_epoch > g.register.promised_epoch
        return promised and not newer(g.register, theirs)

    def _mark(self, lost: set[str]) -> None:
        """These groups are not this node's for all that the arbiter knows; the others are as they were told."""
        for name in self._lost | lost:
            if name in self._machine.groups:
                self._machine.groups[name].backing.lost = name in lost
        self._lost = lost

    def _learn(self, g: GroupMachine, theirs: Register) -> None:
        """What the arbiter knows better.

        An epoch that it gave to this node or promised it, and that this node never voted for itself, is abandoned.
        While every peer stands by us, a claim of another came to nothing, or will (``failover.claim_anew``). A holder
        that is not off yet learns of another from a later verdict: what it told now would pass for its word that it
        has passed the group on (docs/model, TOLD_BEFORE_THE_STOP).
        """
        machine = self._machine
        if self._forgotten(g, theirs) and not _claiming(g):
            g.write(abandon(g.register, epoch=theirs.promised_epoch, node=machine.node))
            machine.agenda.touch(g.name)
            return
        if not newer(g.register, theirs):
            return
        if theirs.holder == machine.node:
            if not _claiming(g):
                g.write(abandon(g.register, epoch=theirs.epoch, node=machine.node))
        elif not g.permitted and not (g.register.holder == machine.node and g.maybe_on):
            g.learn_register(adopt(g.register, theirs))
        machine.agenda.touch(g.name)

    def _renew(self) -> None:
        machine = self._machine
        since, version = self.own.version, machine.telling.number
        news = [(g, g.told.register) for g in machine.groups.values() if g.version > since and g.told is not None]
        registers = {tag: register for g, register in news for tag in g.group.tags}
        self.own.due_s = machine.now_s + machine.timers.renew_s
        self.own.told = version
        self._ask(
            Renewal(
                node=machine.node,
                incarnation=machine.incarnation,
                lease=machine.timers.lease,
                since=since,
                version=version,
                registers=registers,
            )
        )

    def _ask(self, question: Claim | Renewal) -> int:
        number = next(self._numbers)
        self.own.ask(number, question, self._machine.now_s)
        self._machine.emit(Consult(number=number, question=question))
        return number

    # -- the guard ----------------------------------------------------------------------------------------

    def show(self) -> None:
        """The guard knows the permits as they are by all votes that are in."""
        self._reckon()
        machine = self._machine
        self._shown_s = machine.now_s
        mine = [g for g in machine.groups.values() if g.register.holder == machine.node and not g.register.suspended]
        permits = {g.name: g.backing.until_s for g in mine if g.backing.until_s > NEVER_S}
        known = self._permitted
        anew = [name for name, until_s in permits.items() if known.get(name, NEVER_S) <= machine.now_s < until_s]
        machine.agenda.touch_all(anew)
        same = permits.keys() == known.keys()
        if same and all(until_s - known[name] < WORTH_TELLING_S for name, until_s in permits.items()):
            return
        self._permitted = permits
        machine.emit(Permit(until_s=permits))

    def admit(self, g: GroupMachine) -> None:
        """The guard knows a permit of the group that runs for a while, if there is one, before what is emitted next.

        The others are told when it is their time, or a thousand groups that start would each be told of a thousand.
        """
        machine = self._machine
        until_s = g.extend()
        if g.register.holder != machine.node or g.suspended or not until_s > machine.now_s:
            return
        self._first_s = min(self._first_s, until_s)
        if self._permitted.get(g.name, NEVER_S) < min(until_s, machine.now_s + machine.timers.own_s / 2):
            self._permitted = {**self._permitted, g.name: until_s}
            machine.emit(Permit(until_s=self._permitted))


def _claiming(g: GroupMachine) -> bool:
    """Whether the arbiter is being asked for the group just now."""
    return g.task is not None and isinstance(g.task.wait, Claiming)
