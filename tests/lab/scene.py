# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The protected cluster under watch: a test moves and breaks things, the oracles and the clients judge.

What is judged is never asked of the monitor: addresses and disks come from the oracles, sites from the lab's IIS,
service from clients that ask on schedule all the time. The monitor is only given commands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from .client.load import Load, load
from .client.samples import Summary
from .oracle.intervals import Interval
from .oracle.recording import Recording, recording
from .surface import control, faults
from .world.calls import ask
from .world.remote import Lab, LabError

ADDRESSES = {"shop": "10.77.0.113", "docs": "10.77.0.114"}
DISK = "HFLAB-DISK-0001"
HOME = {"shop": "n1", "docs": "n2"}
"""Where each site is before and after every test: its preferred node."""

NODES = ("n1", "n2")
EVERY_MS = 20.0
TIMEOUT_MS = 500.0
"""Below one second: after that TCP repeats its SYN, and a request out of an outage would succeed late."""

RESTART_S = 20.0
RESTORE_S = 40.0
SOCKET_S = 10.0
_LOOK_AGAIN_S = 0.02

Standing = dict[str, set[str]]
"""For a site: the nodes that have its address, those that can write its disk, those on which IIS runs it."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """A running cluster with everything that watches it."""

    lab: Lab
    seen: Recording
    loads: Mapping[str, Load]
    _hands: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(4, "command"))
    broken: str = ""
    """Why the cluster could not be restored after a test; the tests that follow need not try."""

    _told: set[str] = field(default_factory=set)

    # -- commands

    def ask(self, at: str, verb: str, **args: Any) -> dict[str, Any]:
        """Holdfast's whole answer to a command given on the node ``at``. Raises LabError when there is none."""
        return ask(self.lab, at, verb, args)

    def move(self, tag: str, to: str, *, at: str = "n1") -> dict[str, Any]:
        """The answer to a switchover commanded on the node ``at``."""
        return self.ask(at, "in_service", tags=[tag], node=to)

    def begin(self, tag: str, to: str, *, at: str = "n1") -> Future[dict[str, Any]]:
        """A switchover is on its way; the future has its answer."""
        return self._hands.submit(self.move, tag, to, at=at)

    def inject(self, node: str, primitive: str, **fault: Any) -> None:
        """This primitive of the node hangs or fails from now on, and no other (surface/faults.py)."""
        faults.inject(self.lab.places.node(node), {primitive: fault})

    def heal(self, node: str) -> None:
        """No primitive of the node hangs or fails; what hung goes on."""
        faults.clear(self.lab.places.node(node))

    # -- judges

    def standing(self, tag: str) -> Standing:
        """Where what belongs to the site is now."""
        self.seen.read()
        at_s = self.seen.end_s
        found: Standing = {"address": set(), "site": {node for node in NODES if self.sites(node).get(tag) == "started"}}
        found["address"] = {i.holder for i in self.seen.addresses() if i.subject == ADDRESSES[tag] and i.end_s == at_s}
        if tag == "shop":
            found["disk"] = {i.holder for i in self.seen.disks() if i.end_s == at_s}
        return found

    def sites(self, node: str) -> dict[str, str]:
        """The state of each site as IIS on the node has it; nothing when IIS does not run."""
        socket = self.lab.places.node(node) / "standin" / "iis.sock"
        try:
            answer = control.call(socket, {"op": "list"}, timeout_s=SOCKET_S)
        except (OSError, ValueError):
            return {}
        return {site["name"]: site["state"] for site in answer["sites"]}

    def service(self, node: str, name: str = "Holdfast") -> dict[str, Any]:
        """A Windows service as the node's service control manager has it; empty when the node is off."""
        return self._services(node, op="state", name=name)

    def start_service(self, node: str, name: str) -> None:
        """The service runs."""
        self._services(node, op="start", name=name)

    def stop_service(self, node: str, name: str) -> None:
        """The service and those that depend on it are stopped."""
        self._services(node, op="stop", name=name, force=True)

    def await_standing(self, tag: str, node: str | None, *, within_s: float = 1.0) -> None:
        """Everything of the site is on this node (None: nowhere) and nothing of it on another."""
        kinds = ("address", "site", "disk") if tag == "shop" else ("address", "site")
        wanted = {kind: {node} if node else set() for kind in kinds}
        until(lambda: self.standing(tag) == wanted, within_s=within_s, or_say=lambda: f"{tag}: {self.standing(tag)}")

    def await_served(self, tag: str, node: str, *, within_s: float = 5.0) -> None:
        """A client's request that began from now on was answered by this node and no other stands ready to."""
        since_s = time.monotonic()
        until(
            lambda: any(s.ok and s.node == node and s.site == tag for s in self._samples(tag, since_s)),
            within_s=within_s,
            or_say=lambda: f"{tag} is not served by {node}: {self._samples(tag, since_s)[-3:]}",
        )
        self.await_standing(tag, node)

    def clients(self, tag: str, start_s: float, end_s: float) -> Summary:
        """What clients of the site saw of the requests that began in this time; all have ended."""
        until(
            lambda: any(s.start_s > end_s + TIMEOUT_MS / 1000 for s in self.loads[tag].read()),
            within_s=5.0,
            or_say=lambda: "the load client stopped asking",
        )
        return self.loads[tag].between(start_s, end_s)

    def foreign_pages(self, tag: str, start_s: float, end_s: float) -> list[tuple[str | None, str | None]]:
        """Node and site of every good answer that a client of the site got from another site in this time."""
        samples = [s for s in self.loads[tag].read() if start_s <= s.start_s <= end_s]
        return [(s.node, s.site) for s in samples if s.ok and s.site != tag]

    def new_faults(self) -> list[str]:
        """Every time that anything was on two nodes at once, since it was asked last; empty when all is well."""
        self.seen.read()
        new = [fault for fault in self.seen.faults() if fault not in self._told]
        self._told.update(new)
        return new

    def arp_answers(self, tag: str, start_s: float, end_s: float) -> list[str]:
        """Who answered ARP for the site's address in this time, in order."""
        self.seen.read()
        answers = [i for i in self.seen.answers() if i.subject == ADDRESSES[tag]]
        return list(dict.fromkeys(i.holder for i in answers if i.end_s >= start_s and i.start_s <= end_s))

    def address_intervals(self, tag: str, start_s: float) -> list[Interval]:
        """Who had the site's address for how long, of what reaches into the time since start_s."""
        self.seen.read()
        return [i for i in self.seen.addresses() if i.subject == ADDRESSES[tag] and i.end_s > start_s]

    # -- machines and monitors

    def power(self, state: Literal["on", "off"], *nodes: str) -> None:
        """These nodes are on and ready, or off without a warning."""
        for done in [self._hands.submit(self.lab.fault, f"power_{state}", node=node) for node in nodes]:
            done.result()

    def kill_monitors(self, *nodes: str) -> None:
        """The monitors of these nodes were killed, and their service control managers have started new ones."""
        before = {node: self.service(node)["pid"] for node in nodes}
        for node in nodes:
            self.lab.fault("kill_service", node=node)
        self.await_new_monitors(before)

    def await_new_monitors(self, before: Mapping[str, int]) -> None:
        """On each of these nodes another process than this runs as the monitor, and answers."""

        def new(node: str) -> bool:
            service = self.service(node)
            return service.get("state") == "running" and service["pid"] not in (0, before[node])

        until(
            lambda: all(new(node) for node in before),
            within_s=RESTART_S,
            or_say=lambda: f"not started again: {[self.service(node) for node in before]}",
        )
        self.await_monitors(*before)

    def await_monitors(self, *nodes: str, alone: bool = False) -> None:
        """The monitors of these nodes answer, hear each other (unless ``alone``), and have settled their groups."""

        def settled(node: str) -> bool:
            try:
                status = self.ask(node, "cluster_info")["data"]
            except (LabError, KeyError):
                return False
            peers = alone or all(other["state"] == "alive" for other in status["nodes"])
            mine = [group["state"] for group in status["groups"] if not alone or group["holder"] == node]
            return peers and not {"unknown", "starting"} & set(mine)

        until(
            lambda: all(settled(node) for node in nodes),
            within_s=RESTART_S,
            or_say=lambda: f"no settled monitor on all of {nodes}",
        )

    # -- repair

    def restore(self) -> None:
        """Machines on, cables good, no faults, both monitors running, each site in service at home."""
        self.broken = "the restoration was interrupted"
        self.lab.fault("heal")
        self.bring_home()
        self.broken = ""

    def bring_home(self) -> None:
        """Each site is in service on its preferred node, by command."""
        self.bring(HOME)

    def bring(self, where: Mapping[str, str]) -> None:
        """Each of these sites is in service on this node, by command, however often it has to be given."""
        told: list[str] = []
        wrong = [tag for tag, node in where.items() if any(at != {node} for at in self.standing(tag).values())]

        def there() -> bool:
            try:
                answers = [self.ask("n1", "in_service", tags=[tag], node=where[tag], timeout_s=20) for tag in wrong]
            except LabError as error:
                told.append(str(error))
                return False
            told.append(str([answer.get("error") for answer in answers]))
            return all(answer["ok"] for answer in answers)

        until(there, within_s=RESTORE_S, or_say=lambda: f"the sites could not be brought to {where}: {told[-1]}")
        for tag, node in where.items():
            self.await_standing(tag, node, within_s=5.0)

    def _samples(self, tag: str, since_s: float) -> list[Any]:
        return [sample for sample in self.loads[tag].read() if sample.start_s >= since_s]

    def _services(self, node: str, **request: Any) -> dict[str, Any]:
        socket = self.lab.places.node(node) / "standin" / "scm.sock"
        try:
            return control.call(socket, request, timeout_s=SOCKET_S)
        except (OSError, ValueError):
            return {}


@contextmanager
def watched(lab: Lab, *, every_ms: float = EVERY_MS) -> Iterator[Scene]:
    """The cluster of this lab under watch and load for the time of the block."""
    with ExitStack() as stack:
        seen = stack.enter_context(recording(lab, addresses=list(ADDRESSES.values()), disks=[DISK]))
        loads = {
            tag: stack.enter_context(load(lab, f"http://{address}/", every_ms=every_ms, timeout_ms=TIMEOUT_MS))
            for tag, address in ADDRESSES.items()
        }
        yield Scene(lab=lab, seen=seen, loads=loads)


def until(condition: Callable[[], bool], *, within_s: float, or_say: Callable[[], str]) -> None:
    """The condition holds. Raises AssertionError with what ``or_say`` says when it does not in time."""
    deadline_s = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline_s:
            raise AssertionError(f"not within {within_s:g} s: {or_say()}")
        time.sleep(_LOOK_AGAIN_S)
