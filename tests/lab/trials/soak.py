# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`make soak`: random faults, one after another and overlapping, for as long as asked; the seed repeats the choice.

Bounds: at most two at a time, and of two only one may hurt the node that serves or may hurt it together with the
other node; the second is a lesser trouble (a path, an arbiter's machine, the standby's monitor). Between two rounds
everything is undone and has to be in service again.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..scene import NODES, Scene
from .catalogue import TRIALS, Lasts, other, served
from .episode import Episode, play

LESSER = (
    "one path cut",
    "paths between nodes cut",
    "paths cut outwards",
    "paths cut inwards",
    "paths lossy and slow",
)
OVERLAP = 0.35
APART_S = 3.0
PAUSE_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is done in one round: the faults, on which node each, and how far apart."""

    faults: tuple[tuple[str, str], ...]
    apart_s: float

    @property
    def name(self) -> str:
        """Kind of the round in the table."""
        return self.faults[0][0] if len(self.faults) == 1 else "two at once"

    @property
    def text(self) -> str:
        """For people."""
        return f" and {self.apart_s:.1f} s later ".join(f"{name} ({node})" for name, node in self.faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """A plan and what came of it."""

    plan: Plan
    episode: Episode


def choose(chance: random.Random, *, arbiter: str) -> Plan:
    """The next round, by chance alone: what happened before does not matter, so that a seed repeats it."""
    kinds = [name for name, trial in TRIALS.items() if trial.needs in ("", arbiter)]
    lesser = [name for name in kinds if name in LESSER or TRIALS[name].needs]
    node = chance.choice(NODES)
    first, second = (chance.choice(kinds), node), (chance.choice(lesser), chance.choice(NODES))
    apart_s = chance.uniform(0.0, APART_S)
    both = chance.random() < OVERLAP and first[0] != second[0] and not (first[0] in lesser and TRIALS[first[0]].needs)
    return Plan(faults=(first, second) if both else (first,), apart_s=apart_s)


def soak(scene: Scene, *, minutes: float, seed: int, arbiter: str, say: Callable[[str], None]) -> list[Round]:
    """Rounds were played until the time was over; after each everything was in service again.

    Raises AssertionError when it was not.
    """
    chance = random.Random(seed)
    until_s = time.monotonic() + minutes * 60
    rounds: list[Round] = []
    while time.monotonic() < until_s or not rounds:
        plan = choose(chance, arbiter=arbiter)
        episode = play(scene, partial(cause, scene, plan), lasts=longest(plan))
        rounds.append(Round(plan=plan, episode=episode))
        say(f"{len(rounds):>4}  {plan.text}: {told(episode)}")
        time.sleep(PAUSE_S)
    return rounds


def cause(scene: Scene, plan: Plan) -> None:
    """All faults of the plan are in effect; one that the state of the cluster does not allow any more is left out."""
    for number, (name, node) in enumerate(plan.faults):
        if number:
            time.sleep(plan.apart_s)
        target = node if served(scene, node) or number else other(node)
        TRIALS[name].cause(scene, target)


def longest(plan: Plan) -> Lasts:
    """How long to watch for the slowest of the plan's faults."""
    lasts = {TRIALS[name].lasts for name, _node in plan.faults}
    return "check" if "check" in lasts else "take" if "take" in lasts or len(plan.faults) > 1 else "own"


def told(episode: Episode) -> str:
    """One round for people."""
    lost = ", ".join(f"{tag} {seconds:.2f} s" for tag, seconds in episode.fault.without_s.items())
    parts = [f"without service {lost}", f"double {episode.double_s:.3f} s"]
    parts += [f"after the thaw {episode.thaw_s:.3f} s"] if episode.thaw_s else []
    parts += [] if episode.back else ["back only after healing"]
    return "; ".join(parts)


def table(rounds: Sequence[Round]) -> list[str]:
    """One line per kind of fault."""
    lines = [f"{'fault':<26} {'rounds':>6} {'min':>7} {'median':>7} {'max':>7}   {'double':>7} {'thaw':>7}  not back"]
    for name in (*TRIALS, "two at once"):
        of_kind = [one.episode for one in rounds if one.plan.name == name]
        if of_kind:
            seen = [max(episode.fault.without_s.values()) for episode in of_kind]
            figures = f"{min(seen):>7.2f} {statistics.median(seen):>7.2f} {max(seen):>7.2f}"
            double = f"{sum(e.double_s for e in of_kind):>7.3f} {max(e.thaw_s for e in of_kind):>7.3f}"
            lines.append(
                f"{name:<26} {len(of_kind):>6} {figures}   {double}  {sum(not e.back for e in of_kind) or '-':>8}"
            )
    return [*lines, "Seconds without service of the site that fared worst, and of double service."]
