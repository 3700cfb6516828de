# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plants a fault (``mutants``) and explores until a schedule fails: each in a process of its own, before any import."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

from holdfast_sim.mutants import MUTANTS, Mutant


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
    if mutant.module in sys.modules:
        raise RuntimeError(f"{mutant.module} is imported already")
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
        if fullname != self._mutant.module:
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
