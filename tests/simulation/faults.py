# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can happen in a schedule: each kind of fault as a few lines of a story."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from holdfast_sim.aimed import AIMED, AIMED_BY_COMMAND, AIMED_BY_ITSELF
from holdfast_sim.layouts import PATHS
from holdfast_sim.machines import SICKNESSES
from holdfast_sim.stage import Stage, Story

OPERATIONS = ("start", "start", "stop", "stop", "verify", "prepare", "observe", "inspect", "fence", "check")
WIRES = ("a", "a", *PATHS)
WAITS_S = (0.0, 0.003, 0.02, 0.05, 0.3, 1.0, 2.5)


def _command(stage: Stage) -> Story:
    at, tag = stage.node(), stage.tag()
    if stage.chance(0.7):
        options = "initial=yes" if stage.chance(0.1) else "peers_off=truly" if stage.chance(0.8) else ""
        return [f"begin {at} in_service {tag} {stage.random.choice(['', *stage.nodes])} {options}".rstrip()]
    if stage.chance(0.7):
        return [f"begin {at} out_of_service {tag}"]
    return [f"begin {at} plan {tag} {stage.node()}"]


def _kill(stage: Stage) -> Story:
    return [f"kill {stage.node()}" if stage.chance(0.6) else f"start {stage.node()}"]


def _restart(stage: Stage) -> Story:
    return [f"restart {stage.node()}"]


def _power(stage: Stage) -> Story:
    node = stage.node()
    lines = [f"power_off {node}"] if stage.chance(0.6) else []
    return [*lines, f"start {node}"] if stage.chance(0.5) or not lines else lines


def _vouch(stage: Stage) -> Story:
    """A node loses its power, a person says so and has another one take over; the first may come back."""
    lost, other = stage.random.sample(stage.nodes, 2)
    lines = [f"power_off {lost}", *([f"start {other}"] if stage.chance(0.5) else [])]
    lines.append(f"run {stage.random.choice([1.0, 2.5])}")
    lines.append(f"begin {other} in_service {stage.tag()} {other} peers_off=truly")
    if stage.chance(0.5):
        lines += [f"run {stage.random.choice(WAITS_S):g}", f"start {lost}"]
    if stage.chance(0.3):
        lines += [f"run {stage.random.choice(WAITS_S):g}", f"restart {other}"]
    return lines


def _cut(stage: Stage) -> Story:
    source, target = stage.pair()
    word = "cut" if stage.chance(0.7) else "cut_one_way"
    path = stage.random.choice(["", "", "", *PATHS])
    return [f"{word} {source} {target} {path}".rstrip()] if stage.chance(0.7) else ["heal"]


def _isolate(stage: Stage) -> Story:
    """One machine is cut off from all others: wholly, or it is mute or deaf."""
    lonely = stage.random.choice(stage.machines)
    others = [machine for machine in stage.machines if machine != lonely]
    how = stage.random.choice(["cut", "cut", "mute", "deaf"])
    lines = {
        "cut": [f"cut {lonely} {other}" for other in others],
        "mute": [f"cut_one_way {lonely} {other}" for other in others],
        "deaf": [f"cut_one_way {other} {lonely}" for other in others],
    }[how]
    wait = f"run {stage.random.choice([0.3, 1.0, 1.5, 2.5, 4.0]):g}"
    return [*lines, wait, "heal"] if stage.chance(0.7) else lines


def _wipe(stage: Stage) -> Story:
    """The witness loses its memory; people have some nodes accept it, or all of them."""
    accepting = [node for node in stage.nodes if stage.chance(0.8)]
    wait = f"run {stage.random.choice([0.0, 0.3, 1.5]):g}"
    return [f"wipe {stage.arbiter}", wait, *(f"accept {node}" for node in accepting)]


def _empty(stage: Stage) -> Story:
    """A node comes back with an empty disk: always the same one, for two are beyond what is promised."""
    node = stage.nodes[-1]
    wait = f"run {stage.random.choice([0.0, 0.3, 1.0, 2.5]):g}"
    return [f"wipe {node}", wait, f"start {node}"]


def _part(stage: Stage) -> Story:
    """The machines fall into two parts that do not hear each other."""
    here = {machine for machine in stage.machines if stage.chance(0.5)}
    there = [machine for machine in stage.machines if machine not in here]
    return [f"cut {one} {other}" for one in sorted(here) for other in there] + (["heal"] if stage.chance(0.1) else [])


def _witness(stage: Stage) -> Story:
    word = stage.random.choice(["kill", "start", "restart", "restart", "freeze", "thaw"])
    return [f"{word} {stage.arbiter}"]


def _pause(stage: Stage) -> Story:
    node = stage.node()
    lines = [f"pause {node}", f"run {stage.random.choice([0.3, 1.5, 2.5, 4.0]):g}"]
    return [*lines, f"resume {node}"] if stage.chance(0.8) else lines


def _hang(stage: Stage) -> Story:
    """The monitor hangs, and the guard with it; mostly long enough for another node to take over."""
    node = stage.node()
    lines = [f"hang {node}", f"run {stage.random.choice([0.3, 1.5, 2.5, 4.0]):g}"]
    return [*lines, f"thaw {node}"] if stage.chance(0.8) else lines


def _broken(stage: Stage) -> Story:
    """Something stops by itself where it is on, and Windows may or may not tell."""
    node, tag = stage.node(), stage.tag()
    lines = [f"switch_off {node} {tag}"]
    return [*lines, f"notice {node} {tag}"] if stage.chance(0.7) else lines


def _shutdown(stage: Stage) -> Story:
    return [f"shutdown {stage.node()}"]


def _flap(stage: Stage) -> Story:
    source, target = stage.random.sample(stage.nodes, 2)
    return [f"flap {source} {target} {stage.random.choice(WIRES)}"]


def _weather(stage: Stage) -> Story:
    loss, duplicates = stage.random.choice([0.0, 0.1, 0.5]), stage.random.choice([0.0, 0.3])
    return [f"weather {loss} {duplicates} {stage.random.choice([0.002, 0.05, 0.8, 3.0])}"]


def _freeze(stage: Stage) -> Story:
    return [f"{stage.random.choice(['freeze', 'thaw'])} {stage.node()}"]


def _sick(stage: Stage) -> Story:
    node = stage.node()
    if stage.chance(0.3):
        return [f"cure {node}"]
    how = stage.random.choice(["fail", *SICKNESSES])
    tags = stage.tags if stage.chance(0.3) else [stage.tag()]
    lines = [f"sick {node} {stage.random.choice(OPERATIONS)} {tag} {how}" for tag in tags]
    return [*lines, f"sick {node} stop {stage.tag()} {how}"] if stage.chance(0.3) else lines


def _configure(stage: Stage) -> Story:
    """With an arbiter every site stays protected."""
    sites = stage.random.choice(["apart", "apart", "turned", "sharing"] + ["bare"] * (not stage.arbiter))
    chosen = stage.nodes if stage.chance(0.6) else [stage.node()]
    return [f"configure {node} {sites}" for node in chosen]


def _lan(stage: Stage) -> Story:
    """No client is reached through an address, on one node or on all."""
    tag = stage.random.choice([tag for tag in stage.tags if tag.startswith("ip-")])
    how = stage.random.choice(["silent", "unplugged"])
    return [f"lan {node} {tag} {how}" for node in (stage.nodes if stage.chance(0.2) else [stage.node()])]


def _slow_disk(stage: Stage) -> Story:
    return [f"slow_disk {stage.random.choice(stage.machines)} {stage.random.choice([0.1, 2.0])}"]


FAULTS: Mapping[str, Callable[[Stage], Story]] = {
    "command": _command,
    "kill": _kill,
    "restart": _restart,
    "power": _power,
    "vouch": _vouch,
    "cut": _cut,
    "isolate": _isolate,
    "part": _part,
    "witness": _witness,
    "wipe": _wipe,
    "empty": _empty,
    "pause": _pause,
    "hang": _hang,
    "lan": _lan,
    "broken": _broken,
    "shutdown": _shutdown,
    "flap": _flap,
    "weather": _weather,
    "freeze": _freeze,
    "sick": _sick,
    "slow_disk": _slow_disk,
    "configure": _configure,
    **AIMED,
}

BY_COMMAND = (
    ("sick",),
    ("sick", "kill"),
    ("sick", "restart"),
    ("restart",),
    ("freeze", "weather"),
    ("cut", "restart"),
    ("flap", "power"),
    ("vouch",),
    ("vouch", "cut"),
    ("vouch", "cut", "restart"),
    ("vouch", "sick"),
    ("vouch", "slow_disk"),
    ("vouch", "configure"),
    ("configure",),
    ("configure", "restart"),
    ("empty", "restart"),
    ("empty", "cut"),
    *AIMED_BY_COMMAND,
)
"""Kinds of fault that have to meet for certain rules of the core to matter, where only commands move anything."""

BY_ITSELF = (
    ("isolate",),
    ("isolate", "weather"),
    ("isolate", "freeze"),
    ("isolate", "witness"),
    ("isolate", "restart"),
    ("part",),
    ("part", "witness"),
    ("part", "weather"),
    ("cut", "weather"),
    ("cut", "flap"),
    ("power",),
    ("power", "witness"),
    ("power", "slow_disk"),
    ("kill",),
    ("kill", "freeze"),
    ("freeze", "weather"),
    ("pause",),
    ("pause", "isolate"),
    ("hang",),
    ("hang", "isolate"),
    ("wipe", "isolate"),
    ("empty", "isolate"),
    ("wipe", "power"),
    ("lan", "isolate"),
    ("broken",),
    ("broken", "sick"),
    ("broken", "kill"),
    ("shutdown", "power"),
    ("sick", "isolate"),
    ("configure", "restart"),
    ("configure", "isolate"),
    ("configure", "power"),
    *AIMED_BY_ITSELF,
)
"""The same, where the nodes and the witness decide."""

UNSAFE_TO_COUNT = {"sick", "configure", "broken", "lan", "empty"}
"""After these, what is out of service may wait for a person."""
