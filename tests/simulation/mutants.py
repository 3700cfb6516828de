# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults planted in the core, one at a time: the explorer has to find each of them.

A fault is a piece of the core's text and what stands there instead. The core is imported anew with it, in a process
of its own (``hunt``).
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

CORE = "holdfast.core"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """``text`` of the core's file, which occurs there once, is replaced by ``fault``."""

    name: str
    file: str
    text: str
    fault: str


def _mutant(name: str, file: str, text: str, fault: str) -> Mutant:
    return Mutant(name=name, file=file, text=text, fault=fault)


MUTANTS = (
    # -- messages
    _mutant(
        "the answer to a look passes for a grant",
        "moves.story",
        "if isinstance(question, Ask) != isinstance(message, Answer):",
        "if False:",
    ),
    # -- registers
    _mutant("nothing waits for the disk", "moves.group", "self.world.persist()", "pass"),
    _mutant("registers are not written", "node.machine", "registers=dict(self._registers)", "registers={}"),
    _mutant(
        "a lower epoch is adopted",
        "cluster.ownership",
        "return (theirs.epoch, theirs.revision) > (mine.epoch, mine.revision)",
        "return (theirs.epoch, theirs.revision) != (mine.epoch, mine.revision)",
    ),
    _mutant(
        "what is out of service is forgotten when the group moves",
        "cluster.ownership",
        "return Register(epoch=epoch, holder=node, promised_epoch=epoch, out=out)",
        "return Register(epoch=epoch, holder=node, promised_epoch=epoch)",
    ),
    # -- stopping and granting
    _mutant("a grant though the stop failed", "moves.handover", "if run.failure is None:", "if True:"),
    _mutant(
        "a stop that never answered counts as done",
        "moves.sequence",
        'self._fail(step, f"no answer',
        '(lambda *_, **__: None)(step, f"no answer',
    ),
    _mutant("the group goes back before it is stopped", "moves.takeover", "if undo.failure is not None:", "if False:"),
    _mutant("a finished stop is not waited for", "moves.sequence", "if self._open or self.failure", "if self.failure"),
    # -- taking over
    _mutant(
        "one grant of several is enough",
        "moves.story",
        "return not self._open()\n",
        "return bool(self.answers or self.lost)\n",
    ),
    _mutant("a node that does not answer has granted", "moves.takeover", "if questions.lost:", "if False:"),
    _mutant(
        "a site starts before its volume",
        "moves.sequence",
        '[("start", r) for r in resources if isinstance(r, Volume)],',
        "",
    ),
    _mutant(
        "volumes go first",
        "moves.sequence",
        '[("stop", r) for r in draining],',
        '[("stop", r) for r in resources if isinstance(r, Volume)],',
    ),
    # -- what operators vouch for
    _mutant("a rebooted holder serves at once", "node.machine", "recorded_boot_id != boot_id:", "False:"),
    _mutant("a rebooted holder hands over", "node.routing", "elif g.suspended:", "elif False:"),
    _mutant(
        "a rebooted holder does not mind what runs elsewhere",
        "moves.local",
        "if report.activity in quiet or",
        "if True or",
    ),
    _mutant("a rebooted holder need not be heard", "moves.local", "if known.hears != world.incarnation:", "if False:"),
    _mutant(
        "another configuration does not matter",
        "moves.local",
        "if known.config_digest != world.digest or report is None:",
        "if report is None:",
    ),
    _mutant(
        "an operator's word has no rank",
        "cluster.ownership",
        "return (next_epoch(registers) // VOUCHED + 1) * VOUCHED + rank * VOUCHED_BY",
        "return next_epoch(registers)",
    ),
    _mutant("two operators' words have one rank", "cluster.ownership", "* VOUCHED + rank * VOUCHED_BY", "* VOUCHED"),
    _mutant(
        "a node said to be off comes back unnoticed",
        "moves.takeover",
        "if back := [peer for peer in vouched if back_again(g, peer, order)]:",
        "if back := []:",
    ),
    # -- commands and configurations
    _mutant(
        "whoever held it once grants it alone",
        "moves.handover",
        "if not reason and ask.holder == g.world.node != register.holder:",
        "if False:",
    ),
    _mutant(
        "a promise is forgotten when groups are joined",
        "cluster.ownership",
        "alike = len({r for r in known if r.promised_epoch > 0}) <= 1",
        "alike = True",
    ),
    _mutant(
        "what is given before a reboot counts after it",
        "cluster.ownership",
        "suspended=mine.suspended,",
        "suspended=False,",
    ),
    _mutant(
        "what is told is not durable",
        "moves.takeover",
        "        g.commit(g.register)\n        g.become",
        "        g.become",
    ),
    _mutant("a node takes out what it does not hold", "moves.local", "if holder != g.world.node:", "if False:"),
    _mutant(
        "a torn group is started",
        "moves.local",
        "    if g.conflict:\n        g.refuse",
        "    if False:\n        g.refuse",
    ),
    _mutant(
        "a torn group's parts are forgotten",
        "node.machine",
        "if g.dirty:\n                self._registers",
        "if True:\n                self._registers",
    ),
    _mutant(
        "an order is lost with the group's old form", "node.machine", "if g.waiting or g.hurried]", "if g.hurried]"
    ),
    _mutant(
        "a promise to itself is one to another",
        "cluster.ownership",
        "register.promised_epoch > register.epoch and register.promised_to != node",
        "register.promised_epoch > register.epoch",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarry:
    """Whether a fault was found: the schedule's number and what it broke (-1 and empty: not), after how many."""

    name: str
    seed: int
    why: str
    schedules: int


def hunt(name: str, seeds: Sequence[int]) -> Quarry:
    """Explores with the fault until a schedule fails. Once in the life of a process."""
    mutant = next(mutant for mutant in MUTANTS if mutant.name == name)
    if any(module.startswith(CORE) for module in sys.modules):
        raise RuntimeError("the core is imported already")
    sys.meta_path.insert(0, _Planter(mutant))
    from holdfast_sim.explore import failure
    from holdfast_sim.schedules import schedule

    for number, seed in enumerate(seeds, 1):
        if why := failure(schedule(seed)):
            return Quarry(name=name, seed=seed, why=why, schedules=number)
    return Quarry(name=name, seed=-1, why="", schedules=len(seeds))


def hunt_all(seeds: Mapping[str, Sequence[int]], *, processes: int) -> Iterator[Quarry]:
    """All these faults, each with its schedules and in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        begun = [pool.apply_async(hunt, (name, chosen)) for name, chosen in seeds.items()]
        for result in begun:
            yield result.get()


def known_seeds() -> dict[str, int]:
    """The schedules in seeds.txt: what each has found -> its number."""
    lines = (Path(__file__).parent / "seeds.txt").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    return {text: int(number) for number, text in pairs}


class _Planter(MetaPathFinder):
    """Finds the one module that has the fault."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002 - importlib passes it
    ) -> ModuleSpec | None:
        if fullname != f"{CORE}.{self._mutant.file}":
            return None
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and spec.origin is not None:
            spec.loader = _Loader(fullname, spec.origin, self._mutant)
        return spec


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, mutant: Mutant) -> None:
        super().__init__(fullname, path)
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - importlib passes it
        """The code with the fault in it, never from or to a cache."""
        source = self.get_data(self.path).decode()
        if source.count(self._mutant.text) != 1:
            raise ImportError(f"{self._mutant.name}: {self._mutant.text!r} is not once in {self.path}")
        return compile(source.replace(self._mutant.text, self._mutant.fault), self.path, "exec")
