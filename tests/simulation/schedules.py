# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random schedules of commands and faults, as stories in the words of the theatre.

Swarm testing (Groce et al., ISSTA 2012): each schedule draws few kinds of fault and uses them often, which finds more
than a mix of all.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from holdfast_sim.layouts import PATHS
from holdfast_sim.machines import SICKNESSES

Story = list[str]
OPERATIONS = ("start", "stop", "verify", "prepare", "observe", "inspect")
RESOURCES = ("shop", "ip-shop", "vol-shop", "docs", "ip-docs")
WAITS_S = (0.0, 0.003, 0.02, 0.05, 0.3, 2.0, 6.0)
TAGS = ("shop", "shop", "docs", "ip-shop", "vol-shop", "ip-docs")


def schedule(seed: int) -> Story:
    """The story with this number."""
    random = Random(seed)
    nodes = ["n1", "n2"] if random.random() < 0.7 else ["n1", "n2", "n3"]
    sites = random.choice(["apart", "apart", "sharing", "bare"])
    profile = random.choice(["normal", "fast", "vm"])
    lines = [f"nodes {' '.join(nodes)} sites={sites} profile={profile} seed={seed + 1}"]
    if random.random() < 0.7:
        lines += [f"begin n1 in_service shop {random.choice(nodes)}", "run 1"]
    kinds = random.sample(sorted(FAULTS), random.randint(0, 3))
    for _number in range(random.randint(3, 12)):
        kind = random.choice(["command", "command", *kinds])
        lines += FAULTS[kind](random, nodes) if kind in FAULTS else [_command(random, nodes)]
        lines.append(f"run {random.choice(WAITS_S):g}")
    return lines


def _command(random: Random, nodes: list[str]) -> str:
    at, tag = random.choice(nodes), random.choice(TAGS)
    if random.random() < 0.7:
        node = random.choice(["", *nodes])
        options = "initial=yes" if random.random() < 0.1 else "peers_off=truly" if random.random() < 0.8 else ""
        return f"begin {at} in_service {tag} {node} {options}"
    if random.random() < 0.7:
        return f"begin {at} out_of_service {tag}"
    return f"begin {at} plan {tag} {random.choice(nodes)}"


def _kill(random: Random, nodes: list[str]) -> Story:
    node = random.choice(nodes)
    return [f"kill {node}" if random.random() < 0.6 else f"start {node}"]


def _restart(random: Random, nodes: list[str]) -> Story:
    return [f"restart {random.choice(nodes)}"]


def _power(random: Random, nodes: list[str]) -> Story:
    node = random.choice(nodes)
    lines = [f"power_off {node}"] if random.random() < 0.6 else []
    return [*lines, f"start {node}"] if random.random() < 0.5 or not lines else lines


def _vouch(random: Random, nodes: list[str]) -> Story:
    """A node loses its power, a person says so and has another one take over; the first may come back."""
    lost, other = random.sample(nodes, 2)
    lines = [f"power_off {lost}", f"run {random.choice([1.0, 2.5])}"]
    lines.append(f"begin {other} in_service {random.choice(TAGS)} {other} peers_off=truly")
    if random.random() < 0.5:
        lines += [f"run {random.choice(WAITS_S):g}", f"start {lost}"]
    return lines


def _cut(random: Random, nodes: list[str]) -> Story:
    source, target = random.sample(nodes, 2)
    word = "cut" if random.random() < 0.7 else "cut_one_way"
    path = random.choice(["", "", *PATHS])
    return [f"{word} {source} {target} {path}"] if random.random() < 0.7 else ["heal"]


def _flap(random: Random, nodes: list[str]) -> Story:
    source, target = random.sample(nodes, 2)
    return [f"flap {source} {target} {random.choice(PATHS)}"]


def _weather(random: Random, _nodes: list[str]) -> Story:
    loss, duplicates = random.choice([0.0, 0.1, 0.5]), random.choice([0.0, 0.3])
    return [f"weather {loss} {duplicates} {random.choice([0.002, 0.05, 0.8, 3.0])}"]


def _freeze(random: Random, nodes: list[str]) -> Story:
    return [f"{random.choice(['freeze', 'thaw'])} {random.choice(nodes)}"]


def _sick(random: Random, nodes: list[str]) -> Story:
    node = random.choice(nodes)
    if random.random() < 0.3:
        return [f"cure {node}"]
    how = random.choice(["fail", *SICKNESSES])
    return [f"sick {node} {random.choice(OPERATIONS)} {random.choice(RESOURCES)} {how}"]


def _configure(random: Random, nodes: list[str]) -> Story:
    sites = random.choice(["apart", "sharing", "bare"])
    chosen = nodes if random.random() < 0.5 else [random.choice(nodes)]
    return [f"configure {node} {sites}" for node in chosen]


def _slow_disk(random: Random, nodes: list[str]) -> Story:
    return [f"slow_disk {random.choice(nodes)} {random.choice([0.1, 2.0])}"]


FAULTS: dict[str, Callable[[Random, list[str]], Story]] = {
    "kill": _kill,
    "restart": _restart,
    "power": _power,
    "vouch": _vouch,
    "cut": _cut,
    "flap": _flap,
    "weather": _weather,
    "freeze": _freeze,
    "sick": _sick,
    "slow_disk": _slow_disk,
    "configure": _configure,
}
