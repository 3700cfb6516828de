# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random schedules of commands and faults, as stories in the words of the theatre.

Swarm testing (Groce et al., ISSTA 2012): each schedule draws few kinds of fault and uses them often, which finds more
than a mix of all.
"""

from __future__ import annotations

from random import Random

from holdfast_sim.arbiter import WITNESS
from holdfast_sim.faults import BY_COMMAND, BY_ITSELF, FAULTS, UNSAFE_TO_COUNT, Stage, Story

SHOP, DOCS = ("shop", "vol-shop", "ip-shop"), ("docs", "ip-docs")
SHORT_S = (0.0, 0.003, 0.02, 0.05, 0.3, 2.0, 6.0)
LONG_S = (0.0, 0.02, 0.3, 0.8, 1.5, 2.5)
CLOCKS = (0.99, 0.99, 1.0, 1.01, 1.01)


def schedule(seed: int) -> Story:
    """The story with this number: of three, one with moves by command only, two with a witness."""
    return _by_command(seed) if seed % 3 == 0 else _by_itself(seed)


def _by_command(seed: int) -> Story:
    random = Random(seed)
    nodes = ["n1", "n2"] if random.random() < 0.7 else ["n1", "n2", "n3"]
    kinds = _kinds(random, BY_COMMAND)
    sites = random.choice(["apart", "apart", "sharing", "bare" if "configure" in kinds else "apart"])
    profile = random.choice(["normal", "fast", "vm", "vm", "vm"])
    stage = Stage(random=random, nodes=nodes, tags=random.choice([SHOP, SHOP, SHOP, DOCS, SHOP + DOCS]))
    lines = [f"nodes {' '.join(nodes)} sites={sites} profile={profile} paths={_paths(random)} seed={seed + 1}"]
    if stage.chance(0.7):
        lines += [f"begin n1 in_service {stage.tag()} {stage.node()}", "run 1"]
    for _number in range(random.randint(3, 9)):
        lines += FAULTS[random.choice(["command", "command", *kinds])](stage)
        lines.append(f"run {random.choice(SHORT_S):g}")
    return [*lines, "peace", "works"]


def _by_itself(seed: int) -> Story:
    """Groups are in service, and then things happen to nodes, witness and network."""
    random = Random(seed)
    nodes = [
        f"n{number + 1}"
        for number in range(random.choice([2, 2, 2, 2, 2, 2, 3, 3, 3, 4] + [5] * (random.random() < 0.3)))
    ]
    kinds = _kinds(random, BY_ITSELF)
    profile = random.choice(["fast", "fast", "fast", "fast", "normal", "vm"])
    tags = random.choice([SHOP, SHOP, DOCS, SHOP + DOCS])
    stage = Stage(random=random, nodes=nodes, tags=tags, arbiter=WITNESS)
    sites = "apart" if "configure" in kinds else random.choice(["apart", "apart", "sharing"])
    cast = f"nodes {' '.join(nodes)} sites={sites} profile={profile}"
    budget = random.choice([3, 99, 99, 99])
    arbiter = f"arbiter={random.choice(['witness', 'witness', 'store'])} restarts={budget} failovers={budget}"
    lines = [f"{cast} paths={_paths(random)} {arbiter} seed={seed + 1}"]
    if stage.chance(0.6):
        lines += [f"clock {name} {random.choice(CLOCKS)}" for name in (*nodes, WITNESS)]
    lines += [f"begin n1 in_service {tag} {stage.node()}" for tag in (tags[0], tags[-1])] + ["run 1"]
    for _number in range(random.randint(2, 6)):
        lines += FAULTS[random.choice(["command", *kinds, *kinds, *kinds])](stage)
        lines.append(f"run {random.choice(LONG_S):g}")
    if stage.chance(0.4) and not UNSAFE_TO_COUNT & set(kinds):
        lines.append(f"survive {stage.node()}")
    return [*lines, "peace", *(["works"] if stage.chance(0.3) else [])]


def _kinds(random: Random, world: tuple[tuple[str, ...], ...]) -> list[str]:
    """Half of the time kinds that are known to matter together, else any few."""
    if random.random() < 0.5:
        return list(random.choice(world))
    every = sorted({kind for theme in world for kind in theme})
    return random.sample(every, random.randint(1, 3))


def _paths(random: Random) -> int:
    return 1 if random.random() < 0.7 else 2
