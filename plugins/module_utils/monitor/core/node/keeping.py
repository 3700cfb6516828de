# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node keeps through restarts: its registers, by resource tag, which arbiter all nodes have, and who is off.

Rule: that an operator vouched for a node outlives the monitor, not the machine. What runs goes on as before the
monitor's restart, until that node is heard; after a reboot nothing runs, and a person is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from ..cluster.ownership import combine, suspend
from ..cluster.peer import NEVER_S
from ..moves.group import GroupMachine
from ..values.events import Persist
from ..values.graph import Group
from ..values.messages import Register

if TYPE_CHECKING:
    from .machine import Machine


class Keeping:
    """``registers`` and ``vouched`` were made durable last; after a reboot what this node held is suspended."""

    def __init__(
        self, machine: Machine, *, registers: Mapping[str, Register], vouched: frozenset[str], rebooted: bool
    ) -> None:
        self._machine = machine
        self._vouched = vouched
        self._registers = dict(registers)
        if rebooted:
            mine = {tag: r for tag, r in registers.items() if machine.node in (r.holder, r.promised_to)}
            self._registers |= {tag: suspend(register) for tag, register in mine.items()}
        self._numbers = count(1)
        self._in_writing: dict[int, dict[str, Register]] = {}
        self._dirty: dict[str, GroupMachine] = {}

    def of_group(self, group: Group) -> tuple[Register, str]:
        """The register of a group by those of its members, and what contradicts.

        Members of a group that was wholly out of service stay so in another one.
        """
        register, conflict = combine(self._registers, group.tags)
        if register.holder is None and register.out and not register.out & set(group.heads):
            register = replace(register, out=register.out | set(group.heads))
        return register, conflict

    def group(self, group: Group, former: Mapping[str, GroupMachine]) -> GroupMachine:
        """The group as it is described now; ``former`` are the groups of before, by resource tag.

        The votes that let this node serve all its resources do so still: who gave them is bound by them for as long as
        before, whatever was described since. So what runs goes on while the voters hear of the change.
        """
        register, conflict = self.of_group(group)
        machine, now_s = self._machine, self._machine.now_s
        g = GroupMachine(
            group=group, world=machine, register=register, durable=register, conflict=conflict, since_s=now_s
        )
        before = {f.name: f for tag in group.tags if (f := former.get(tag)) is not None and f.register.epoch > 0}
        g.known_s = max((f.known_s for f in before.values()), default=g.known_s)
        if not conflict and g.holds and all(f.holds for f in before.values()):
            g.backing.until_s = min((f.backing.until_s for f in before.values()), default=NEVER_S)
        return g

    def changed(self, g: GroupMachine) -> None:
        """The group's register is to be durable soon."""
        self._dirty[g.name] = g

    def persist(self) -> None:
        """All registers are durable before what is emitted next."""
        for g in self._dirty.values():
            self._registers.update(dict.fromkeys(g.group.tags, g.register))
        number = next(self._numbers)
        self._in_writing[number] = {name: g.register for name, g in self._dirty.items()}
        self._dirty = {}
        machine, self._vouched = self._machine, frozenset(self._machine.vouched)
        agreed = machine.leasing.agreed
        machine.emit(Persist(number=number, registers=dict(self._registers), agreed=agreed, vouched=self._vouched))

    def persist_rest(self) -> None:
        """What changed since the last time is being made durable."""
        if self._dirty or self._vouched != self._machine.vouched:
            self.persist()

    def written(self, number: int) -> None:
        """The registers of the Persist with this number are durable."""
        machine = self._machine
        for name, register in self._in_writing.pop(number, {}).items():
            if name in machine.groups:
                machine.groups[name].durable = register
                machine.agenda.touch(name)
