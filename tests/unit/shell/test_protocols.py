# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A monitor of this release beside one of the next: protocol N with N + 1, over real TLS on 127.67.0.0/16.

The next protocol is made here: its heartbeats have one field more. What a real next protocol does is the same.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import socket
from collections.abc import Callable
from typing import Any, Union, get_args

import pytest

from holdfast import PROTOCOL
from holdfast.core.values.events import PathDown, PathUp, Received
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Ask, Envelope, Heartbeat, Message
from holdfast.core.values.model import Cluster, CommPath, Manual
from holdfast.core.wire import codec, wire
from holdfast.errors import WireError
from holdfast.transport.comm_paths import CommPaths
from holdfast.transport.identity import Contexts, Identity, Pki
from holdfast.transport.timing import Timing

NEXT = PROTOCOL + 1
DEADLINES = Timing(
    silence_s=0.8, connect_s=0.5, greet_s=0.6, redial_s=0.02, redial_s_max=0.1, rebind_s=0.05, relisten_s=0.3
)
BEAT = Heartbeat(
    count=1,
    config_digest="d",
    ground="g",
    arbiter="manual",
    version="0.2.0",
    lease=Lease(light_s=2.9, full_s=3.6),
    news=0,
    has=0,
)
Moody: Any = dataclasses.make_dataclass(
    "Heartbeat",
    [("mood", str, dataclasses.field(default="unknown", metadata=codec.since(NEXT)))],
    bases=(Heartbeat,),
    frozen=True,
    slots=True,
    kw_only=True,
)
others = tuple(member for member in get_args(Message) if member is not Heartbeat)
NextEnvelope: Any = dataclasses.make_dataclass(
    "Envelope", [("message", Union[(Moody, *others)])], bases=(Envelope,), frozen=True, slots=True, kw_only=True
)


class NextDialect(wire.Dialect):
    """The next release: its core would fill in the new field; here that is done on the way out."""

    __slots__ = ()

    def encode(self, envelope: Envelope, protocol: int) -> bytes:
        message: Any = envelope.message
        if type(message) is Heartbeat:
            values = {f.name: getattr(message, f.name) for f in dataclasses.fields(message)}
            message = Moody(**values, mood="calm")
        return super().encode(dataclasses.replace(envelope, message=message), protocol)


THIS = wire.OURS
LATER = NextDialect(lowest=PROTOCOL, highest=NEXT, envelope=NextEnvelope)
FAR = NextDialect(lowest=NEXT, highest=NEXT + 1, envelope=NextEnvelope)


def said(message: Any) -> Envelope:
    return Envelope(sender="n1", boot_id="b", incarnation=1, seq=1, message=message)


def payload(frame: bytes) -> bytes:
    frames = wire.Frames(wire.FRAME_BYTES_MAX)
    frames.feed(frame)
    only = frames.next()
    assert only is not None
    return only


def test_a_field_of_a_later_protocol_is_left_out_for_a_peer_that_speaks_an_earlier_one() -> None:
    assert "mood" not in json.loads(payload(LATER.encode(said(BEAT), PROTOCOL)))["message"]
    assert json.loads(payload(LATER.encode(said(BEAT), NEXT)))["message"]["mood"] == "calm"


def test_a_field_of_a_later_protocol_has_its_default_when_an_earlier_one_was_agreed() -> None:
    heard: Any = LATER.decode(payload(THIS.encode(said(BEAT), PROTOCOL)), PROTOCOL).message
    assert heard.mood == "unknown"
    data = json.loads(payload(LATER.encode(said(BEAT), NEXT)))
    heard = LATER.decode(json.dumps({**data, "protocol": PROTOCOL}).encode(), PROTOCOL).message
    assert heard.mood == "unknown"


def test_a_field_that_no_protocol_has_is_refused_still() -> None:
    data = json.loads(payload(LATER.encode(said(BEAT), NEXT)))
    with pytest.raises(WireError, match="mood: is no field of Heartbeat"):
        THIS.decode(json.dumps({**data, "protocol": PROTOCOL}).encode(), PROTOCOL)
    with pytest.raises(WireError, match=f"speaks protocol {NEXT}; agreed is {PROTOCOL}"):
        THIS.decode(json.dumps(data).encode(), PROTOCOL)


def test_a_later_field_without_a_default_is_our_bug() -> None:
    broken: Any = dataclasses.make_dataclass(
        "Broken", [("mood", str, dataclasses.field(metadata=codec.since(NEXT)))], kw_only=True
    )
    with pytest.raises(Exception, match="mood, which protocol 2 added, needs a default"):
        codec.encode(broken(mood="calm"), broken)


@pytest.mark.parametrize(
    ("mine", "theirs", "agreed"),
    [((1, 2), (1, 3), 2), ((1, 2), (2, 3), 2), ((2, 3), (1, 2), 2), ((1, 1), (2, 3), 0), ((3, 4), (1, 2), 0)],
)
def test_both_use_the_highest_that_both_speak(mine: tuple[int, int], theirs: tuple[int, int], agreed: int) -> None:
    hello = wire.Hello(cluster="web", sender="n2", path="path-a", lowest=theirs[0], highest=theirs[1])
    assert wire.Dialect(lowest=mine[0], highest=mine[1]).agreed(hello) == agreed


def test_the_greeting_of_a_later_monitor_is_readable_whatever_it_added() -> None:
    hello = {"cluster": "web", "sender": "n2", "path": "p", "refused": "", "lowest": 2, "highest": 9, "colour": "red"}
    assert wire.decode_hello(json.dumps(hello).encode()).highest == 9
    with pytest.raises(WireError, match="colour"):
        wire.decode_hello(json.dumps({**hello, "lowest": 1, "highest": 1}).encode())


# -- two monitors' comm paths ---------------------------------------------------------------------------------------


class Node:
    """The comm paths of one node, and what they told."""

    def __init__(self, name: str, pki: Pki, dialect: wire.Dialect) -> None:
        self.name = name
        self.events: list[Any] = []
        self.downs: list[PathDown] = []
        self.troubles: dict[tuple[str, str], str] = {}
        self.seq = 0
        identity = Identity(pki=pki, in_thread=_in_thread)
        self.paths = CommPaths(identity=identity, on_event=self.events.append, deadlines=DEADLINES, dialect=dialect)

    async def keep_beating(self, peer: str) -> None:
        while True:
            self.seq += 1
            envelope = Envelope(sender=self.name, boot_id="b", incarnation=1, seq=self.seq, message=BEAT)
            self.paths.beat(peer, "path-a", envelope)
            await asyncio.sleep(0.05)

    def heard(self, kind: type) -> list[Any]:
        messages = [event.envelope.message for event in self.events if isinstance(event, Received)]
        return [message for message in messages if isinstance(message, kind)]


async def _in_thread(work: Callable[[], Contexts]) -> Contexts:
    return await asyncio.to_thread(work)


def _cluster() -> Cluster:
    with socket.socket() as probe:
        probe.bind(("127.67.1.2", 0))
        port = int(probe.getsockname()[1])
    path = CommPath(name="path-a", addresses={"n1": "127.67.1.1", "n2": "127.67.1.2"})
    return Cluster(name="web", arbiter=Manual(), profile="normal", comm_port=port, comm_paths=(path,))


def together(
    node_pki: Any, first: wire.Dialect, second: wire.Dialect, done: Callable[[Node, Node], bool]
) -> list[Node]:
    """n1 and n2 with these dialects, run until ``done``; n1 has asked n2 for a group."""

    async def story() -> list[Node]:
        wanted = _cluster()
        nodes = [Node("n1", node_pki("n1"), first), Node("n2", node_pki("n2"), second)]
        tasks = []
        try:
            for node, peer in zip(nodes, ("n2", "n1"), strict=True):
                node.paths.configure(node.name, wanted)
                tasks.append(asyncio.ensure_future(node.keep_beating(peer)))
            for _unused in range(1000):
                if done(*nodes):
                    for node in nodes:
                        node.downs = [event for event in node.events if isinstance(event, PathDown)]
                        node.troubles = dict(node.paths.troubles())
                    return nodes
                ask = Ask(request="r", group="shop", epoch=1)
                nodes[0].paths.send("n2", dataclasses.replace(said(ask), seq=10_000 + _unused))
                await asyncio.sleep(0.01)
            raise AssertionError([node.events for node in nodes])
        finally:
            for task in tasks:
                task.cancel()
            for node in nodes:
                node.paths.close()
            await asyncio.sleep(0.02)

    return asyncio.run(story())


@pytest.mark.parametrize("dialects", [(THIS, LATER), (LATER, THIS)], ids=["this calls the next", "the next calls this"])
def test_a_monitor_works_with_one_of_the_next_release(node_pki: Any, dialects: tuple[Any, Any]) -> None:
    n1, n2 = together(
        node_pki, *dialects, lambda a, b: bool(a.heard(Heartbeat) and b.heard(Heartbeat) and b.heard(Ask))
    )
    for node, dialect in zip((n1, n2), dialects, strict=True):
        assert node.downs == []
        assert node.paths.counters == {}
        moods = {getattr(beat, "mood", "has none") for beat in node.heard(Heartbeat)}
        assert moods == {"unknown" if dialect is LATER else "has none"}


def test_two_monitors_of_the_next_release_use_what_it_added(node_pki: Any) -> None:
    nodes = together(node_pki, LATER, LATER, lambda a, b: bool(a.heard(Heartbeat) and b.heard(Heartbeat)))
    assert {beat.mood for node in nodes for beat in node.heard(Heartbeat)} == {"calm"}


def test_monitors_with_no_protocol_in_common_refuse_each_other_and_both_say_so(node_pki: Any) -> None:
    def both_know(a: Node, b: Node) -> bool:
        return all(
            "upgrade" in node.paths.troubles().get((peer, "path-a"), "") for node, peer in ((a, "n2"), (b, "n1"))
        )

    n1, n2 = together(node_pki, THIS, FAR, both_know)
    assert not any(isinstance(event, PathUp) for event in [*n1.events, *n2.events])
    for node, peer in ((n1, "n2"), (n2, "n1")):
        assert node.paths.counters["protocol"] > 0
        wanted = f"n1 speaks protocol {PROTOCOL} and n2 {NEXT} to {NEXT + 1}; upgrade n1 with role monitor"
        assert node.troubles[peer, "path-a"].endswith(wanted)
