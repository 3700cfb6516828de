# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node keeps through restarts: its registers, by resource tag, and which arbiter all nodes have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from ..cluster.ownership import combine, suspend
from ..moves.group import GroupMachine
from ..values.events import Persist
from ..values.graph import Group
from ..values.messages import Register

if TYPE_CHECKING:
    from .machine import Machine


class Keeping:
    """``registers`` are those that were made durable last; after a reboot what this node held is suspended."""

    def __init__(self, machine: Machine, *, registers: Mapping[str, Register], rebooted: bool) -> None:
        self._machine = machine
        self._registers = dict(registers)
        if rebooted:
            self._registers |= {tag: suspend(r) for tag, r in registers.items() if r.holder == machine.node}
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
        agreed = self._machine.leasing.agreed
        self._machine.emit(Persist(number=number, registers=dict(self._registers), agreed=agreed))

    def persist_rest(self) -> None:
        """What changed since the last time is being made durable."""
        if self._dirty:
            self.persist()

    def written(self, number: int) -> None:
        """The registers of the Persist with this number are durable."""
        machine = self._machine
        for name, register in self._in_writing.pop(number, {}).items():
            if name in machine.groups:
                machine.groups[name].durable = register
                machine.agenda.touch(name)
