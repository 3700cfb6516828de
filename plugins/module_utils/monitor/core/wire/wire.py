# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Messages between nodes as bytes: JSON in frames of known length.

Rule: whatever comes in, the outcome is a value of this protocol or a WireError; nothing else is ever raised.
A frame is its length in four bytes, most significant first, and then that many bytes of ASCII JSON. The first
frame of a connection, in both directions, is a Hello; every other is an Envelope. Fields that have their
default are left out, which is why a default may only change together with PROTOCOL.

Each Hello tells the span of protocols that its sender speaks, and both sides use the highest that both do; so a monitor
works with that of the release before, and nodes are upgraded one by one (docs/decisions, 0017).
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from ... import PROTOCOL, PROTOCOL_LOWEST
from ...errors import WireError, require
from ..values.messages import Envelope
from . import codec

T = TypeVar("T")
FRAME_BYTES_MAX = 4 * 1024 * 1024
"""A heartbeat about 1,000 groups is near 300 kB; more than this is no message of ours."""
HELLO_BYTES_MAX = 4096
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first words on a connection: who calls, in which cluster, and for which comm path.

    ``refused`` is empty, or says why the sender will not talk; the connection ends then. ``lowest`` and ``highest``
    are the span of protocols that the sender speaks. Later protocols may add fields, and never change or drop one.
    """

    cluster: str
    sender: str
    path: str
    refused: str = ""
    lowest: int = 0
    highest: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """The protocols that a monitor speaks, and what an envelope is in the highest."""

    lowest: int = PROTOCOL_LOWEST
    highest: int = PROTOCOL
    envelope: type[Envelope] = Envelope

    def spoken_in(self, hello: Hello) -> Hello:
        """The greeting, saying what we speak."""
        return replace(hello, lowest=self.lowest, highest=self.highest)

    def agreed(self, theirs: Hello) -> int:
        """The protocol to use with whoever greets so; 0 when there is none."""
        highest = min(self.highest, theirs.highest)
        return highest if highest >= max(self.lowest, theirs.lowest) else 0

    def disagreement(self, mine: Hello, theirs: Hello) -> str:
        """Why there is none, for people on either side."""
        older = theirs if theirs.highest < self.lowest else mine
        return (
            f"{theirs.sender} speaks protocol {_span(theirs.lowest, theirs.highest)} and {mine.sender} "
            f"{_span(self.lowest, self.highest)}; upgrade {older.sender} with role monitor"
        )

    def encode(self, envelope: Envelope, protocol: int) -> bytes:
        """The frame of the message, without what this protocol does not have."""
        data = codec.encode(envelope, self.envelope, terse=True, protocol=protocol)
        data["protocol"] = protocol
        return frame(data)

    def decode(self, payload: bytes, protocol: int) -> Envelope:
        """The message in a frame.

        Raises:
            WireError: it is not JSON, of another protocol, or not exactly one of the messages.
        """
        data = _parsed(payload)
        spoken = data.get("protocol") if isinstance(data, dict) else None
        if spoken != protocol or isinstance(spoken, bool):
            raise WireError(f"a frame came in that speaks protocol {repr(spoken)[:20]}; agreed is {protocol}")
        return _decoded(self.envelope, data, protocol)


OURS = Dialect()


class Frames:
    """Frames cut out of a stream of bytes, however it arrives in pieces."""

    def __init__(self, bytes_max: int) -> None:
        self.bytes_max = bytes_max
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """These bytes came in."""
        self._buffer += data

    def next(self) -> bytes | None:
        """The next frame; None when it is not complete yet.

        Raises:
            WireError: it is longer than ``bytes_max`` as that is now; nothing after it can be read.
        """
        if len(self._buffer) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > self.bytes_max:
            raise WireError(f"a frame of {length} bytes came in; at most {self.bytes_max} are allowed")
        end = _LENGTH.size + length
        if len(self._buffer) < end:
            return None
        frame = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return frame


def encode_hello(hello: Hello) -> bytes:
    """The frame of the greeting."""
    return frame(codec.encode(hello, Hello))


def decode_hello(payload: bytes) -> Hello:
    """The greeting in a frame, whatever protocols its sender speaks."""
    data = _parsed(payload)
    highest = data.get("highest") if isinstance(data, dict) else None
    if isinstance(highest, int) and highest > PROTOCOL:
        known = {field.name for field in fields(Hello)}
        data = {name: item for name, item in data.items() if name in known}
    return _decoded(Hello, data)


def encode(envelope: Envelope) -> bytes:
    """The frame of the message in our highest protocol, length included."""
    return OURS.encode(envelope, PROTOCOL)


def decode(payload: bytes) -> Envelope:
    """The message in a frame of our highest protocol; see Dialect.decode."""
    return OURS.decode(payload, PROTOCOL)


def frame(data: Any) -> bytes:
    """The data as JSON, its length before it."""
    payload = json.dumps(data, separators=(",", ":"), allow_nan=False).encode("ascii")
    require(len(payload) <= FRAME_BYTES_MAX, f"a message of {len(payload)} bytes does not fit a frame")
    return _LENGTH.pack(len(payload)) + payload


def decoded(kind: type[T], payload: bytes, protocol: int) -> T:
    """The value of this kind in a frame of this protocol, or WireError."""
    return _decoded(kind, _parsed(payload), protocol)


def _parsed(payload: bytes) -> Any:
    try:
        return json.loads(payload.decode("ascii"), parse_constant=_not_finite, parse_float=_finite)
    except RecursionError:
        raise WireError("a frame came in that is nested too deeply") from None
    except ValueError as error:
        raise WireError(f"a frame came in that is not JSON: {error}") from None


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _not_finite(text)


def _not_finite(text: str) -> float:
    raise WireError(f"a frame came in with the number {text[:20]}, which is not finite")


def _span(lowest: int, highest: int) -> str:
    return str(highest) if lowest == highest else f"{lowest} to {highest}"


def _decoded(kind: type[T], data: Any, protocol: int = codec.LATEST) -> T:
    try:
        return codec.decode(kind, data, protocol=protocol)
    except codec.CodecError as error:
        raise WireError(f"a frame came in that is not a message of this protocol: {error}") from None
