# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The witness as a node sees it: every question goes out on all lines at once, and the first answer counts.

Rules: a question never waits. A node knows one instance of its witness, by its pin; the first one it meets is pinned,
durable before it is confirmed, and another one counts for nothing until an administrator accepts it.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from ..core.values.arbitration import Question
from ..core.values.events import Consulted
from ..core.values.model import Witness
from ..core.wire.consultation import Hail, Put, Standing, Told, encode_to_witness
from ..errors import RequestError, StateError
from ..transport.timing import timing
from .line import Judgement, Line, Way
from .pins import Pin, PinFile
from .port import Surroundings

log = logging.getLogger(__name__)
OPEN_MAX = 4096
"""How many questions may be without an answer; the core repeats them, so older ones are not missed."""
ACCEPT_S, ACCEPT_LOOKS = 5.0, 50
"""How long a witness that is to be accepted may take to answer."""
_ACCEPT = "if this is meant, run 'holdfast accept-witness' on every node"


class WitnessClient:
    """The witness of a node's cluster. Used in the event loop only."""

    def __init__(self, witness: Witness, around: Surroundings) -> None:
        self._witness = witness
        self._around = around
        self._loop = asyncio.get_running_loop()
        self._session = secrets.token_hex(8)
        self._open: OrderedDict[int, None] = OrderedDict()
        self._pins = PinFile(around.surface)
        self._pin: Pin | None = None
        self._unread = "it is not read yet which witness this node knows"
        self._dirty = False
        self._pen = asyncio.Lock()
        self._closed = False
        self._keeping: asyncio.Task[None] = self._loop.create_task(self._read_pin())
        ways = _ways(witness, around)
        deadlines = timing(around.config.cluster.profile)
        self._lines = [Line(way, identity=around.identity, timing=deadlines, ear=self) for way in ways]

    # -- ArbiterPort ------------------------------------------------------------------------------

    def consult(self, number: int, question: Question) -> None:
        """The question is on its way on every line that works; when none does, that is the answer."""
        usable = [line for line in self._lines if not line.trouble]
        if not usable:
            nothing = Consulted(number=number, verdict=None, error=self._why())
            self._loop.call_soon(self._answer, nothing)
            return
        self._open[number] = None
        while len(self._open) > OPEN_MAX:
            self._open.popitem(last=False)
        put = Put(number=number, question=question)
        frames = {protocol: encode_to_witness(put, protocol) for protocol in {line.protocol for line in usable}}
        for line in usable:
            line.put(frames[line.protocol])

    def state(self) -> Mapping[str, Any]:
        """Per path: up or down, round trip, why."""
        why = self._why()
        return {
            "kind": "witness",
            "name": self._witness.name,
            "reachable": not why,
            "why": why,
            "instance": self._pin.instance if self._pin else None,
            "paths": [
                {
                    "name": line.path,
                    "state": "down" if line.trouble else "up",
                    "rtt_ms": None if line.rtt_s is None else round(line.rtt_s * 1000, 2),
                    "why": line.trouble,
                }
                for line in self._lines
            ],
        }

    def close(self) -> None:
        """Nothing is asked any more."""
        self._closed = True
        for line in self._lines:
            line.close()

    # -- an administrator -------------------------------------------------------------------------

    async def accept(self) -> Mapping[str, Any]:
        """The instance that the witness has now is the one this node knows, durable: ``instance`` and ``changed``.

        Raises:
            RequestError: the witness cannot be reached, or two of them answer.
        """
        shown: Mapping[str, Standing] = {}
        for _look in range(ACCEPT_LOOKS):
            if shown := self._shown():
                break
            await asyncio.sleep(ACCEPT_S / ACCEPT_LOOKS)
        if len(shown) != 1:
            count = f"{len(shown)} different witnesses answer" if shown else f"it does not answer: {self._why()}"
            raise RequestError("refused", f"witness {self._witness.name} cannot be accepted: {count}")
        (standing,) = shown.values()
        changed = self._pin is None or self._pin.instance != standing.instance
        if changed:
            log.warning("instance %s of witness %s is accepted", standing.instance, self._witness.name)
            await self._remember(Pin(instance=standing.instance, serial=standing.serial))
        return {"instance": standing.instance, "changed": changed}

    def _shown(self) -> Mapping[str, Standing]:
        """Who answers on the lines now, by instance."""
        return {line.standing.instance: line.standing for line in self._lines if line.standing is not None}

    # -- Ear of the lines -------------------------------------------------------------------------

    def lowest_serial(self) -> int:
        """What the witness has shown us before."""
        return self._pin.serial if self._pin else 0

    def judge(self, standing: Standing, lowest: int) -> Judgement:
        """Whether this is the witness that we know; the first one we meet is."""
        stranger = Hail(instance="", serial=0, session=self._session)
        if self._unread:
            return Judgement(hail=stranger, trouble=self._unread)
        if self._pin is None:
            self._keep(Pin(instance=standing.instance, serial=standing.serial))
            return Judgement(hail=stranger, trouble="it is being remembered which witness this is")
        hail = Hail(instance=self._pin.instance, serial=self._pin.serial, session=self._session)
        if standing.instance != self._pin.instance:
            knows = f"this node knows instance {self._pin.instance[:8]} of it"
            trouble = f"it is another instance ({standing.instance[:8]}), {knows}; {_ACCEPT}"
            return Judgement(hail=hail, trouble=trouble)
        if standing.serial < lowest:
            trouble = f"it was put back to number {standing.serial} of its memory, it has been at {lowest} before"
            return Judgement(hail=hail, trouble=trouble)
        self._seen(standing.serial)
        return Judgement(hail=hail)

    def told(self, told: Told) -> None:
        """The first answer to a question counts, copies do not."""
        self._seen(told.serial)
        if told.number in self._open:
            del self._open[told.number]
            self._answer(Consulted(number=told.number, verdict=told.verdict))

    def _answer(self, consulted: Consulted) -> None:
        if not self._closed:
            self._around.on_answer(consulted)

    def _why(self) -> str:
        """Why the witness cannot be asked; empty when it can, over one line at least."""
        if any(not line.trouble for line in self._lines):
            return ""
        if self._unread:
            return self._unread
        troubles = {line.trouble for line in self._lines}
        if len(troubles) == 1:
            return f"witness {self._witness.name}: {troubles.pop()}"
        each = "; ".join(f"{line.path}: {line.trouble}" for line in self._lines)
        return f"witness {self._witness.name}: {each or 'no comm path of this node leads to it'}"

    # -- the pin ----------------------------------------------------------------------------------

    async def _read_pin(self) -> None:
        try:
            self._pin = await self._around.in_thread(lambda: self._pins.read(self._witness.name))
        except (StateError, OSError) as error:
            self._unread = f"{error}; {_ACCEPT}"
            log.error("%s", self._unread)
            return
        self._unread = ""
        self._again()

    def _seen(self, serial: int) -> None:
        """A later serial number is remembered, some time soon: it only has to show that the witness went back."""
        if self._pin is not None and serial > self._pin.serial:
            self._pin = Pin(instance=self._pin.instance, serial=serial)
            self._dirty = True
            if self._keeping.done():
                self._keeping = self._loop.create_task(self._keep_up())

    def _keep(self, pin: Pin) -> None:
        if self._keeping.done():
            log.info("witness %s is known as instance %s from now on", self._witness.name, pin.instance)
            self._keeping = self._loop.create_task(self._remember(pin))

    async def _keep_up(self) -> None:
        while self._dirty and not self._closed:
            self._dirty = False
            async with self._pen:
                await self._write(self._pin)

    async def _remember(self, pin: Pin) -> None:
        """The pin is durable, and only then in use."""
        async with self._pen:
            if await self._write(pin):
                self._pin, self._unread = pin, ""
        self._again()

    async def _write(self, pin: Pin | None) -> bool:
        if pin is None:
            return False
        try:
            await self._around.in_thread(lambda: self._pins.write(self._witness.name, pin))
        except OSError as error:
            log.error("it cannot be remembered which witness this node knows: %s", error)
            return False
        return True

    def _again(self) -> None:
        for line in self._lines:
            line.again()


def _ways(witness: Witness, around: Surroundings) -> list[Way]:
    """One way per comm path that leads to the witness and that this node is on."""
    cluster = around.config.cluster
    return [
        Way(
            cluster=cluster.name,
            node=around.node,
            witness=witness.name,
            path=path.name,
            local=path.addresses[around.node],
            remote=(witness.addresses[path.name], witness.port),
        )
        for path in cluster.comm_paths
        if path.name in witness.addresses and around.node in path.addresses
    ]
