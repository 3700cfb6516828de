# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The invariants, judged from what really runs, never from what a monitor believes.

Numbers as in docs/architecture.md, "Invariants".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast_sim.cluster import World


class BrokenInvariantError(AssertionError):
    """An invariant does not hold."""


class Judge:
    """Watches every step of a run."""

    def __init__(self) -> None:
        self.epochs: dict[tuple[int, str], int] = {}
        self.taken: dict[tuple[str, int], str] = {}
        self.checks = 0

    def check(self, world: World) -> None:
        """Raises BrokenInvariantError when an invariant does not hold at this moment."""
        self.checks += 1
        self._exclusive(world)
        self._children_first(world)
        for name, process in world.processes.items():
            if process.dead:
                continue
            for group, g in process.machine.groups.items():
                self._epoch_grows(world, name, group, g.register.epoch)
                if g.register.holder == name:
                    self._one_holder(world, group, g.register.epoch, name)

    def answered(self, world: World, command: str) -> None:
        """A command is answered once."""
        if command in world.answers:
            raise BrokenInvariantError(f"seed {world.seed}: {command} was answered twice")

    def _exclusive(self, world: World) -> None:
        """1: an address, and a disk, is on one node at a time."""
        for tag in world.exclusive:
            nodes = [name for name, computer in world.computers.items() if tag in computer.on]
            if len(nodes) > 1:
                raise BrokenInvariantError(f"seed {world.seed}, {world.now_s:.3f} s: {tag} is on {' and '.join(nodes)}")

    def _children_first(self, world: World) -> None:
        """5: where an address is, the volumes of its group's sites are too (they came first and leave last)."""
        for group in world.groups:
            for computer in world.computers.values():
                if computer.sick or not group.hierarchies:
                    continue
                for volume in group.volumes:
                    if any(ip.tag in computer.on for ip in group.ips) and volume.tag not in computer.on:
                        text = f"{volume.tag} is missing under an address"
                        raise BrokenInvariantError(f"seed {world.seed}, {world.now_s:.3f} s: {text}")

    def _epoch_grows(self, world: World, node: str, group: str, epoch: int) -> None:
        """3: an epoch never goes back within a process; what is durable is checked at restarts."""
        key = (world.processes[node].incarnation, group)
        if epoch < self.epochs.get(key, 0):
            raise BrokenInvariantError(
                f"seed {world.seed}: {node} went back from epoch {self.epochs[key]} to {epoch} for {group}"
            )
        self.epochs[key] = epoch

    def _one_holder(self, world: World, group: str, epoch: int, node: str) -> None:
        """An epoch has one holder for ever."""
        other = self.taken.setdefault((group, epoch), node)
        if other != node:
            raise BrokenInvariantError(f"seed {world.seed}: epoch {epoch} of {group} is held by {other} and {node}")
