# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is tried, as one table: each fault that a cluster must bear, on the node that serves. `heal` undoes them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..scene import ADDRESSES, NODES, Scene

Cause = Callable[[Scene, str], None]
Lasts = Literal["take", "check", "own"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One kind of fault. ``cause`` gets the node that serves.

    ``lasts`` says what ends the outage at the latest: ``take``, the other node may take over; ``check``, deep checks
    find it, or IIS has had its time to start; ``own``, there is none, or it is a matter of fractions of a second.
    """

    does: str
    cause: Cause
    lasts: Lasts = "own"
    needs: Literal["witness", "etcd", ""] = ""
    rest_s: float = 0.0
    """So long after the last of its kind it is what it would be alone."""


def fault(name: str, **arguments: str) -> Cause:
    """This fault of the lab; the node that serves unless another machine is named."""

    def cause(scene: Scene, node: str) -> None:
        scene.lab.fault(name, **{"node": node, **arguments})

    return cause


def between_nodes(how: str) -> Cause:
    """On both heartbeat networks nothing gets through between the two nodes, or nothing one way."""

    def cause(scene: Scene, node: str) -> None:
        scene.lab.fault("cut_path", node=node, network="a,b", how=how, peer=other(node))

    return cause


def each_site(name: str) -> Cause:
    """This fault on every site that the node serves."""

    def cause(scene: Scene, node: str) -> None:
        for tag in served(scene, node):
            scene.lab.fault(name, node=node, site=tag)

    return cause


def served(scene: Scene, node: str) -> list[str]:
    """The sites whose address this node has."""
    return [tag for tag in ADDRESSES if node in scene.standing(tag)["address"]]


def other(node: str) -> str:
    """The other of two nodes."""
    return NODES[1] if node == NODES[0] else NODES[0]


def switchover(scene: Scene, node: str) -> None:
    """Every site that the node serves was moved to the other, by command."""
    for tag in served(scene, node):
        scene.move(tag, other(node))


def start_fails(scene: Scene, node: str) -> None:
    """Every site of the node stopped and cannot be started again there."""
    tags = served(scene, node)
    for tag in tags:
        scene.lab.fault("break_primitive", node=node, primitive="iis_start", fail="the site's port is taken")
        scene.lab.fault("stop_site", node=node, site=tag)


def stuck_disk(scene: Scene, node: str) -> None:
    """The monitor hangs, and the volume cannot be dismounted by anybody else either: nothing is left but the reset."""
    scene.lab.fault("break_primitive", node=node, primitive="unmount", hang_s="120")
    scene.lab.fault("hang_service", node=node)


TRIALS: Mapping[str, Trial] = {
    "power cut": Trial(does="the node loses its power", cause=fault("power_off"), lasts="take"),
    "power cycle": Trial(does="power off and on at once", cause=fault("reboot", hard="yes"), lasts="take"),
    "freeze": Trial(does="the node pauses as a virtual machine, later goes on", cause=fault("freeze"), lasts="take"),
    "link lost": Trial(does="the card of the LAN has no link", cause=fault("cut_lan", how="unplug"), lasts="take"),
    "LAN silent": Trial(does="the LAN carries nothing of the node", cause=fault("cut_lan"), lasts="check"),
    "isolated": Trial(does="all networks of the node are cut", cause=fault("cut_path", network="all"), lasts="take"),
    # The service manager counts failures for ten seconds, and delays the third restart.
    "monitor killed": Trial(does="SIGKILL of the monitor", cause=fault("kill_service"), rest_s=12.0),
    "monitor and guard killed": Trial(does="SIGKILL of both", cause=fault("kill_ours"), rest_s=12.0),
    "monitor hung": Trial(does="SIGSTOP of the monitor", cause=fault("hang_service"), lasts="take"),
    "monitor and guard hung": Trial(does="SIGSTOP of both; the system lives", cause=fault("stop_ours"), lasts="take"),
    "monitor hung, disk stuck": Trial(
        does="SIGSTOP of the monitor; the volume cannot be dismounted", cause=stuck_disk, lasts="take"
    ),
    "site crashed": Trial(does="its application pool died and is off", cause=each_site("crash_site")),
    "site stopped": Trial(does="stopped by hand in IIS", cause=each_site("stop_site")),
    "site hung": Trial(does="it takes requests and answers none", cause=each_site("hang_site"), lasts="check"),
    "web server killed": Trial(
        does="SIGKILL of IIS", cause=fault("kill_service", processes="holdfast_lab.iis"), lasts="check"
    ),
    "start failing": Trial(does="the site stopped and cannot start here", cause=start_fails, lasts="take"),
    "switchover": Trial(does="a planned move, by command", cause=switchover),
    "shutdown": Trial(does="the node shuts down in order", cause=fault("shut_down")),
    "reboot": Trial(does="the node shuts down in order and starts", cause=fault("reboot")),
    "one path cut": Trial(does="one heartbeat network of the node is cut", cause=fault("cut_path", network="a")),
    "paths between nodes cut": Trial(
        does="the nodes do not hear each other; both hear the arbiter", cause=between_nodes("both")
    ),
    "paths cut outwards": Trial(does="what the node sends to the other is lost", cause=between_nodes("from")),
    "paths cut inwards": Trial(does="what the other sends to the node is lost", cause=between_nodes("to")),
    "all paths cut": Trial(
        does="clients reach the node, the other node and the arbiter do not",
        cause=fault("cut_path", network="a,b"),
        lasts="take",
    ),
    "paths lossy and slow": Trial(
        does="10 % loss, 20 to 60 ms more, each way",
        cause=fault("rough_path", network="a,b", loss_percent="10", delay_ms="20", jitter_ms="40"),
    ),
    "witness killed": Trial(does="the witness loses its power", cause=fault("power_off", node="w1"), needs="witness"),
    "witness cut": Trial(
        does="nobody reaches the witness", cause=fault("cut_path", node="w1", network="all"), needs="witness"
    ),
    "witness frozen": Trial(does="the witness pauses", cause=fault("freeze", node="w1"), needs="witness"),
    "etcd member killed": Trial(does="one member loses its power", cause=fault("power_off", node="e1"), needs="etcd"),
    "etcd member cut": Trial(
        does="nobody reaches one member", cause=fault("cut_path", node="e2", network="all"), needs="etcd"
    ),
    "etcd member frozen": Trial(does="one member pauses", cause=fault("freeze", node="e3"), needs="etcd"),
}
"""Name -> trial, in the order in which people are shown them."""
