# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Who may serve a group: laws of the register, as functions from register to register.

The rules that hold (tests/unit/core/test_ownership.py, tests/simulation):

- ``epoch`` never goes back; a change of holder has a new epoch.
- A node takes an epoch only when it promised that very epoch to itself and either the holder of a lower epoch
  passed it on, after a confirmed stop, or every other node promised it as well.
- A promise is durable before it is given, so a crash forgets none; a promised node no longer serves the old epoch
  once it has begun to stop, and finishes the hand-over after a restart.
- Nobody promises while it has anything of the group running.

- A holder that was rebooted is suspended until every other node says that nothing of the group runs there and that
  it has heard of the reboot; or until an operator vouches for the others. So is a node that hears only after its reboot
  that it was given what it had asked for before.

With the ``manual`` arbiter that is unanimity of the nodes, less those an operator says are switched off; with any other
a voter's promise is exclusive for as long as the lease runs (``acceptor``, ``permits``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..values.messages import Register

VOUCHED = 10_000
VOUCHED_BY = 100
"""Epochs between two that were taken on an operator's word, and between those of two nodes."""


def next_epoch(registers: Iterable[Register]) -> int:
    """An epoch above every one that was held or promised."""
    return 1 + max(max(r.epoch, r.promised_epoch) for r in registers)


def vouched_epoch(registers: Iterable[Register], *, rank: int) -> int:
    """An epoch that nobody has reached who is away now: the operator's word outranks what those did before they left.

    ``rank`` is the node's place in the cluster, so that two nodes that do not know of each other do not meet.
    """
    return (next_epoch(registers) // VOUCHED + 1) * VOUCHED + rank * VOUCHED_BY


def newer(mine: Register, theirs: Register) -> bool:
    """Whether the other register is later than ours."""
    return (theirs.epoch, theirs.revision) > (mine.epoch, mine.revision)


def adopt(mine: Register, theirs: Register) -> Register:
    """Ours, brought up to the later of the two; promises above the new epoch are kept, others are settled.

    What was asked for before a reboot is given to a node that is suspended.
    """
    if not newer(mine, theirs):
        return mine
    kept = mine.promised_epoch > theirs.epoch
    return replace(
        theirs,
        promised_epoch=mine.promised_epoch if kept else theirs.epoch,
        promised_to=mine.promised_to if kept else None,
        suspended=mine.suspended and theirs.holder == mine.promised_to,
    )


def learn(mine: Register, theirs: Register, *, node: str, peer: str, votes: bool = False) -> Register:
    """Ours after the peer told us its own.

    The later one counts, with two exceptions: a peer that was rebooted and waits has no claim against the node that
    serves, which goes above it; and where nodes vote (with any arbiter but manual) nobody is made holder without its
    own vote: an epoch that it did not promise itself it gives up.
    """
    if votes and theirs.holder == node and theirs.epoch > mine.epoch:
        own_vote = (mine.promised_epoch, mine.promised_to) == (theirs.epoch, node)
        return adopt(mine, theirs) if own_vote else abandon(mine, epoch=theirs.epoch, node=node)
    if theirs.holder == node and not mine.epoch and not mine.promised_epoch and theirs.epoch:
        # This node has forgotten that it ever held it, and what else: it waits as after a reboot.
        return suspend(adopt(mine, theirs))
    waits = theirs.suspended and theirs.holder == peer and not votes
    if not waits or mine.holder != node or mine.suspended:
        return adopt(mine, theirs)
    if promised_away(mine, node) or (theirs.epoch, theirs.revision) < (mine.epoch, mine.revision):
        return mine
    epoch = next_epoch([mine, theirs])
    return replace(mine, epoch=epoch, revision=0, promised_epoch=epoch, promised_to=None)


def suspend(register: Register) -> Register:
    """The register after a reboot of the node that holds the group, or has asked for it."""
    return replace(register, suspended=True)


def resume(register: Register) -> Register:
    """The holder's register when no other node can have been given the group."""
    return replace(register, suspended=False)


def promised_away(register: Register, node: str) -> bool:
    """Whether the holder ``node`` has agreed to give the group to another and has not passed it on yet."""
    promised = register.promised_epoch > register.epoch and register.promised_to not in (None, node)
    return register.holder == node and promised


def refusal(register: Register, *, epoch: int, candidate: str) -> str:
    """Why this epoch cannot be promised to the candidate; empty when it can."""
    if epoch <= register.epoch:
        return f"epoch {epoch} is over: the group is at epoch {register.epoch}, {_held(register)}"
    if epoch < register.promised_epoch or (epoch == register.promised_epoch and register.promised_to != candidate):
        whom = f"promised to {register.promised_to}" if register.promised_to else "given up"
        return f"epoch {register.promised_epoch} is {whom} already"
    return ""


def promise(register: Register, *, epoch: int, candidate: str) -> Register:
    """The register with the promise; only when ``refusal`` found nothing."""
    return replace(register, promised_epoch=epoch, promised_to=candidate)


def take(*, epoch: int, node: str, out: frozenset[str], revision: int = 1) -> Register:
    """The register of a node that now holds the group at the epoch it had promised to itself.

    Revision 1 is above what a voter or the former holder wrote that gave it the epoch: it may have had another ``out``.
    """
    return Register(epoch=epoch, revision=revision, holder=node, promised_epoch=epoch, out=out)


def grant(register: Register, *, epoch: int, node: str) -> Register:
    """A voter's register when a claim without consent is granted; whoever had it before is not forgotten yet."""
    former = register.holder or register.former
    return replace(take(epoch=epoch, node=node, out=register.out, revision=0), former=former)


def pass_on(register: Register) -> Register:
    """The register after a confirmed stop: the promised node holds the promised epoch."""
    return Register(
        epoch=register.promised_epoch,
        holder=register.promised_to,
        promised_epoch=register.promised_epoch,
        out=register.out,
    )


def give_up(*, epoch: int, out: frozenset[str], to: str | None = None) -> Register:
    """The register after a confirmed stop: ``to`` holds the group now, or nobody does."""
    return Register(epoch=epoch, holder=to, promised_epoch=epoch, out=out)


def release(register: Register) -> Register:
    """The register when its holder lets go of it, with no other to have it: same epoch, next revision."""
    return replace(register, revision=register.revision + 1, holder=None, former=None, suspended=False)


def abandon(register: Register, *, epoch: int, node: str) -> Register:
    """The register of a node that was promised an epoch, or given it, and shall not use it.

    A promise to another is kept: it is worth more than telling that this node does not want what it was given.
    """
    if register.promised_to not in (None, node) and register.promised_epoch > register.epoch:
        return register
    return replace(register, promised_epoch=max(register.promised_epoch, epoch), promised_to=None)


def has_abandoned(theirs: Register, epoch: int) -> bool:
    """Whether a node with this register will never use the epoch, whatever it asked for before."""
    return theirs.promised_to is None and theirs.epoch < epoch <= theirs.promised_epoch


def abandoned_by(mine: Register, theirs: Register, *, peer: str) -> Register:
    """Ours after the peer told us its own: what it abandoned is nobody's any more.

    It abandoned every epoch above its own up to the one that it promised to nobody. Who had the group before such a
    claim (``former``) may have it still.
    """
    if mine.holder == peer and has_abandoned(theirs, mine.epoch):
        return replace(mine, revision=mine.revision + 1, holder=None)
    if mine.promised_to == peer and has_abandoned(theirs, mine.promised_epoch):
        return replace(mine, promised_to=None)
    return mine


def keep(register: Register, node: str) -> Register:
    """The holder's register after a hand-over that it could not carry out: at the epoch that it has not passed on.

    Nobody else can be given that one; any other could be voted for elsewhere.
    """
    epoch = register.promised_epoch
    return replace(register, epoch=epoch, revision=0, holder=node, promised_epoch=epoch, promised_to=None)


def stay(register: Register, *, stays: bool = True) -> Register:
    """The holder's register when it shuts down and keeps the group, or is back; same epoch, next revision."""
    return replace(register, revision=register.revision + 1, stays=stays)


def change_out(register: Register, out: frozenset[str]) -> Register:
    """The holder's register with other hierarchies out of service; same epoch, next revision."""
    return replace(register, revision=register.revision + 1, out=out)


def combine(registers: Mapping[str, Register], tags: Iterable[str]) -> tuple[Register, str]:
    """The register of a group from those of its members, and what contradicts (empty when nothing does).

    Members that were never placed (epoch 0) follow the others, so that a hierarchy created over an address that is
    in service belongs where the address is. A member that is promised to a node may be in service there. Registers
    that differ make one that is older than any of that epoch which a node has really had (revision -1).
    """
    known = [registers[tag] for tag in tags if tag in registers]
    placed = [r for r in known if r.epoch > 0] or known or [Register()]
    held = [r for r in placed if r.holder is not None]
    alike = len({r for r in known if r.promised_epoch > 0}) <= 1
    promised_to = set() if alike else {r.promised_to for r in known if r.promised_epoch > r.epoch}
    claims = sorted(node for node in {r.holder for r in held} | promised_to if node is not None)
    latest = max(placed, key=lambda r: (r.epoch, r.revision))
    out = frozenset(tag for r in placed for tag in r.out)
    promised = max(known or placed, key=lambda r: r.promised_epoch)
    combined = replace(
        latest,
        revision=latest.revision if len(set(placed)) == 1 else -1,
        holder=max(held, key=lambda r: (r.epoch, r.revision)).holder if held else None,
        out=out,
        promised_epoch=promised.promised_epoch,
        promised_to=promised.promised_to,
        suspended=any(r.suspended for r in placed),
    )
    how = "held by or promised to" if promised_to else "held by"
    conflict = f"its resources are {how} {' and '.join(claims)}" if len(claims) > 1 else ""
    return combined, conflict


def _held(register: Register) -> str:
    return f"held by {register.holder}" if register.holder else "held by nobody"
