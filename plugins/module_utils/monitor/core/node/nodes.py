# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Notices when another node comes, falls silent, or is heard again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cluster.peer import NodeState
from ..values.events import Note

if TYPE_CHECKING:
    from .machine import Machine


class Nodes:
    """The state of every other node as it was noted last."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._states: dict[str, NodeState] = {}

    def begin(self) -> None:
        """The nodes are those of the machine's membership now."""
        self._states = {}

    def watch(self) -> None:
        """What changed is noted, and every group is looked at, for it may concern all of them."""
        machine = self._machine
        for name, peer in machine.membership.peers.items():
            state = peer.state(machine.now_s, machine.membership.timers)
            before = self._states.get(name, "unknown")
            if state != before:
                self._states[name] = state
                if state == "alive":
                    self._announce()
                machine.agenda.touch_all(machine.groups)
                machine.emit(
                    Note(kind="node", group="", text=f"{name} is {state}, was {before}", fields={"node": name})
                )

    def _announce(self) -> None:
        """A node that is heard again may have said, before it knew better, that what we serve is with it."""
        for g in self._machine.groups.values():
            g.announce = g.register.holder == self._machine.node
