# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""One connection to the witness, over one comm path: kept up for ever, and asked how it is when nothing else is said.

Rule: lines do not know of each other. One that is black-holed, slow or refused costs the others nothing.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Protocol

from ..core.wire import consultation, wire
from ..core.wire.consultation import FromWitness, Hail, Standing, Told
from ..errors import WireError
from ..transport.calls import dial, told
from ..transport.connection import Admission, Connection
from ..transport.identity import Identity
from ..transport.timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From where to where, and who is who."""

    cluster: str
    node: str
    witness: str
    path: str
    local: str
    remote: tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What is thought of a witness. ``hail`` tells it whom we know; ``trouble``, unless empty, why it is not asked."""

    hail: Hail | None = None
    trouble: str = ""


class Ear(Protocol):
    """Who hears what comes in on the lines."""

    def lowest_serial(self) -> int:
        """The serial number that the witness has reached already, as far as this node knows."""

    def judge(self, standing: Standing, lowest: int) -> Judgement:
        """The witness said who it is, on a line that was dialled when ``lowest`` was its lowest serial number."""

    def told(self, told: Told) -> None:
        """An answer came in."""


class Line:
    """``trouble`` says why questions cannot go over this line; empty when they can."""

    def __init__(self, way: Way, *, identity: Identity, timing: Timing, ear: Ear) -> None:
        self.path = way.path
        self.trouble = "not connected yet"
        self.rtt_s: float | None = None
        self.standing: Standing | None = None
        self._way = way
        self._identity = identity
        self._timing = timing
        self._ear = ear
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._over: asyncio.Future[None] | None = None
        self._lowest = 0
        self._hail: Hail | None = None
        self._hailed_s: float | None = None
        self._task = self._loop.create_task(self._keep_dialling())

    def close(self) -> None:
        """Nothing is said or heard any more."""
        self._task.cancel()
        if self._connection is not None:
            self._connection.end("the witness is not asked any more")

    @property
    def protocol(self) -> int:
        """What is spoken on this line."""
        return self._connection.protocol if self._connection is not None else 0

    def put(self, frame: bytes) -> None:
        """It is on its way. The frame is of this line's protocol."""
        if self._connection is not None:
            self._connection.send(frame)

    def again(self) -> None:
        """What the witness said of itself is judged anew: we know another one now."""
        self._lowest = self._ear.lowest_serial()
        if self.standing is not None:
            self._judge(self.standing)

    # -- connected, or trying to ------------------------------------------------------------------

    async def _keep_dialling(self) -> None:
        pause_s = self._timing.redial_s
        while True:
            began_s = self._loop.time()
            try:
                await self._dial()
            except OSError as error:
                self._connection, self.trouble = None, told(error)
            lasted = self._loop.time() - began_s > self._timing.redial_s_max + self._timing.silence_s
            pause_s = self._timing.redial_s if lasted else min(2 * pause_s, self._timing.redial_s_max)
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))

    async def _dial(self) -> None:
        """Returns when the connection is over."""
        way = self._way
        contexts = await self._identity.contexts(self._timing.identity_s)
        self._lowest = self._ear.lowest_serial()
        greeting = wire.Hello(cluster=way.cluster, sender=way.node, path=way.path)
        self._connection = connection = Connection(
            self, self._timing, greeting=greeting, expects=way.witness, decode=_decoded
        )
        self._over = self._loop.create_future()
        await dial(contexts, self._timing, connection, local=way.local, remote=way.remote)
        pulse = self._loop.create_task(self._keep_hailing())
        try:
            await self._over
        finally:
            pulse.cancel()

    async def _keep_hailing(self) -> None:
        """Each side hears something from the other at least four times within the silence deadline."""
        while True:
            await asyncio.sleep(self._timing.silence_s / 4)
            self._say_hail()

    def _say_hail(self) -> None:
        if self._hail is not None:
            self._hailed_s = self._loop.time()
            self.put(consultation.encode_to_witness(self._hail, self.protocol))

    def _judge(self, standing: Standing) -> None:
        judged = self._ear.judge(standing, self._lowest)
        news = judged.hail is not None and (self._hail is None or self._hail.instance != judged.hail.instance)
        self.standing, self.trouble, self._hail = standing, judged.trouble, judged.hail
        if news:
            self._say_hail()

    # -- Owner of the connection ------------------------------------------------------------------

    def admit(self, connection: Connection, names: frozenset[str], hello: wire.Hello) -> Admission:
        """Nobody calls us on this connection."""
        del connection, names
        return Admission(hello=hello, refusal="this side calls")

    def established(self, connection: Connection) -> None:
        """The witness has greeted us; who it is comes next."""
        del connection
        self.trouble = "the witness has not said yet who it is"

    def received(self, connection: Connection, message: FromWitness) -> None:
        """The witness speaks."""
        del connection
        if isinstance(message, Told):
            self._ear.told(message)
            return
        if self._hailed_s is not None:
            self.rtt_s, self._hailed_s = self._loop.time() - self._hailed_s, None
        self._judge(message)

    def garbled(self, connection: Connection, error: WireError) -> None:
        """Something that a witness does not say."""
        del connection
        self.trouble = f"{error}"

    def ended(self, connection: Connection, reason: str) -> None:
        """The connection is no more."""
        if connection is not self._connection:
            return
        self._connection, self._hail, self._hailed_s = None, None, None
        self.standing, self.rtt_s, self.trouble = None, None, reason
        if self._over is not None and not self._over.done():
            self._over.set_result(None)


def _decoded(peer: str, payload: bytes, protocol: int) -> FromWitness:
    """What the witness says."""
    del peer
    return consultation.decode_from_witness(payload, protocol)
