# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The witness of the simulation: the real acceptor on a machine with a clock, a disk and a network.

What it answers goes out only when everything that the answer may rest on is on its disk.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from holdfast.core.cluster.acceptor import Acceptor
from holdfast.core.values.arbitration import Question, Verdict
from holdfast.core.values.events import Consulted
from holdfast.core.values.messages import Register
from holdfast.core.values.profiles import TAKE_MAX_S
from holdfast_sim.clocks import Clock

if TYPE_CHECKING:
    from holdfast_sim.cluster import World
    from holdfast_sim.process import Process

WITNESS = "w"
Reply = Callable[[], None]


class Witness:
    """One machine that votes, and has been there for long when the story begins.

    ``off``: nobody answers there; ``frozen``: answers come when it thaws. ``instance`` names its memory: without that
    it is another one, which has no acceptor before every node has accepted it (witness/voting.py).
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Clock()
        self.registers: dict[str, Register] = {}
        self.off = False
        self.frozen = False
        self.disk_s = 0.005
        self.instance = 0
        self.acceptor: Acceptor | None = Acceptor(registers={}, now_s=self.clock.read(world.now_s) - TAKE_MAX_S)
        self._known_as = dict.fromkeys(world.computers, 0)
        self._run = 0
        self._inbox: list[Callable[[], None]] = []
        self._writing: list[tuple[dict[str, Register], list[Reply]]] = []

    def ask(self, process: Process, path: str, number: int, question: Question) -> None:
        """A question has arrived; its answer will leave on the same path."""
        if self.frozen:
            self._inbox.append(partial(self.ask, process, path, number, question))
            return
        if self.off or self.acceptor is None or self._known_as[process.computer.name] != self.instance:
            self._reply(process, path, number, None)
            return
        verdict = self.acceptor.hear(question, self.clock.read(self.world.now_s))
        if self.acceptor.changed:
            self.acceptor.changed = False
            self._writing.append((dict(self.acceptor.registers), []))
            if len(self._writing) == 1:
                self._write()
        reply = partial(self._reply, process, path, number, verdict)
        if self._writing:
            self._writing[-1][1].append(reply)
        else:
            reply()

    def stop(self) -> None:
        """It is off; of what was being written some may be on the disk."""
        if self.off:
            return
        self.off = True
        self._run += 1
        if self._writing and self.world.random.random() < 0.5:
            self.registers = self._writing[0][0]
        self._writing.clear()

    def start(self) -> None:
        """It is on, with what its disk has; a new run, where one is on already."""
        self.stop()
        self.off = False
        if self._accepted():
            self.acceptor = Acceptor(registers=self.registers, now_s=self.clock.read(self.world.now_s))

    def wipe(self) -> None:
        """It comes back with an empty disk, and votes when every node has accepted it."""
        self.stop()
        self.instance += 1
        self.world.judge.forgotten()
        self.registers, self.acceptor = {}, None
        self.start()

    def accept(self, node: str) -> None:
        """A person has the node accept the witness as it is now, which works while it answers."""
        if self.off or self.frozen or self._accepted():
            return
        self._known_as[node] = self.instance
        if self._accepted():
            self.acceptor = Acceptor(registers={}, now_s=self.clock.read(self.world.now_s))

    def _accepted(self) -> bool:
        return all(instance == self.instance for instance in self._known_as.values())

    def thaw(self) -> None:
        """It goes on with everything that came in meanwhile."""
        self.frozen = False
        inbox, self._inbox = self._inbox, []
        for arrived in inbox:
            arrived()

    def heal(self) -> None:
        """It is on and works."""
        self.disk_s = 0.005
        if self.frozen:
            self.thaw()
        if self.off:
            self.start()
        for node in self._known_as:
            self.accept(node)

    def _write(self) -> None:
        delay_s = self.world.random.uniform(0.0005, self.disk_s)
        self.world.later(delay_s, partial(self._written, self._run))

    def _written(self, run: int) -> None:
        if run != self._run:
            return
        self.registers, replies = self._writing.pop(0)
        for reply in replies:
            reply()
        if self._writing:
            self._write()

    def _reply(self, process: Process, path: str, number: int, verdict: Verdict | None) -> None:
        error = "" if verdict is not None else "the witness does not answer: connection refused"
        answer = Consulted(number=number, verdict=verdict, error=error)
        self.world.network.send(WITNESS, process.computer.name, path, partial(process.feed, answer))
