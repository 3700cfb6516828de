# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The running witness: it listens, votes, and sends nothing that is not on its disk.

Rule: an answer waits for every change that was made before it. Answers that wait at the same moment share one write;
one that changes nothing, while nothing is being written, goes out at once.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.wire import consultation, wire
from ..core.wire.consultation import FromWitness, Hail, Told, ToWitness
from ..errors import WireError
from ..service.stall import StallMeter
from ..service.workers import Workers
from ..transport.calls import address_of, answer, told
from ..transport.connection import Admission, Connection
from ..transport.identity import Identity
from ..transport.listener import Listener
from ..transport.timing import Timing
from .memory import MemoryFile
from .settings import Settings
from .voting import Voting

log = logging.getLogger(__name__)
TIMING = Timing(silence_s=5.0)
"""Nodes say something every second at least; one that did not for so long calls anew."""
WAITING_MAX = 4096
AGAIN_S = 0.5
"""The pause before a write that failed is tried again."""
SEAL_AFTER_S = 1.0
"""The seal follows the last write after this long, so that no vote waits for it."""


@dataclass(slots=True)
class Caller:
    """A node on one of its paths, from ``address`` to ours. ``hail``: it takes us for the witness that it knows."""

    connection: Connection
    address: str
    ours: str
    hail: Hail | None = None


class Service:
    """``voting`` is durable as it is when the service starts."""

    def __init__(self, *, settings: Settings, voting: Voting, file: MemoryFile) -> None:
        self.trouble = ""
        self.writes = 0
        self.write_s_max = 0.0
        self._settings = settings
        self._voting = voting
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._files = Workers(name="file", ready=1, most=2)
        self._disk = Workers(name="disk", ready=1, most=1)
        self._identity = Identity(pki=settings.certificates, in_thread=self._files.run)
        self._stall = StallMeter()
        self._callers: dict[Connection, Caller] = {}
        self._listeners: list[Listener] = []
        self._durable = voting.changed
        self._waiting: deque[tuple[int, Callable[[], None]]] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._sealing: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Nodes are listened to on every address, now or as soon as the machine has it."""
        self._stall.start()
        for address in self._settings.listen:
            self._listeners.append(self._listener(address))

    def close(self) -> None:
        """Nobody is listened to or answered any more."""
        self._stall.stop()
        for listener in self._listeners:
            listener.close()
        for connection in list(self._callers):
            connection.end("the witness stops")
        for task in (self._writing, self._sealing):
            if task is not None:
                task.cancel()
        self._files.close()
        self._disk.close()

    def confirm(self) -> bool:
        """An administrator lets this instance vote; false when it does already."""
        changed = self._voting.confirm(self._loop.time())
        self._when_durable(lambda: None)
        return changed

    def state(self) -> Mapping[str, Any]:
        """What people are shown, as plain data."""
        paths: dict[str, list[dict[str, str]]] = {}
        for caller in self._callers.values():
            if caller.connection.path:
                place = {"path": caller.connection.path, "address": caller.address}
                paths.setdefault(caller.connection.peer, []).append(place)
        state = self._voting.state(self._loop.time())
        troubles = [listener.trouble for listener in self._listeners if listener.trouble]
        return {
            "cluster": self._settings.cluster,
            "witness": self._settings.name,
            **state,
            "nodes": [{**node, "paths": paths.get(node["name"], [])} for node in state["nodes"]],
            "warnings": [*troubles, *([self.trouble] if self.trouble else [])],
            "writes": self.writes,
            "write_ms_max": round(self.write_s_max * 1000, 1),
            "loop_stall_ms_max": round(self._stall.max_s * 1000, 1),
        }

    # -- listening --------------------------------------------------------------------------------

    async def _serve(self, caller: socket.socket) -> None:
        address = address_of(caller)
        connection = Connection(self, TIMING, decode=_decoded)
        self._callers[connection] = Caller(connection, address, str(caller.getsockname()[0]))
        try:
            contexts = await self._identity.contexts(TIMING.identity_s)
            await answer(contexts, TIMING, connection, caller)
        except BaseException as error:
            self._callers.pop(connection, None)
            caller.close()
            if not isinstance(error, OSError):
                raise
            self._refused(
                "certificate" if isinstance(error, ssl.SSLError) else "handshake", f"{address}: {told(error)}"
            )

    def _listener(self, address: str) -> Listener:
        def lonely() -> bool:
            present = {caller.connection.peer for caller in self._callers.values() if caller.ours == address}
            return not present.issuperset(self._settings.nodes)

        return Listener(address=address, port=self._settings.port, timing=TIMING, serve=self._serve, lonely=lonely)

    # -- Owner of the connections -----------------------------------------------------------------

    def admit(self, connection: Connection, names: frozenset[str], hello: wire.Hello) -> Admission:
        """Only a node of this cluster, by its own certificate, from one machine."""
        mine = self._settings
        refusal = ""
        if hello.cluster != mine.cluster:
            refusal = f"{hello.sender} is of cluster {hello.cluster}; this is the witness of cluster {mine.cluster}"
        elif hello.sender not in mine.nodes:
            refusal = f"{hello.sender} is no node of cluster {mine.cluster} for this witness"
        elif hello.sender not in names:
            refusal = f"its certificate is of {', '.join(sorted(names)) or 'nobody'}, not of {hello.sender}"
        elif other := self._elsewhere(connection, hello):
            refusal = f"{hello.sender} is connected from {other} on path {hello.path} already: is there a copy of it?"
        reply = wire.Hello(cluster=mine.cluster, sender=mine.name, path=hello.path, refused=refusal)
        return Admission(hello=reply, refusal=refusal)

    def established(self, connection: Connection) -> None:
        """A node is there; an older connection of the same path is replaced."""
        for other in list(self._callers):
            if other is not connection and (other.peer, other.path) == (connection.peer, connection.path):
                other.end("a newer connection replaces this one")
        self._say(connection, self._voting.standing)

    def received(self, connection: Connection, message: ToWitness) -> None:
        """A node says who we are to it, or asks."""
        caller = self._callers[connection]
        now_s = self._loop.time()
        if isinstance(message, Hail):
            caller.hail = message if self._voting.hail(connection.peer, message, now_s) else None
            self._say(connection, self._voting.standing)
        elif caller.hail is None or caller.hail.instance != self._voting.instance:
            self._refused("message", f"{connection.peer} asks without having said whom it takes us for")
        else:
            verdict = self._voting.hear(connection.peer, caller.hail.session, message, now_s)
            if verdict is not None:
                number = message.number
                self._say(connection, lambda: Told(number=number, serial=self._voting.serial, verdict=verdict))

    def garbled(self, connection: Connection, error: WireError) -> None:
        """Something that is no message came in."""
        self._refused("message", f"{connection.peer or 'a caller'}: {error}")

    def ended(self, connection: Connection, reason: str) -> None:
        """A connection is no more."""
        caller = self._callers.pop(connection, None)
        if connection.refused:
            self._refused("peer", f"{connection.peer or (caller and caller.address) or 'a caller'}: {reason}")

    def _elsewhere(self, connection: Connection, hello: wire.Hello) -> str:
        """The other address from which this node is connected on this path; empty when there is none."""
        mine = self._callers[connection].address
        there = (
            caller.address
            for other, caller in self._callers.items()
            if (other.peer, other.path) == (hello.sender, hello.path) and caller.address != mine
        )
        return next(there, "")

    def _refused(self, kind: str, text: str) -> None:
        self._voting.refuse(kind, text)

    # -- durability -------------------------------------------------------------------------------

    def _say(self, connection: Connection, what: Callable[[], FromWitness]) -> None:
        """It is said when all that it rests on is durable."""
        self._when_durable(lambda: connection.send(consultation.encode_from_witness(what(), connection.protocol)))

    def _when_durable(self, then: Callable[[], None]) -> None:
        if self._durable == self._voting.changed:
            then()
            return
        self._waiting.append((self._voting.changed, then))
        if len(self._waiting) > WAITING_MAX:
            # An answer that came so late would count for nothing; the question comes again.
            self._waiting.popleft()
        if self._writing is None:
            self._writing = self._loop.create_task(self._write())

    async def _write(self) -> None:
        while self._durable < self._voting.changed:
            await self._write_once()
        self._writing = None
        if self._sealing is not None:
            self._sealing.cancel()
        self._sealing = self._loop.create_task(self._seal())

    async def _seal(self) -> None:
        await asyncio.sleep(SEAL_AFTER_S)
        try:
            await self._disk.run(self._file.seal)
        except OSError as error:
            self._tell(f"the memory's seal cannot be written: {error}")
        self._sealing = None

    async def _write_once(self) -> None:
        goal, memory, began_s = self._voting.changed, self._voting.memory(), self._loop.time()
        try:
            await self._disk.run(lambda: self._file.save(memory))
        except OSError as error:
            self._tell(f"the memory cannot be written, nothing new is granted: {error}")
            await asyncio.sleep(AGAIN_S)
            return
        self._tell("")
        self.writes += 1
        self.write_s_max = max(self.write_s_max, self._loop.time() - began_s)
        self._durable, self._voting.serial = goal, memory.serial
        while self._waiting and self._waiting[0][0] <= goal:
            self._waiting.popleft()[1]()

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            log.error("%s", trouble)
        self.trouble = trouble


def _decoded(peer: str, payload: bytes, protocol: int) -> ToWitness:
    """What the node says; that it speaks for itself is judged with the question."""
    del peer
    return consultation.decode_to_witness(payload, protocol)
