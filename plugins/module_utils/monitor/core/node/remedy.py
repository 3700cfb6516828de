# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a person can do for a group that nobody serves and no node takes by itself, with the exact command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cluster.candidates import best
from ..moves.group import GroupMachine
from ..moves.heirs import failovers, heirs
from .voting import voting

if TYPE_CHECKING:
    from .machine import Machine


def remedy(machine: Machine, g: GroupMachine) -> str:
    """The sentence for people; empty when the group is served, shall not be, or is taken by itself."""
    if not _deserted(machine, g):
        return ""
    silent = _silent(machine)
    why = _left_to_people(machine, g)
    if not why:
        return ""
    arbiter = "" if machine.manual or machine.arbiter_answers else machine.leasing.identity
    missing = [name for name in (arbiter, " and ".join(silent)) if name]
    text = f"no node takes {g.name} by itself: {why}."
    back = f" Bring {' or '.join(missing)} back" if missing else ""
    command = _command(machine, g, silent)
    if not command:
        return f"{text}{back}." if back else text
    if not silent:
        return f"{text} Run: {command}"
    sure = f"make sure that {' and '.join(silent)} {'is' if len(silent) == 1 else 'are'} switched off, and run"
    return f"{text}{back}, or {sure}: {command}"


def _deserted(machine: Machine, g: GroupMachine) -> bool:
    """Whether the group should be in service, and no node that can be heard has it or is about to."""
    register = g.register
    if register.epoch == 0 or register.stays or g.conflict or not g.group.needed(register.out):
        return False
    if register.holder == machine.node:
        return g.activity == "waiting"
    return register.holder is None or machine.membership.silent(register.holder, machine.now_s)


def _left_to_people(machine: Machine, g: GroupMachine) -> str:
    if machine.manual:
        return "with arbiter manual groups move by command only"
    votes = voting(machine)
    if not (votes["counts"] and votes["answers"]):
        return f"{votes['arbiter']} does not vote ({votes['reason']})"
    moved = failovers(g)
    return "" if moved.left else f"it has moved {moved.used} times lately"


def _silent(machine: Machine) -> list[str]:
    return [peer for peer in machine.membership.peers if machine.membership.silent(peer, machine.now_s)]


def _command(machine: Machine, g: GroupMachine, silent: list[str]) -> str:
    """What brings it into service here; empty where it would be refused: with no vote of the arbiter, nobody off."""
    to = best(heirs(g, without=silent)) or machine.node
    if to not in g.group.priorities or not (machine.manual or machine.arbiter_answers or silent):
        return ""
    tag = next(tag for tag in g.group.heads if tag not in g.register.out)
    return f"holdfast in-service {tag} {to}" + "".join(f" --peer-off {name}" for name in silent)
