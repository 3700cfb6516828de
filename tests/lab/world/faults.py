# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault that the lab can cause, as one table: name, parameters, what it does, the function.

`python -m holdfast_lab fault --help` prints this table; the control socket and the Lab class call it.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from . import aside, healing, sites
from .fabric import Condition, Roughness
from .stranger import give_address_back, steal_address
from .topology import Machine, Network
from .world import World

Arguments = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One entry of the table. A parameter with a default may be left out; defaults are text, as on a command line."""

    does: str
    run: Callable[[World, Arguments], Awaitable[None]]
    required: tuple[str, ...] = ("node",)
    optional: Mapping[str, str]


class FaultError(Exception):
    """The fault cannot be caused as asked; the text says why and what to write."""


async def cause(world: World, name: str, given: Mapping[str, str]) -> None:
    """The fault is in effect.

    Raises:
        FaultError: unknown fault or parameter, a parameter is missing or of a wrong value.
    """
    if name not in FAULTS:
        raise FaultError(f"no fault {name!r}; there are: {', '.join(FAULTS)}")
    fault = FAULTS[name]
    missing = [key for key in fault.required if key not in given]
    unknown = [key for key in given if key not in (*fault.required, *fault.optional)]
    if missing or unknown:
        wants = " ".join([*(f"{key}=..." for key in fault.required), *(f"[{key}=...]" for key in fault.optional)])
        wrong = f"missing {missing or 'nothing'}, unknown {unknown or 'nothing'}"
        raise FaultError(f"{name}: {wrong}; write: {name} {wants}")
    try:
        await fault.run(world, {**fault.optional, **given})
    except (KeyError, ValueError, OSError) as error:
        raise FaultError(f"{name}: {error.args[0] if isinstance(error, KeyError) else error}") from error


async def power_off(world: World, given: Arguments) -> None:
    await world.power_off(_machine(world, given))


async def power_on(world: World, given: Arguments) -> None:
    await world.power_on(_machine(world, given))


async def shut_down(world: World, given: Arguments) -> None:
    await world.shut_down(_machine(world, given))


async def reboot(world: World, given: Arguments) -> None:
    machine = _machine(world, given)
    await (world.power_off(machine) if _yes(given["hard"]) else world.shut_down(machine))
    await world.power_on(machine)


async def freeze(world: World, given: Arguments) -> None:
    await world.freeze(_machine(world, given))


async def thaw(world: World, given: Arguments) -> None:
    await world.thaw(_machine(world, given))


async def kill_service(world: World, given: Arguments) -> None:
    _signal_service(world, given, signal.SIGKILL)


async def hang_service(world: World, given: Arguments) -> None:
    _signal_service(world, given, signal.SIGSTOP)


async def wake_service(world: World, given: Arguments) -> None:
    _signal_service(world, given, signal.SIGCONT)


async def stop_ours(world: World, given: Arguments) -> None:
    _signal_service(world, {**given, **_OURS}, signal.SIGSTOP)


async def continue_ours(world: World, given: Arguments) -> None:
    _signal_service(world, {**given, **_OURS}, signal.SIGCONT)


async def kill_ours(world: World, given: Arguments) -> None:
    _signal_service(world, {**given, **_OURS}, signal.SIGKILL)


async def heal(world: World, given: Arguments) -> None:
    await healing.heal(world, given["node"])


async def cut_path(world: World, given: Arguments) -> None:
    if given["how"] not in CUTS:
        raise FaultError(f"cut_path: how={given['how']!r} is not one of {', '.join(CUTS)}")
    machine, condition = _machine(world, given), CUTS[given["how"]]
    for network in _networks(machine, world, given["network"]):
        if given["peer"]:
            if given["how"] == "unplug":
                raise FaultError("cut_path: a cable is unplugged for all peers; leave how or peer out")
            whole = Roughness(cut_from_machine=True, cut_to_machine=True)
            cut = condition if isinstance(condition, Roughness) else whole
            peer = world.topology.machine(given["peer"]).mac(network)
            await world.fabric.treat(machine, network, replace(cut, peer=peer))
        else:
            await world.fabric.treat(machine, network, condition)


async def cut_lan(world: World, given: Arguments) -> None:
    await cut_path(world, {"peer": "", **given, "network": "lan"})


async def rough_path(world: World, given: Arguments) -> None:
    loss, delay, jitter = (float(given[key]) for key in ("loss_percent", "delay_ms", "jitter_ms"))
    if not 0 <= loss <= 100 or delay < 0 or jitter < 0:
        raise FaultError("rough_path: loss_percent must be 0 to 100, delay_ms and jitter_ms not negative")
    await _treat(world, given, Roughness(loss_percent=loss, delay_ms=delay, jitter_ms=jitter))


async def restore_path(world: World, given: Arguments) -> None:
    await _treat(world, given, "good")


def _machine(world: World, given: Arguments) -> Machine:
    return world.topology.machine(given["node"])


def _yes(text: str) -> bool:
    if text not in ("yes", "no"):
        raise FaultError(f"{text!r} is neither yes nor no")
    return text == "yes"


def _networks(machine: Machine, world: World, text: str) -> tuple[Network, ...]:
    """``all`` of the machine's, or those named, with a comma between them."""
    named = [world.topology.network(name) for name in text.split(",")] if text != "all" else machine.networks
    if absent := [network.name for network in named if network not in machine.networks]:
        raise FaultError(f"{machine.name} is not on {' and '.join(absent)}")
    return tuple(named)


async def _treat(world: World, given: Arguments, condition: Condition) -> None:
    machine = _machine(world, given)
    for network in _networks(machine, world, given["network"]):
        await world.fabric.treat(machine, network, condition)


def _signal_service(world: World, given: Arguments, number: signal.Signals) -> None:
    words = given["processes"].split(",")
    found = world.computer(given["node"]).processes_with(*words)
    if not found:
        raise FaultError(f"no process of {given['node']} has {' and '.join(words)} on its command line")
    for pid in found:
        os.kill(pid, number)


CUTS: dict[str, Condition] = {
    "both": "cut",
    "from": Roughness(cut_from_machine=True),
    "to": Roughness(cut_to_machine=True),
    "unplug": "unplugged",
}
_SERVICE = {"processes": "holdfast.pyz,service"}
_OURS = {"processes": "holdfast.pyz"}
_SITE = ("node", "site")
_DISK = {"disk": ""}
_CERTIFICATE = {"thumbprint": "all"}

FAULTS: dict[str, Fault] = {
    "power_off": Fault(run=power_off, optional={}, does="kill every process at once, network first, telling nobody"),
    "power_on": Fault(run=power_on, optional={}, does="start a node that is off, and wait until it is ready"),
    "shut_down": Fault(run=shut_down, optional={}, does="shut down in order; after 60 s power off"),
    "reboot": Fault(
        run=reboot, optional={"hard": "no"}, does="shut_down (hard=yes: power_off), then power_on; new boot id"
    ),
    "freeze": Fault(
        run=freeze,
        optional={},
        does="pause the whole node like a virtual machine: nothing runs, nothing answers (address lifetimes go on)",
    ),
    "thaw": Fault(run=thaw, optional={}, does="let a frozen node go on; its network is back first"),
    "kill_service": Fault(run=kill_service, optional=_SERVICE, does="SIGKILL the monitor's processes on the node"),
    "hang_service": Fault(run=hang_service, optional=_SERVICE, does="stop (SIGSTOP) the monitor's processes"),
    "wake_service": Fault(run=wake_service, optional=_SERVICE, does="let the stopped monitor go on"),
    "stop_ours": Fault(
        run=stop_ours,
        optional={},
        does="stop (SIGSTOP) all of Holdfast on the node, monitor and guard; the system lives",
    ),
    "continue_ours": Fault(run=continue_ours, optional={}, does="undo stop_ours"),
    "kill_ours": Fault(run=kill_ours, optional={}, does="SIGKILL all of Holdfast on the node at once"),
    "stop_site": Fault(
        run=sites.stop_site, required=_SITE, optional={}, does="stop a web site by hand, as an operator"
    ),
    "start_site": Fault(run=sites.start_site, required=_SITE, optional={}, does="start a web site by hand"),
    "crash_site": Fault(
        run=sites.crash_site,
        required=_SITE,
        optional={},
        does="its worker processes died too often: requests are cut off, the pool is turned off (503), the site is not",
    ),
    "hang_site": Fault(
        run=sites.hang_site,
        required=_SITE,
        optional={},
        does="its worker processes answer nothing; a new pool start replaces them",
    ),
    "wake_site": Fault(run=sites.wake_site, required=_SITE, optional={}, does="undo hang_site"),
    "break_primitive": Fault(
        run=sites.break_primitive,
        required=("node", "primitive"),
        optional={"fail": "", "hang_s": "0"},
        does="calls of the system, for example iis_start:shop, fail with this text, or hang first",
    ),
    "mend_primitives": Fault(run=sites.mend_primitives, optional={}, does="no call of the system fails or hangs"),
    "heal": Fault(
        run=heal,
        required=(),
        optional={"node": "all"},
        does="undo everything on a machine, or on all: power, pause, signals, cables, disks, certificates, primitives",
    ),
    "cut_path": Fault(
        run=cut_path,
        required=("node", "network"),
        optional={"how": "both", "peer": ""},
        does="network: lan, a, b, all, or a,b; peer: with it only; how: both = silent, from/to, unplug = no carrier",
    ),
    "cut_lan": Fault(run=cut_lan, optional={"how": "both"}, does="cut_path for the client network"),
    "rough_path": Fault(
        run=rough_path,
        required=("node", "network"),
        optional={"loss_percent": "0", "delay_ms": "0", "jitter_ms": "0"},
        does="lose and delay frames in both directions (the delay is per direction)",
    ),
    "restore_path": Fault(run=restore_path, optional={"network": "all"}, does="undo cut_path, cut_lan and rough_path"),
    "remove_disk_path": Fault(
        run=aside.remove_disk_path,
        optional=_DISK,
        does="the shared disk is gone from this node's view, with its folder",
    ),
    "restore_disk_path": Fault(run=aside.restore_disk_path, optional=_DISK, does="undo remove_disk_path"),
    "steal_address": Fault(
        run=steal_address,
        required=("address",),
        optional={},
        does="a stranger on the client network configures this address and announces it",
    ),
    "give_address_back": Fault(
        run=give_address_back, required=("address",), optional={}, does="the stranger lets go of the address"
    ),
    "remove_certificate": Fault(
        run=aside.remove_certificate, optional=_CERTIFICATE, does="certificates vanish from the node's store My"
    ),
    "restore_certificate": Fault(run=aside.restore_certificate, optional=_CERTIFICATE, does="undo remove_certificate"),
}
