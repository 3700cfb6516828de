# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes that ask a real etcd as the core does: a renewal every so often, counted from when it was asked for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from holdfast.arbiter.etcd import EtcdStore, Files
from holdfast.arbiter.stored import StoredArbiter
from holdfast.core.values.arbitration import Claim, Question, Renewal, Verdict
from holdfast.core.values.events import Consulted
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Register
from holdfast.core.values.model import Etcd
from holdfast_lab.etcd.certificates import Certificates
from holdfast_lab.etcd.cluster import EtcdCluster

T = TypeVar("T")
LEASE = Lease(light_s=0.6, full_s=0.8)
RENEW_S = 0.2


async def in_thread(work: Callable[[], T]) -> T:
    """For whatever blocks."""
    return await asyncio.to_thread(work)


def files(folder: Path, certificates: Certificates | None = None, password: str = "") -> Files:
    """What lies on a node."""
    folder.mkdir(parents=True, exist_ok=True)
    secret = folder / "password"
    secret.write_text(password, encoding="utf-8")
    ours = certificates or Certificates(*[folder / "none"] * 7)
    return Files(authority=ours.authority, certificate=ours.client, key=ours.client_key, password=secret)


class Node:
    """A node with its arbiter. ``acknowledged`` are the moments of asking and of hearing for each renewal."""

    def __init__(self, name: str, store: EtcdStore, *, renew_s: float = RENEW_S) -> None:
        self._renew_s = renew_s
        self.name = name
        self.number = 0
        self.waiting: dict[int, asyncio.Future[Consulted]] = {}
        self.acknowledged: list[tuple[float, float]] = []
        self.errors: list[str] = []
        self.arbiter = StoredArbiter(node=name, nodes=(), store=store, clock=time.monotonic, on_answer=self._answered)

    def _answered(self, consulted: Consulted) -> None:
        waiting = self.waiting.pop(consulted.number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(consulted)

    def consult(self, question: Question) -> asyncio.Future[Consulted]:
        """The outcome, if there ever is one."""
        self.number += 1
        self.waiting[self.number] = asyncio.get_running_loop().create_future()
        self.arbiter.consult(self.number, question)
        return self.waiting[self.number]

    async def ask(self, question: Question, within_s: float = 10.0) -> Verdict:
        """The verdict, asked for again while there is none."""
        end_s = time.monotonic() + within_s
        while True:
            with contextlib.suppress(TimeoutError):
                consulted = await asyncio.wait_for(self.consult(question), 3.0)
                if consulted.verdict is not None:
                    return consulted.verdict
                self.errors.append(consulted.error)
            assert time.monotonic() < end_s, f"no verdict: {self.errors[-1:]}"

    async def granted(self, question: Question, within_s: float) -> float:
        """Asks until it is granted; the moment."""
        end_s = time.monotonic() + within_s
        while not (verdict := await self.ask(question)).granted:
            assert time.monotonic() < end_s, verdict.reason
            await asyncio.sleep(0.05)
        return time.monotonic()

    async def keep_renewing(self, registers: dict[str, Register]) -> None:
        """Every RENEW_S, answered or not, as the core does."""
        version = 0
        while True:
            sent_s = time.monotonic()
            question = self.renewal(registers if not version else {}, since=version, version=1)
            asked = self.consult(question)
            asked.add_done_callback(partial(self._note, sent_s))
            await asyncio.sleep(self._renew_s)
            if asked.done() and (verdict := asked.result().verdict) is not None:
                version = verdict.version

    def _note(self, sent_s: float, asked: asyncio.Future[Consulted]) -> None:
        if asked.cancelled():
            return
        verdict = asked.result().verdict
        if verdict is not None and verdict.renewed:
            self.acknowledged.append((sent_s, time.monotonic()))

    def renewal(self, registers: dict[str, Register] | None = None, *, since: int = 0, version: int = 0) -> Renewal:
        return Renewal(
            node=self.name, incarnation=1, lease=LEASE, since=since, version=version, registers=registers or {}
        )

    def claim(self, group: str, epoch: int, *, consent_of: str | None = None) -> Claim:
        return Claim(
            node=self.name,
            incarnation=1,
            lease=LEASE,
            group=group,
            epoch=epoch,
            volume=True,
            consent_of=consent_of,
        )

    def longest_gap_s(self) -> float:
        """From asking for an acknowledged renewal to the next acknowledgement: what a lease has to last."""
        trusted, gap = self.acknowledged[0][0], 0.0
        for sent_s, told_s in self.acknowledged[1:]:
            gap = max(gap, told_s - trusted)
            trusted = max(trusted, sent_s)
        return gap


@contextlib.asynccontextmanager
async def nodes(
    etcd: EtcdCluster, folder: Path, prefix: str, *names: str, renew_s: float = RENEW_S
) -> AsyncIterator[list[Node]]:
    """Nodes with an arbiter each, on a prefix of their own."""
    made = []
    try:
        for name in names:
            settings = Etcd(endpoints=etcd.endpoints, prefix=prefix, any_version=True)
            made.append(Node(name, EtcdStore(settings, files=files(folder), in_thread=in_thread), renew_s=renew_s))
        yield made
    finally:
        for node in made:
            node.arbiter.close()
        await asyncio.sleep(0.1)
