# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults aimed at the moments at which a law of the core is all that is left: each a short story with a few choices.

What happens twice within the time for which a vote is exclusive, or in the middle of a move, is rare among faults that
are drawn one by one, and is what the laws of voters, registers and restarts are about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from holdfast_sim.stage import Stage, Story

MOMENTS_S = (0.005, 0.02, 0.05, 0.08, 0.11, 0.2)
"""Into a move: it looks, claims, asks, stops and starts within so long."""
ABOUT_A_TAKE_S = (0.8, 1.5, 2.0, 2.2, 2.5, 4.0)


def _held(stage: Stage) -> tuple[Story, str, str]:
    """A group is in service, most likely; its node, and one of its tags."""
    node, tag = stage.node(), stage.tag()
    return [f"begin {node} in_service {tag} {node}", "run 0.5"], node, tag


def _others(machines: Iterable[str], *but: str) -> list[str]:
    return [machine for machine in machines if machine not in but]


def _run(stage: Stage, seconds: tuple[float, ...]) -> str:
    return f"run {stage.random.choice(seconds):g}"


def _twofold(stage: Stage) -> Story:
    """The holder loses all voters but one, and a while later that one too, which starts again; or it stands still."""
    lines, holder, _tag = _held(stage)
    last = stage.random.choice(_others(stage.machines, holder))
    lines += [f"cut {holder} {machine}" for machine in _others(stage.machines, holder, last)]
    lines.append(_run(stage, ABOUT_A_TAKE_S))
    end = stage.random.choice(["restart", "restart", "freeze", "pause"])
    lines += [f"cut {holder} {last}", f"restart {last}"] if end == "restart" else [f"{end} {holder}"]
    return [*lines, "run 2.5"]


def _relay(stage: Stage) -> Story:
    """One node after the other loses its power, and the first one, which does not know what came after it, is back."""
    lines, first, _tag = _held(stage)
    lines += [f"power_off {first}", _run(stage, (2.5, 4.0))]
    lines += [f"power_off {node}" for node in _others(stage.nodes, first)]
    if stage.arbiter and stage.chance(0.5):
        lines.append(f"restart {stage.arbiter}")
    return [*lines, f"start {first}", "run 2.5"]


def _stuck(stage: Stage) -> Story:
    """What cannot be switched off loses its permit, and can still be heard, or not."""
    lines, holder, _tag = _held(stage)
    lines.append(f"sick {holder} fence {stage.random.choice(stage.tags)} {stage.random.choice(['fail', 'hang'])}")
    word = stage.random.choice(["cut", "cut_one_way"])
    return [*lines, *(f"{word} {machine} {holder}" for machine in _others(stage.machines, holder)), "run 2.5"]


def _unfit(stage: Stage) -> Story:
    """A node that can neither start something nor stop it is to have the group."""
    lines, holder, tag = _held(stage)
    target = stage.random.choice(_others(stage.nodes, holder))
    failing = stage.random.choice(["start", "start", "verify"])
    lines.append(f"sick {target} {failing} {stage.tag()} {stage.random.choice(['fail', 'fail_late'])}")
    lines.append(f"sick {target} stop {stage.tag()} {stage.random.choice(['fail', 'hang'])}")
    return [*lines, f"begin {target} in_service {tag} {target}", "run 1.5"]


def _comeback(stage: Stage) -> Story:
    """A monitor is away for as long as its votes are exclusive, and back while they are being given to another."""
    lines, holder, _tag = _held(stage)
    away, back = stage.random.choice([("kill", "start"), ("kill", "start"), ("freeze", "thaw"), ("pause", "resume")])
    if stage.chance(0.8):
        lines.append(f"slow_disk {stage.arbiter} 2")
    return [*lines, f"{away} {holder}", _run(stage, (2.0, 2.1, 2.2, 2.4)), f"{back} {holder}", "run 1.5"]


def _amid(stage: Stage) -> Story:
    """In the middle of a move both sides lose the arbiter, or each other, or one of the three goes down.

    Whoever is not concerned was away, and meets the arbiter when all that it promised has run out.
    """
    lines, holder, tag = _held(stage)
    target = stage.random.choice(_others(stage.nodes, holder))
    rest = _others(stage.nodes, holder, target)
    lines += [f"cut {node} {machine}" for node in rest for machine in _others(stage.machines, node)]
    lines += [f"begin {target} in_service {tag} {target}", _run(stage, MOMENTS_S)]
    blow = stage.random.choice(["cut", "cut", "apart", "restart", "power_off", "kill"])
    if blow == "cut":
        lines += [f"cut {node} {stage.arbiter}" for node in (holder, target)]
    elif blow == "apart":
        lines.append(f"cut {holder} {target}")
    else:
        lines.append(f"{blow} {stage.random.choice([holder, target, stage.arbiter])}")
    return [*lines, _run(stage, (0.5, 2.5)), *(f"mend {node} {stage.arbiter}" for node in rest), "run 1.5"]


def _alone(stage: Stage) -> Story:
    """A node takes a group on somebody's word that others are off; they come back and do not hear of it."""
    lines, holder, tag = _held(stage)
    target = stage.random.choice(_others(stage.nodes, holder))
    off = _others(stage.nodes, target) if stage.chance(0.6) else [holder]
    lines += [*(f"power_off {node}" for node in off), _run(stage, (1.0, 2.5))]
    lines += [f"begin {target} in_service {tag} {target} peers_off=truly", "run 1.2"]
    lines += [f"cut {target} {node}" for node in _others(stage.nodes, target)]
    lines += [*(f"start {node}" for node in off), _run(stage, (0.02, 0.5))]
    back = stage.random.choice(off)
    return [*lines, f"begin {back} in_service {tag} {back}", "run 1.5"]


def _meanwhile(stage: Stage) -> Story:
    """A node that is said to be off comes back while the others are asked, and is heard, or not."""
    lines, holder, tag = _held(stage)
    target = stage.random.choice(_others(stage.nodes, holder))
    if stage.chance(0.7):
        lines += [f"restart {target}", _run(stage, MOMENTS_S)]
    lines += [f"power_off {holder}", _run(stage, (1.0, 2.2))]
    lines += [f"slow_disk {node} 2" for node in _others(stage.nodes, holder, target)]
    lines += [f"begin {target} in_service {tag} {target} peers_off=truly", _run(stage, (0.02, 0.2, 0.2))]
    if stage.chance(0.5):
        lines.append(f"cut_one_way {holder} {target}")
    return [*lines, f"start {holder}", "run 3"]


def _behind(stage: Stage) -> Story:
    """An order reaches a node late, when it is not its business any more."""
    lines, holder, tag = _held(stage)
    giver = stage.random.choice(_others(stage.nodes, holder))
    late = stage.random.choice([f"out_of_service {tag}", f"in_service {tag} {holder}"])
    lines += [f"cut {holder} {giver}", f"begin {giver} {late}", "run 0.02", f"mend {holder} {giver}"]
    return [*lines, f"begin {giver} in_service {tag} {giver}", "run 1.5"]


def _join(stage: Stage) -> Story:
    """Parts of a group are served or promised apart, and become one by a new configuration."""
    one, other = stage.random.sample(stage.nodes, 2)
    lines = [f"configure {node} bare" for node in stage.nodes]
    lines += [f"begin {one} in_service vol-shop {one}", "run 0.5", f"begin {other} in_service ip-shop {other}"]
    lines.append(_run(stage, MOMENTS_S))
    lines += [stage.random.choice([f"cut_one_way {other} {one}", f"kill {other}"]), "run 0.5"]
    lines += [f"configure {node} apart" for node in (one, *([other] if stage.chance(0.5) else []))]
    first = stage.random.choice([one, other])
    return [*lines, _run(stage, (0.0, 0.5)), f"begin {first} in_service shop {first}", "run 1.5"]


def _unsaved(stage: Stage) -> Story:
    """Whoever takes over has a slow disk, or the arbiter has, and starts again before that has written anything."""
    lines, holder, _tag = _held(stage)
    rest = _others(stage.nodes, holder)
    if stage.chance(0.5):
        lines += [f"slow_disk {stage.arbiter} 2", f"power_off {holder}", _run(stage, (2.3, 2.6, 3.0))]
        lines += [f"restart {stage.arbiter}", *(f"power_off {node}" for node in rest), f"start {holder}"]
        return [*lines, "run 3"]
    heir = stage.random.choice(rest)
    lines += [f"slow_disk {heir} 2", f"power_off {holder}", _run(stage, (2.3, 2.4, 2.5, 2.6))]
    return [*lines, f"kill {heir}", f"cure {heir}", f"start {heir}", "run 2"]


AIMED: Mapping[str, Callable[[Stage], Story]] = {
    "twofold": _twofold,
    "relay": _relay,
    "stuck": _stuck,
    "unfit": _unfit,
    "comeback": _comeback,
    "amid": _amid,
    "alone": _alone,
    "meanwhile": _meanwhile,
    "behind": _behind,
    "join": _join,
    "unsaved": _unsaved,
}

OF_THREE = {"amid", "alone", "meanwhile", "unsaved"}
"""What is mostly about three nodes."""

AIMED_BY_COMMAND = (("alone",), ("meanwhile",), ("behind",), ("join",), ("unfit",), ("relay", "vouch"))
"""Each is a theme by itself: it brings along what has to meet."""

AIMED_BY_ITSELF = (("twofold",), ("relay",), ("stuck",), ("unfit",), ("comeback",), ("amid",), ("behind", "weather"))
"""The same, where the nodes and the arbiter decide."""

RARE_BY_ITSELF = (("unsaved",),)
"""One schedule in a hundred is about this, and all others are what they were without them."""
