# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays a schedule, ends every fault, and demands that the cluster works again."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from holdfast_sim.cluster import World
from holdfast_sim.judge import broken
from holdfast_sim.schedules import Story, schedule
from holdfast_sim.theatre import Theatre

SETTLE_S = 130.0
"""Bound on the peace before the last check: longer than the slowest step's time-out and its repair."""
ANSWER_S = 30.0
AGREE_S = 5.0


def explore(seed: int) -> Counter[str]:
    """What the schedule with this number covered.

    Raises:
        BrokenInvariantError: an invariant, or the liveness at the end, does not hold.
    """
    return perform(schedule(seed))


def perform(story: Story) -> Counter[str]:
    """What the story covered: its words, and what groups did."""
    theatre = Theatre()
    for line in story:
        theatre.do(line)
    _peace(theatre.world)
    _works_again(theatre.world)
    return Counter(line.split()[0] for line in story) + theatre.world.transitions


def _peace(world: World) -> None:
    """Every fault ends: links work, every monitor runs, nothing is sick."""
    world.network.heal()
    for name, computer in world.computers.items():
        computer.heal()
        process = world.processes[name]
        if process.dead:
            world.start(name)
        elif process.frozen:
            process.thaw()
    world.run(1.0)
    if not world.run_until(lambda: not any(p.machine.busy() for p in world.processes.values()), SETTLE_S):
        broken(world, f"6: somebody is busy still {SETTLE_S:g} s after the last fault")
    configs = list(world.configs.values())
    if any(config is not configs[0] for config in configs) or not configs[0].hierarchies:
        _agree(world)
    world.run(1.0)
    _mend_torn(world)
    if not world.run_until(world.calm, SETTLE_S):
        broken(world, f"6: no calm {SETTLE_S:g} s after the last fault")


def _agree(world: World) -> None:
    """Every node has the same configuration again, with sites; things are taken out of service where they must."""
    for sites in ("apart", "sharing", "apart", "sharing"):
        if world.run_until(partial(_alike, world, sites), AGREE_S):
            return
        for tag in ("shop", "docs", "ip-shop", "ip-docs", "vol-shop"):
            for name in world.computers:
                _asked(world, name, "out_of_service", tags=[tag])
    broken(world, "6: the nodes cannot be configured alike in peace")


def _alike(world: World, sites: str) -> bool:
    return all(world.configure(node, sites) for node in world.computers)


def _mend_torn(world: World) -> None:
    """What a new configuration has torn is brought together, as the refusal of every other command says."""
    groups = [g for process in world.processes.values() for g in process.machine.groups.values() if g.conflict]
    for heads in {g.group.heads for g in groups}:
        _must(world, min(world.computers), "out_of_service", tags=list(heads))


def _works_again(world: World) -> None:
    """6: every group can be brought to a node; 7: what is taken out stays out through reboots."""
    wanted = {tag: world.random.choice(list(world.computers)) for tag in ("shop", "docs")}
    for tag, node in wanted.items():
        _must(world, node, "in_service", tags=[tag], node=node)
        serving = [name for name, computer in world.computers.items() if tag in computer.on]
        if serving != [node]:
            broken(world, f"6: {tag} should be on {node} and is on {' and '.join(serving) or 'no node'}")
    for tag in wanted:
        _must(world, world.random.choice(list(world.computers)), "out_of_service", tags=[tag])
    for name in world.computers:
        world.power_off(name)
    for name in world.computers:
        world.start(name)
    world.run(1.5)
    left = {tag for computer in world.computers.values() for tag in computer.on if tag != "ip-docs"}
    if left:
        broken(world, f"7: everything was taken out of service, and {', '.join(sorted(left))} came back by itself")


def _must(world: World, at: str, verb: str, **args: object) -> None:
    answer = _asked(world, at, verb, **args)
    if answer is None or not answer["ok"]:
        broken(world, f"6: {verb} {args} on {at} in peace: {answer}")


def _asked(world: World, at: str, verb: str, **args: object) -> dict[str, Any] | None:
    command = world.command(at, verb, **args)
    world.run_until(lambda: command in world.answers, ANSWER_S)
    return world.answers.get(command)
