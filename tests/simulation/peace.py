# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of every fault, and what is demanded then: liveness, invariant 6."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from holdfast.core.values.graph import Group, groups_of
from holdfast.core.values.messages import Register
from holdfast.core.values.profiles import TAKE_MAX_S, TIMERS
from holdfast_sim.judge import broken, served

if TYPE_CHECKING:
    from holdfast_sim.cluster import World

SETTLE_S = 130.0
"""Bound on the peace before the last check: longer than the slowest step's time-out and its repair."""
BREATH_S = 0.5
"""Before it is asked whether anybody is busy, for what has healed to be noticed."""
ANSWER_S = 30.0
AGAIN_S = 1.0
PATIENCE_S = 6.0
PLENTY = 50
"""A budget that no story uses up; with less, a group that has moved too often waits for a person."""
AGREE_S = 5.0
TAKES = 3
"""So many times ``take_s`` may pass after the last fault until everything is in service."""


def survive(world: World, node: str) -> None:
    """This node, the arbiter and the network are healthy and every other node is off: the node serves everything.

    Unless it has not met all of them yet: it cannot know then that they have the same arbiter.
    """
    world.network.heal()
    _heal(world, node)
    for other in world.computers:
        if other != node and not world.computers[other].off:
            world.power_off(other)
    if world.witness is not None:
        world.witness.heal()
    if world.computers[node].agreed:
        _demand(world, (node,))


def wanted(world: World) -> list[Group]:
    """The groups that should be in service, as the latest register says that is known anywhere."""
    config = next(iter(world.configs.values()))
    return [group for group in groups_of(config).values() if _is_wanted(group, _latest(world, group))]


def _is_wanted(group: Group, register: Register) -> bool:
    return register.epoch > 0 and bool(group.needed(register.out))


def _latest(world: World, group: Group) -> Register:
    known = [c.registers[tag] for c in world.computers.values() for tag in group.tags if tag in c.registers]
    if world.witness is not None and group.name in world.witness.registers:
        known.append(world.witness.registers[group.name])
    return max(known, key=lambda register: (register.epoch, register.revision), default=Register())


def _demand(world: World, nodes: tuple[str, ...]) -> None:
    """6: within three times ``take_s`` everything that should be in service is, on one of these nodes.

    A voter that has just been started waits first, since it may have forgotten what it promised.
    """
    if world.sickly or world.recovery.failovers < PLENTY:
        return
    bound_s = TAKES * TIMERS[world.profile].take_s + TAKE_MAX_S

    def served() -> bool:
        _come_back(world, nodes)
        return not _missing(world, nodes)

    if not world.run_until(served, bound_s):
        broken(world, f"6: {_missing(world, nodes)} not in service on {' or '.join(nodes)} after {bound_s:g} s")


def _missing(world: World, nodes: tuple[str, ...]) -> str:
    on = [world.computers[node].on for node in nodes]
    missing = [
        group.name
        for group in wanted(world)
        if not any(tags >= {r.tag for r in group.needed(_latest(world, group).out)} for tags in on)
    ]
    return " and ".join(missing)


def _heal(world: World, name: str) -> None:
    computer, process = world.computers[name], world.processes[name]
    computer.heal()
    world.resume(name)
    if computer.shutting_down:
        world.power_off(name)
    if process.dead:
        world.start(name)
    elif process.frozen:
        process.thaw()
    world.guards[name].thaw()


def _come_back(world: World, nodes: Iterable[str]) -> None:
    """A machine that its guard has reset meanwhile starts again."""
    for name in nodes:
        if world.processes[name].dead:
            world.start(name)


def _idle(world: World) -> bool:
    _come_back(world, world.computers)
    return not any(process.machine.busy() for process in world.processes.values())


def peace(world: World) -> None:
    """Every fault ends: links work, every monitor runs, nothing is sick; and everything comes to rest, in service.

    Raises:
        BrokenInvariantError: an invariant, or the liveness at the end, does not hold.
    """
    world.network.heal()
    if world.witness is not None:
        world.witness.heal()
    for name in world.computers:
        _heal(world, name)
    world.run(BREATH_S)
    if not world.run_until(partial(_idle, world), SETTLE_S):
        broken(world, f"6: somebody is busy still {SETTLE_S:g} s after the last fault")
    configs = list(world.configs.values())
    if any(config is not configs[0] for config in configs) or not configs[0].hierarchies:
        _agree(world)
    world.run(BREATH_S)
    if any(g.conflict for process in world.processes.values() for g in process.machine.groups.values()):
        _mend_torn(world)
    if not world.run_until(world.calm, SETTLE_S):
        broken(world, f"6: no calm {SETTLE_S:g} s after the last fault")
    if world.witness is not None:
        _demand(world, tuple(world.computers))


def _agree(world: World) -> None:
    """Every node has the same configuration again, with sites; things are taken out of service where they must."""
    for sites in ("apart", "sharing", "apart", "sharing"):
        if world.run_until(partial(_alike, world, sites), AGREE_S):
            return
        for tag in ("shop", "docs", "ip-shop", "ip-docs", "vol-shop"):
            for name in world.computers:
                _asked(world, name, "out_of_service", tags=[tag])
    # Each of two half-configured nodes may think that the other has a site in service: people see that none has.
    if not _alike(world, "apart", by_force=True):
        broken(world, "6: the nodes cannot be configured alike in peace")


def _alike(world: World, sites: str, *, by_force: bool = False) -> bool:
    return all(world.configure(node, sites, by_force=by_force) for node in world.computers)


def _mend_torn(world: World) -> None:
    """What a new configuration has torn is brought together, as the refusal of every other command says."""
    groups = [g for process in world.processes.values() for g in process.machine.groups.values() if g.conflict]
    for heads in {g.group.heads for g in groups}:
        _must(world, min(world.computers), "out_of_service", tags=list(heads))
    world.run(1.0)


def works(world: World) -> None:
    """6: every group can be brought to a node; 8: what is taken out stays out through reboots."""
    sites = [h.tag for h in next(iter(world.configs.values())).hierarchies]
    wanted = {tag: world.random.choice(list(world.computers)) for tag in sites}
    for tag, node in wanted.items():
        _must(world, node, "in_service", tags=[tag], node=node)
        serving = [name for name, computer in world.computers.items() if served(world, computer, {tag} & computer.on)]
        if serving != [node]:
            broken(world, f"6: {tag} should be on {node} and is on {' and '.join(serving) or 'no node'}")
    for tag in wanted:
        _taken_out(world, tag)
    for name in world.computers:
        world.power_off(name)
    for name in world.computers:
        world.start(name)
    world.run(1.5)
    left = {tag for computer in world.computers.values() for tag in computer.on if tag != "ip-docs"}
    if left:
        broken(world, f"8: everything was taken out of service, and {', '.join(sorted(left))} came back by itself")


def _taken_out(world: World, tag: str) -> None:
    """By a command to any node; again where that one had not heard yet that it is in service."""
    for _time in range(3):
        _must(world, world.random.choice(list(world.computers)), "out_of_service", tags=[tag])
        if not any(served(world, computer, {tag} & computer.on) for computer in world.computers.values()):
            return
        world.run(AGAIN_S)
    broken(world, f"8: {tag} was taken out of service and is on")


def _must(world: World, at: str, verb: str, **args: object) -> None:
    """The command succeeds, in a while: nodes hear of a reboot first, and voters that were started wait."""
    end_s = world.now_s + (PATIENCE_S if world.witness is None else TAKES * TIMERS[world.profile].take_s + TAKE_MAX_S)
    while True:
        answer = _asked(world, at, verb, **args)
        if answer is not None and answer["ok"]:
            return
        if answer is None or world.now_s >= end_s:
            broken(world, f"6: {verb} {args} on {at} in peace: {answer}")
        world.run(AGAIN_S)


def _asked(world: World, at: str, verb: str, **args: object) -> dict[str, Any] | None:
    command = world.command(at, verb, **args)
    world.run_until(lambda: command in world.answers, ANSWER_S)
    return world.answers.get(command)
