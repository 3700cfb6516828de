# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""One TLS connection of one comm path: greetings, frames, the silence deadline, the bounded send queue.

Rule: a connection never waits for its peer. What cannot be written now waits in the outbox; what does not fit
ends the connection, and so does silence. Every end is told once, with the reason.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Protocol, cast

from ..core.values.messages import Envelope
from ..core.wire import wire
from ..errors import WireError
from .identity import peer_names
from .outbox import Outbox
from .timing import Timing


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the owner says to a greeting: our answer, and why the peer is refused (empty when it is not)."""

    hello: wire.Hello
    refusal: str = ""


class Owner(Protocol):
    """Who the connection belongs to. Called in the event loop."""

    def admit(self, connection: Connection, names: frozenset[str], hello: wire.Hello) -> Admission:
        """Judges the greeting of a caller; the connection is established when there is no refusal."""

    def established(self, connection: Connection) -> None:
        """Both sides have greeted each other; messages can be sent."""

    def received(self, connection: Connection, message: Any) -> None:
        """A message came in: what ``decode`` made of it."""

    def garbled(self, connection: Connection, error: WireError) -> None:
        """Something came in that is no message; it was dropped."""

    def ended(self, connection: Connection, reason: str) -> None:
        """The connection is no more. Called exactly once for each connection that was made."""


class Decode(Protocol):
    """What the frames of a connection are."""

    def __call__(self, peer: str, payload: bytes, protocol: int) -> Any:
        """The message of the peer in a frame of the agreed protocol, or WireError."""


def envelopes(dialect: wire.Dialect) -> Decode:
    """Frames are the envelopes of nodes, each with its own name."""

    def decode(peer: str, payload: bytes, protocol: int) -> Envelope:
        envelope = dialect.decode(payload, protocol)
        if envelope.sender != peer:
            raise WireError(f"a message came in from {peer} that claims to be from {envelope.sender}")
        return envelope

    return decode


class Connection(asyncio.Protocol):
    """The dialled side has ``greeting`` and ``expects`` the peer's name; the listening side has neither.

    ``protocol`` is what both speak, once it is established. ``refused`` is empty, or what one side has against the
    other: "peer" or "protocol".
    """

    def __init__(
        self,
        owner: Owner,
        timing: Timing,
        *,
        greeting: wire.Hello | None = None,
        expects: str | None = None,
        dialect: wire.Dialect = wire.OURS,
        decode: Decode | None = None,
    ) -> None:
        self.peer = expects or ""
        self.path = greeting.path if greeting else ""
        self.refused = ""
        self.protocol = 0
        self._owner = owner
        self._timing = timing
        self._greeting = greeting
        self._dialect = dialect
        self._decode = decode or envelopes(dialect)
        self._loop = asyncio.get_running_loop()
        self._outbox = Outbox()
        self._frames = wire.Frames(wire.HELLO_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._names: frozenset[str] = frozenset()
        self._established = False
        self._paused = False
        self._heard_s = 0.0
        self._reason = ""

    # -- called by the owner ----------------------------------------------------------------------

    def send(self, frame: bytes) -> None:
        """The frame is written, or waits in the outbox; when that is full the connection ends."""
        if not self._paused and self._transport is not None:
            self._transport.write(frame)
        elif not self._outbox.put(frame):
            self.end(f"the peer does not take its messages: {self._outbox.bytes_max} bytes wait")

    def send_heartbeat(self, frame: bytes) -> None:
        """The heartbeat is written, or replaces the one that waits."""
        if not self._paused and self._transport is not None:
            self._transport.write(frame)
        else:
            self._outbox.put_heartbeat(frame)

    def end(self, reason: str) -> None:
        """The connection is closed at once, without waiting for anything to be sent."""
        if self._transport is not None and not self._reason:
            self._reason = reason
            self._transport.abort()
            self._finish(reason)

    # -- called by asyncio ------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """TLS is established and the peer's certificate is of our authority."""
        self._transport = cast(asyncio.Transport, transport)
        self._names = peer_names(transport.get_extra_info("peercert"))
        self._timer = self._loop.call_later(self._timing.greet_s, self._late_greeting)
        if self._greeting is None:
            return
        if self.peer not in self._names:
            self._refuse(f"its certificate is of {_listed(self._names)}, not of {self.peer}")
        else:
            self._transport.write(wire.encode_hello(self._dialect.spoken_in(self._greeting)))

    def data_received(self, data: bytes) -> None:
        """Bytes came in."""
        if self._over():
            return
        self._heard_s = self._loop.time()
        self._frames.feed(data)
        try:
            # One by one: what follows the greeting in the same bytes may be longer than a greeting.
            while not self._over() and (payload := self._frames.next()) is not None:
                if self._established:
                    self._message(payload)
                else:
                    self._greeted(payload)
        except WireError as error:
            self._owner.garbled(self, error)
            self.end(f"{error}")

    def pause_writing(self) -> None:
        """The connection takes no more bytes for now."""
        self._paused = True

    def resume_writing(self) -> None:
        """The connection takes bytes again: what waited goes first."""
        self._paused = False
        while not self._paused and self._transport is not None:
            frame = self._outbox.take()
            if frame is None:
                return
            self._transport.write(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, by whatever cause."""
        if not self._reason:
            self._reason = f"connection lost: {exc}" if exc else "the peer closed the connection"
            self._finish(self._reason)

    # -- greetings --------------------------------------------------------------------------------

    def _greeted(self, payload: bytes) -> None:
        try:
            hello = wire.decode_hello(payload)
        except WireError as error:
            self._owner.garbled(self, error)
            self._refuse(f"{error}")
            return
        if hello.refused:
            known = hello.highest == 0 or self._dialect.agreed(hello)
            self._refuse(f"{hello.sender or self.peer} refuses: {hello.refused}", "peer" if known else "protocol")
        elif self._greeting is None:
            self._called(hello)
        else:
            self._answered(hello, self._greeting)

    def _called(self, hello: wire.Hello) -> None:
        """The listening side judges the caller and answers."""
        admission = self._owner.admit(self, self._names, hello)
        if self._transport is None:
            return
        self.protocol = self._dialect.agreed(hello)
        strange = "" if self.protocol else self._dialect.disagreement(admission.hello, hello)
        reply = replace(self._dialect.spoken_in(admission.hello), refused=admission.refusal or strange)
        self._transport.write(wire.encode_hello(reply))
        if admission.refusal:
            self._refuse(admission.refusal)
            return
        self.peer, self.path = hello.sender, hello.path
        if strange:
            self._refuse(strange, "protocol")
        else:
            self._begin()

    def _answered(self, hello: wire.Hello, greeting: wire.Hello) -> None:
        """The dialled side looks whether it reached whom it called."""
        if (hello.sender, hello.cluster, hello.path) != (self.peer, greeting.cluster, greeting.path):
            self._refuse(f"it answers as {hello.sender} of cluster {hello.cluster} on path {hello.path}")
            return
        self.protocol = self._dialect.agreed(hello)
        if self.protocol:
            self._begin()
        else:
            self._refuse(self._dialect.disagreement(greeting, hello), "protocol")

    def _begin(self) -> None:
        self._established = True
        self._frames.bytes_max = wire.FRAME_BYTES_MAX
        self._cancel_timer()
        self._watch_silence()
        self._owner.established(self)

    # -- messages ---------------------------------------------------------------------------------

    def _message(self, payload: bytes) -> None:
        try:
            message = self._decode(self.peer, payload, self.protocol)
        except WireError as error:
            self._owner.garbled(self, error)
        else:
            self._owner.received(self, message)

    # -- ends -------------------------------------------------------------------------------------

    def _watch_silence(self) -> None:
        silent_s = self._loop.time() - self._heard_s
        if silent_s >= self._timing.silence_s:
            self.end(f"nothing heard for {silent_s:.1f} s")
        else:
            self._timer = self._loop.call_later(self._timing.silence_s - silent_s, self._watch_silence)

    def _late_greeting(self) -> None:
        self.end(f"no greeting within {self._timing.greet_s:g} s")

    def _refuse(self, reason: str, kind: str = "peer") -> None:
        """Ends the connection, after what was written: the peer is to read the reason."""
        self.refused = kind
        if self._transport is not None and not self._reason:
            self._reason = reason
            self._transport.close()
            self._finish(reason)

    def _finish(self, reason: str) -> None:
        self._transport = None
        self._cancel_timer()
        self._owner.ended(self, reason)

    def _over(self) -> bool:
        return bool(self._reason)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nobody (no DNS name in it)"
