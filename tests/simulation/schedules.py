# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random schedules of commands and faults, as stories in the words of the theatre.

Swarm testing (Groce et al., ISSTA 2012): each schedule draws few kinds of fault and uses them often, which finds more
than a mix of all.
"""

from __future__ import annotations

from random import Random

from holdfast_sim.aimed import AIMED, OF_THREE, RARE_BY_ITSELF
from holdfast_sim.arbiter import WITNESS
from holdfast_sim.faults import BY_COMMAND, BY_ITSELF, FAULTS, UNSAFE_TO_COUNT
from holdfast_sim.stage import Stage, Story

SHOP, DOCS = ("shop", "vol-shop", "ip-shop"), ("docs", "ip-docs")
SHORT_S = (0.0, 0.003, 0.02, 0.05, 0.3, 1.0, 2.5)
LONG_S = (0.0, 0.02, 0.1, 0.3, 0.8, 1.5)
MET_S = (0.3, 0.3, 0.3, 1.0)
RARE = 99
Themes = tuple[tuple[str, ...], ...]
CLOCKS = (0.99, 0.99, 1.0, 1.01, 1.01)


def schedule(seed: int) -> Story:
    """The story with this number: of three, one with moves by command only, two with a witness."""
    if seed % 100 == RARE:
        return _by_itself(seed, RARE_BY_ITSELF)
    return _by_command(seed) if seed % 3 == 0 else _by_itself(seed)


def _by_command(seed: int) -> Story:
    random = Random(seed)
    kinds = _kinds(random, BY_COMMAND)
    nodes = _nodes(random, kinds, (85, 15))
    profile = random.choice(["normal", "fast", "vm", "vm", "vm"])
    stage = Stage(random=random, nodes=nodes, tags=random.choice([SHOP, SHOP, SHOP, DOCS, SHOP + DOCS]))
    sites = "bare" if "configure" in kinds and stage.chance(0.25) else _sites(stage, kinds)
    cast = f"nodes {' '.join(nodes)} sites={sites} profile={profile} met={random.choice(MET_S)}"
    lines = [f"{cast} paths={_paths(random)} seed={seed + 1}"]
    if stage.chance(0.7):
        lines += [f"begin n1 in_service {stage.tag()} {stage.node()}", "run 0.5"]
    drawn = ["command", *kinds, *kinds, *kinds] if AIMED.keys() & set(kinds) else ["command", "command", *kinds]
    for _number in range(_rounds(random, kinds, 3, 8)):
        lines += FAULTS[random.choice(drawn)](stage)
        lines.append(f"run {random.choice(SHORT_S):g}")
    return lines + _end(stage, 0.3)


def _by_itself(seed: int, themes: Themes = BY_ITSELF) -> Story:
    """Groups are in service, and then things happen to nodes, witness and network."""
    random = Random(seed)
    kinds = _kinds(random, themes)
    nodes = _nodes(random, kinds, (77, 21, 1, 1))
    profile = random.choices(("fast", "normal", "vm"), weights=(8, 1, 1))[0]
    tags = random.choice([SHOP, SHOP, DOCS, SHOP + DOCS])
    stage = Stage(random=random, nodes=nodes, tags=tags, arbiter=WITNESS)
    sites = _sites(stage, kinds)
    cast = f"nodes {' '.join(nodes)} sites={sites} profile={profile} met={random.choice(MET_S)}"
    budget = random.choice([1, 3, 99, 99, 99])
    arbiter = random.choice(["witness", "witness", "witness", "store"])
    cast += f" paths={_paths(random)} arbiter={arbiter} restarts={budget} failovers={budget}"
    lines = [f"{cast} seed={seed + 1}"]
    if "hang" in kinds or stage.chance(0.1):
        lines[0] += " lifetimes=yes"
    if stage.chance(0.6):
        lines += [f"clock {name} {random.choice(CLOCKS)}" for name in (*nodes, WITNESS)]
    lines += [f"begin n1 in_service {tag} {stage.node()}" for tag in (tags[0], tags[-1])] + ["run 0.7"]
    for _number in range(_rounds(random, kinds, 2, 5)):
        lines += FAULTS[random.choice(["command", *kinds, *kinds, *kinds])](stage)
        lines.append(f"run {random.choice(LONG_S):g}")
    if stage.chance(0.4) and not UNSAFE_TO_COUNT & set(kinds):
        lines.append(f"survive {stage.node()}")
    return lines + _end(stage, 0.1)


def _end(stage: Stage, works: float) -> Story:
    """Mostly everything heals and comes to rest; now and then everything is tried once more."""
    if stage.chance(works):
        return ["peace", "works"]
    return ["peace"] if stage.chance(0.8) else []


def _kinds(random: Random, world: Themes) -> list[str]:
    """Half of the time kinds that are known to matter together, else any few."""
    if random.random() < 0.5:
        return list(random.choice(world))
    every = sorted({kind for theme in world for kind in theme})
    return random.sample(every, random.randint(1, min(3, len(every))))


def _nodes(random: Random, kinds: list[str], weights: tuple[int, ...]) -> list[str]:
    """Two or more; mostly three for what is about three."""
    several = 3 if OF_THREE & set(kinds) and random.random() < 0.7 else 0
    several = several or random.choices(range(2, 2 + len(weights)), weights=weights)[0]
    return [f"n{number + 1}" for number in range(several)]


def _sites(stage: Stage, kinds: list[str]) -> str:
    """The layout: half of the time only what the schedule is about."""
    if {"configure", "join"} & set(kinds):
        return "apart"
    if stage.chance(0.6):
        return {SHOP: "shop", DOCS: "docs"}.get(stage.tags, "apart")
    return stage.random.choice(["apart", "apart", "sharing"])


def _rounds(random: Random, kinds: list[str], least: int, most: int) -> int:
    """How often something happens; what is aimed takes several seconds itself."""
    return random.randint(1, 2) if AIMED.keys() & set(kinds) else random.randint(least, most)


def _paths(random: Random) -> int:
    return 1 if random.random() < 0.85 else 2
