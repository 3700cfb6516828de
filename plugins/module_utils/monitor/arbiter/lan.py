# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The clients' network as arbiter between two nodes, for those who have no third machine at all.

It votes for a node while one of the targets (a gateway, other servers) answers its ping, and lets it take a group when
besides nobody answers for any of the group's switchable addresses. That the holder has been silent for the lease's time
is the asking node's own vote, without which no arbiter's counts (``permits``); here it is only waited for after a
start, as every voter does.

What it cannot promise: this is no vote. That a target answers us says that we are not cut off; it does not say that the
other node is. Two nodes that both reach a target, but neither each other nor each other's addresses, both serve: a
switch that forwards some ports only, a filter between them, a network in two halves with a gateway in each, an owner
too busy to answer ARP. Nothing is remembered over a restart, and nothing is agreed between the nodes: each has its own.
Pings in place of votes are a planted fault that the simulation finds within seconds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeVar

from ..core.cluster.acceptor import Acceptor
from ..core.values.arbitration import Claim, Question, Verdict
from ..core.values.events import Consulted
from ..core.values.graph import groups_of
from ..core.values.model import Ip, Lan
from ..errors import SurfaceError
from .port import Surroundings
from .stored import report_bug

log = logging.getLogger(__name__)
T = TypeVar("T")
PING_S = 0.3
"""Within which a machine of the same network answers."""
NEIGHBOUR_S = 0.5
"""Within which somebody answers for an address, ARP being repeated by then."""
AT_ONCE = 4
"""Threads that look for neighbours."""


class LanClient:
    """An ArbiterPort. Questions that come up during a look at the network wait for the next; a newer one replaces one
    of the same kind and group."""

    def __init__(self, arbiter: Lan, around: Surroundings) -> None:
        self._targets = list(arbiter.targets)
        self._around = around
        self._law = Acceptor(registers={}, now_s=around.surface.monotonic_s())
        self._addresses = {name: group.ips for name, group in groups_of(around.config).items()}
        self._waiting: dict[str, tuple[int, Question]] = {}
        self._wake = asyncio.Event()
        self._why = "no target was tried yet"
        self._threads = asyncio.Semaphore(AT_ONCE)
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(report_bug)

    def consult(self, number: int, question: Question) -> None:
        """The network is looked at."""
        self._waiting[question.group if isinstance(question, Claim) else ""] = (number, question)
        self._wake.set()

    def state(self) -> Mapping[str, Any]:
        """What people are shown."""
        promise = "two nodes that reach a target, but neither each other nor each other's addresses, both serve"
        return {"kind": "lan", "reachable": not self._why, "why": self._why, "cannot_promise": promise}

    def close(self) -> None:
        """Nothing is asked any more, and no answer comes after this."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            asked, self._waiting = self._waiting, {}
            self._why = await self._no_target()
            outcomes = await asyncio.gather(*(self._judge(question) for _number, question in asked.values()))
            for (number, _question), verdict in zip(asked.values(), outcomes, strict=True):
                self._around.on_answer(Consulted(number=number, verdict=verdict))

    async def _judge(self, question: Question) -> Verdict:
        if self._why:
            return Verdict(granted=False, renewed=False, reason=self._why)
        if isinstance(question, Claim) and question.consent_of is None:
            reason = await self._somebody_answers(question.group)
            if reason:
                return Verdict(granted=False, reason=reason)
        return self._law.hear(question, self._around.surface.monotonic_s())

    async def _no_target(self) -> str:
        """Why we may be cut off; empty when a target answers."""
        found = await self._in_thread(self._first_target)
        if found is None:
            return f"none of the targets {', '.join(self._targets)} answers a ping: this node may be cut off"
        # The one that answers is tried first the next time.
        self._targets.sort(key=lambda target: target != found)
        return ""

    def _first_target(self) -> str | None:
        """In a thread."""
        return next((target for target in list(self._targets) if self._pings(target)), None)

    def _pings(self, target: str) -> bool:
        try:
            return self._around.surface.ping(address=target, timeout_s=PING_S)
        except SurfaceError as error:
            log.debug("target %s: %s", target, error)
            return False

    async def _somebody_answers(self, group: str) -> str:
        """Why the group may be served already; empty when nobody answers for its addresses."""
        addresses = self._addresses.get(group, ())
        if not addresses:
            return f"{group} has no address on the clients' network, so nobody can see whether it is served"
        return await self._first_reason(addresses)

    async def _first_reason(self, addresses: Iterable[Ip]) -> str:
        looks = [self._in_thread(partial(self._answered_for, ip)) for ip in addresses]
        return next((reason for reason in await asyncio.gather(*looks) if reason), "")

    def _answered_for(self, ip: Ip) -> str:
        """In a thread. Who answers for the address, if not we."""
        surface = self._around.surface
        try:
            found = surface.neighbour(
                interface=ip.interfaces[self._around.node], address=ip.address, timeout_s=NEIGHBOUR_S
            )
            ours = {card.mac for card in surface.interfaces()}
        except (SurfaceError, KeyError) as error:
            return f"whether anybody has {ip.address} cannot be seen: {error}"
        return "" if found is None or found in ours else f"{found} answers for {ip.address}"

    async def _in_thread(self, work: Callable[[], T]) -> T:
        async with self._threads:
            return await self._around.in_thread(work)
