# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random schedules: commands and faults of a few kinds, densely; then peace, and the cluster must work again.

Swarm testing: each schedule draws few kinds of fault and uses them often, which finds more than a mix of all.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from holdfast_sim.cluster import PATHS, World
from holdfast_sim.judge import BrokenInvariantError

SETTLE_S = 130.0
"""Bound on the peace before the last check: longer than the slowest step's time-out and its repair."""


def explore(seed: int) -> World:
    """Runs one schedule; raises BrokenInvariantError when an invariant or the liveness at the end does not hold."""
    random = Random(seed)
    world = World(seed, nodes=("n1", "n2") if random.random() < 0.7 else ("n1", "n2", "n3"))
    world.run(random.uniform(0.0, 2.0))
    kinds = random.sample(FAULTS, random.randint(0, 3))
    for _number in range(random.randint(3, 12)):
        action = random.choice([_command, _command, *kinds])
        action(world, random)
        world.run(random.choice([0.0, 0.003, 0.02, 0.05, 0.3, 2.0, 6.0]))
    _peace(world)
    _alive_again(world, random)
    return world


def _command(world: World, random: Random) -> None:
    at = random.choice(list(world.computers))
    tag = random.choice(["shop", "docs", "ip-shop", "vol-shop"])
    if random.random() < 0.7:
        node = random.choice([None, *world.computers])
        world.command(at, "in_service", tags=[tag], node=node, initial=random.random() < 0.1)
    elif random.random() < 0.7:
        world.command(at, "out_of_service", tags=[tag])
    else:
        world.command(at, "plan", tag=tag, node=random.choice(list(world.computers)))


def _kill(world: World, random: Random) -> None:
    world.kill(random.choice(list(world.computers)))


def _restart(world: World, random: Random) -> None:
    name = random.choice(list(world.computers))
    world.kill(name)
    world.start(name)


def _power_cycle(world: World, random: Random) -> None:
    name = random.choice(list(world.computers))
    world.power_cycle(name)
    if random.random() < 0.7:
        world.start(name)


def _cut(world: World, random: Random) -> None:
    source, target = random.sample(list(world.computers), 2)
    for path in random.choice([PATHS, PATHS[:1], PATHS[1:]]):
        world.network.cut.add((source, target, path))
        if random.random() < 0.7:
            world.network.cut.add((target, source, path))


def _heal(world: World, _random: Random) -> None:
    world.network.heal()


def _weather(world: World, random: Random) -> None:
    world.network.loss = random.choice([0.0, 0.1, 0.5])
    world.network.duplicate = random.choice([0.0, 0.3])
    world.network.delay_max_s = random.choice([0.002, 0.05, 0.8, 3.0])


def _freeze(world: World, random: Random) -> None:
    process = world.processes[random.choice(list(world.computers))]
    if process.frozen:
        process.thaw()
    else:
        process.frozen = True


def _sick(world: World, random: Random) -> None:
    computer = world.computers[random.choice(list(world.computers))]
    operation = random.choice(["start", "stop", "verify", "prepare", "observe", "inspect"])
    tag = random.choice(["shop", "ip-shop", "vol-shop", "docs", "ip-docs"])
    computer.sick[operation, tag] = random.choice(["fail", "fail", "hang"])


def _cure(world: World, _random: Random) -> None:
    for computer in world.computers.values():
        computer.sick.clear()


Fault = Callable[[World, Random], None]
FAULTS: list[Fault] = [_kill, _restart, _power_cycle, _cut, _heal, _weather, _freeze, _sick, _cure]


def _peace(world: World) -> None:
    """Every fault ends: links work, every monitor runs, nothing is sick."""
    world.network.heal()
    for name, computer in world.computers.items():
        computer.sick.clear()
        process = world.processes[name]
        if process.dead:
            world.start(name)
        elif process.frozen:
            process.thaw()
    world.run(1.0)
    world.run_until(world.calm, SETTLE_S)
    if not world.calm():
        raise BrokenInvariantError(f"seed {world.seed}: no calm {SETTLE_S:g} s after the last fault")


def _alive_again(world: World, random: Random) -> None:
    """Every node can take every group, and what was taken out stays out."""
    for tag in ("shop", "docs"):
        node = random.choice(list(world.computers))
        _must(world, tag, node, "in_service", tags=[tag], node=node)
        serving = [name for name, computer in world.computers.items() if {tag, f"ip-{tag}"} <= computer.on]
        if serving != [node]:
            raise BrokenInvariantError(f"seed {world.seed}: {tag} should be on {node} and is on {serving}")
        _must(world, tag, node, "out_of_service", tags=[tag])
        for name in world.computers:
            world.power_cycle(name)
            world.start(name)
        world.run(2.0)
        left = [name for name, computer in world.computers.items() if {tag, f"ip-{tag}"} & computer.on]
        if left:
            raise BrokenInvariantError(
                f"seed {world.seed}: {tag} was taken out of service and is on {left} after restarts"
            )


def _must(world: World, tag: str, at: str, verb: str, **args: object) -> None:
    command = world.command(at, verb, **args)
    world.run_until(lambda: command in world.answers, 30.0)
    answer = world.answers.get(command)
    if answer is None or not answer["ok"]:
        raise BrokenInvariantError(f"seed {world.seed}: {verb} {tag} {args} in peace: {answer}")
