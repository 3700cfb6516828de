# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node and a witness say to each other after their greetings, as frames.

A witness is told apart from one that merely has its name and certificate by its ``instance``, a random number that it
gives itself when it finds no memory, and from an older copy of itself by ``serial``, which counts what it wrote. A
node remembers both, and its Hail confirms them; only then does the witness vote for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ..values.arbitration import Question, Verdict
from . import codec, wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Hail:
    """From a node: this is the instance I know, at this serial number. Answered by Standing; sent from time to time.

    ``instance`` is empty while it knows none. ``session`` is the random name of the client that counts the questions.
    """

    instance: str
    serial: int
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Put:
    """From a node: a question. The same one comes on every path, with the same number."""

    number: int
    question: Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """From the witness: who I am. Sent first, and in answer to Hail. ``reason``: why it does not vote, or empty."""

    instance: str
    serial: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """From the witness: the answer to the question with this number; all behind it is on its disk, at ``serial``."""

    number: int
    serial: int
    verdict: Verdict


ToWitness = Union[Hail, Put]
FromWitness = Union[Standing, Told]


@dataclass(frozen=True, slots=True)
class _Question:
    said: ToWitness


@dataclass(frozen=True, slots=True)
class _Answer:
    said: FromWitness


def encode_to_witness(said: ToWitness, protocol: int) -> bytes:
    """The frame, length included."""
    return wire.frame(codec.encode(_Question(said), _Question, terse=True, protocol=protocol))


def encode_from_witness(said: FromWitness, protocol: int) -> bytes:
    """The frame, length included."""
    return wire.frame(codec.encode(_Answer(said), _Answer, terse=True, protocol=protocol))


def decode_to_witness(payload: bytes, protocol: int) -> ToWitness:
    """What a node said.

    Raises:
        WireError: it is nothing that a node says to a witness.
    """
    return wire.decoded(_Question, payload, protocol).said


def decode_from_witness(payload: bytes, protocol: int) -> FromWitness:
    """What a witness said.

    Raises:
        WireError: it is nothing that a witness says.
    """
    return wire.decoded(_Answer, payload, protocol).said
