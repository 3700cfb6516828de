# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Comm paths between two nodes in one process: real TLS over real sockets on the loopback network 127.66.0.0/16."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from holdfast.core.values.events import Event, PathDown, PathUp, Received
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Ask, Envelope, Forward, Heartbeat, Message
from holdfast.core.values.model import Cluster, CommPath, Manual
from holdfast.core.wire import wire
from holdfast.transport.comm_paths import CommPaths
from holdfast.transport.identity import Contexts, Identity, Pki
from holdfast.transport.outbox import Outbox
from holdfast.transport.routes import routes
from holdfast.transport.timing import Timing, timing

LEASE = Lease(light_s=2.9, full_s=3.6)
DEADLINES = Timing(
    silence_s=0.6,
    connect_s=0.5,
    greet_s=0.6,
    redial_s=0.02,
    redial_s_max=0.1,
    rebind_s=0.05,
    relisten_s=0.3,
)
PATIENCE_S = 8.0
Story = Callable[[contextlib.AsyncExitStack], Awaitable[None]]
ADDRESSES = {"n1": ("127.66.1.1", "127.66.2.1"), "n2": ("127.66.1.2", "127.66.2.2")}


def free_port() -> int:
    """A port that is free now on every address used here."""
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(socket.socket())
        first.bind(("127.66.1.2", 0))
        return int(first.getsockname()[1])


def cluster(port: int, name: str = "web", **addresses: tuple[str, ...]) -> Cluster:
    used = {**ADDRESSES, **addresses}
    paths = [
        CommPath(name=path, addresses={node: places[index] for node, places in used.items() if places})
        for index, path in enumerate(("path-a", "path-b"))
    ]
    return Cluster(name=name, arbiter=Manual(), profile="normal", comm_port=port, comm_paths=tuple(paths))


async def in_thread(work: Callable[[], Contexts]) -> Contexts:
    return await asyncio.to_thread(work)


class Node:
    """One end: its comm paths, and every event they told, in order."""

    def __init__(self, name: str, pki: Pki, deadlines: Timing = DEADLINES) -> None:
        self.name = name
        self.events: list[Event] = []
        self.identity = Identity(pki=pki, in_thread=in_thread)
        self.arrived = asyncio.Event()
        self.paths = CommPaths(identity=self.identity, on_event=self.note, deadlines=deadlines)
        self.seq = 0
        self.beats = True

    def note(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Received) and isinstance(event.envelope.message, Ask):
            self.arrived.set()

    def say(self, message: Message) -> Envelope:
        self.seq += 1
        return Envelope(sender=self.name, boot_id="b", incarnation=1, seq=self.seq, message=message)

    def ask(self, peer: str, group: str) -> None:
        self.paths.send(peer, self.say(Ask(request="r", group=group, epoch=1)))

    def beat(self, peer: str, path: str) -> None:
        message = Heartbeat(
            count=self.seq, config_digest="d", ground="g", arbiter="manual", version="0.1.0", lease=LEASE, news=0, has=0
        )
        self.paths.beat(peer, path, self.say(message))

    async def keep_beating(self) -> None:
        while self.beats:
            for peer, path in list(self.paths._links):
                self.beat(peer, path)
            await asyncio.sleep(0.1)

    def up(self) -> set[str]:
        ups: set[str] = set()
        for event in self.events:
            if isinstance(event, PathUp):
                ups.add(event.path)
            if isinstance(event, PathDown):
                ups.discard(event.path)
        return ups

    def groups_asked(self, path: str) -> list[str]:
        return [
            event.envelope.message.group
            for event in self.events
            if isinstance(event, Received) and event.path == path and isinstance(event.envelope.message, Ask)
        ]

    def downs(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, PathDown)]


async def until(condition: Callable[[], Any], what: str = "") -> None:
    """The condition is true now, or the test fails after PATIENCE_S."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"not within {PATIENCE_S} s: {what}"
        await asyncio.sleep(0.005)


@pytest.fixture
def run() -> Callable[[Story], None]:
    """Runs a story in an event loop of its own; whatever it opened on the stack is closed at the end."""

    def run_story(story: Story) -> None:
        async def whole() -> None:
            async with asyncio.timeout(30), contextlib.AsyncExitStack() as stack:
                await story(stack)

        asyncio.run(whole())

    return run_story


async def opened(stack: contextlib.AsyncExitStack, node: Node, wanted: Cluster) -> Node:
    """The node runs until the end of the story and sends heartbeats as the core would."""
    node.paths.configure(node.name, wanted)
    beating = asyncio.ensure_future(node.keep_beating())

    async def close() -> None:
        beating.cancel()
        node.paths.close()
        await asyncio.sleep(0.01)

    stack.push_async_callback(close)
    return node


async def listening(address: str, port: int) -> None:
    """Somebody listens there now."""
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError):
            _, writer = await asyncio.open_connection(address, port)
            writer.close()
            return
        await asyncio.sleep(0.01)
    raise AssertionError(f"nobody listens on {address} port {port}")


class Relay:
    """Stands between the nodes on one path: passes bytes, or swallows them as a dead network does."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.open.set()
        self.passed = 0
        self.tasks: set[asyncio.Task[None]] = set()
        self.server: asyncio.Server | None = None

    async def start(self, listen: tuple[str, int], target: tuple[str, int]) -> None:
        self.target = target
        self.server = await asyncio.start_server(self.serve, *listen)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward = await asyncio.open_connection(*self.target)
        except OSError:
            writer.close()
            return
        for source, sink in ((reader, onward[1]), (onward[0], writer)):
            task = asyncio.ensure_future(self.pump(source, sink))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    async def pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(sink):
            while data := await source.read(65536):
                await self.open.wait()
                self.passed += len(data)
                sink.write(data)

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.sleep(0.01)


def test_messages_go_on_all_paths_and_heartbeats_on_the_one_named(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1, n2 = Node("n1", node_pki("n1")), Node("n2", node_pki("n2"))
        for node in (n1, n2):
            node.beats = False
            await opened(stack, node, wanted)
        await until(lambda: n1.up() == n2.up() == {"path-a", "path-b"}, "all paths up on both nodes")
        n1.ask("n2", "shop")
        n2.ask("n1", "docs")
        n1.beat("n2", "path-b")
        await until(lambda: len(n2.events) == 5 and len(n1.events) == 4)
        assert n2.groups_asked("path-a") == n2.groups_asked("path-b") == ["shop"]
        assert n1.groups_asked("path-a") == n1.groups_asked("path-b") == ["docs"]
        beats = [e for e in n2.events if isinstance(e, Received) and isinstance(e.envelope.message, Heartbeat)]
        assert [(e.peer, e.path) for e in beats] == [("n1", "path-b")]
        assert n1.paths.troubles() == n2.paths.troubles() == {}

    run(story)


def test_a_message_takes_about_a_millisecond(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1 = await opened(stack, Node("n1", node_pki("n1")), wanted)
        n2 = await opened(stack, Node("n2", node_pki("n2")), wanted)
        await until(lambda: len(n1.up() & n2.up()) == 2)
        took = []
        loop = asyncio.get_running_loop()
        for number in range(50):
            n2.arrived.clear()
            began = loop.time()
            n1.ask("n2", f"g{number}")
            await n2.arrived.wait()
            took.append(loop.time() - began)
            await asyncio.sleep(0.005)
        assert sorted(took)[12] < 0.002, "the quicker quarter: this machine may be busy with something else"

    run(story)


def test_a_peer_of_another_authority_never_comes_up_and_is_counted(
    run: Any, node_pki: Any, foreign_authority: Any, tmp_path: Path
) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        foreign = foreign_authority.files(tmp_path / "foreign", "n1")
        n1 = await opened(stack, Node("n1", foreign), wanted)
        n2 = await opened(stack, Node("n2", node_pki("n2")), wanted)
        await until(lambda: n1.paths.counters["certificate"] >= 2 and n2.paths.counters["handshake"] >= 0)
        await until(lambda: "certificate is refused" in n1.paths.troubles().get(("n2", "path-a"), ""))
        assert n1.events == n2.events == []

    run(story)


def test_a_caller_with_a_foreign_certificate_is_refused_by_the_listener(
    run: Any, node_pki: Any, foreign_authority: Any, tmp_path: Path
) -> None:
    """The caller believes our authority, so that the listener is the one who has to say no."""

    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        foreign = foreign_authority.files(tmp_path / "foreign", "n1")
        foreign.authority.write_bytes(node_pki("unused").authority.read_bytes())
        n1 = await opened(stack, Node("n1", foreign), wanted)
        n2 = await opened(stack, Node("n2", node_pki("n2")), wanted)
        await until(lambda: n2.paths.counters["certificate"] >= 2)
        assert n1.events == n2.events == []

    run(story)


@pytest.mark.parametrize("shown", ["n3", "N1"])
def test_a_certificate_of_our_authority_for_another_name_is_refused(
    run: Any, authority: Any, node_pki: Any, tmp_path: Path, shown: str
) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1 = await opened(stack, Node("n1", authority.files(tmp_path / "wrong", shown)), wanted)
        n2 = await opened(stack, Node("n2", node_pki("n2")), wanted)
        await until(lambda: n2.paths.counters["peer"] >= 2)
        said = f"its certificate is of {shown}, not of n1"
        await until(lambda: said in n1.paths.troubles()[("n2", "path-a")], "the caller knows why")
        assert n1.events == n2.events == []

    run(story)


def test_the_caller_refuses_a_listener_with_the_wrong_name(
    run: Any, authority: Any, node_pki: Any, tmp_path: Path
) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1 = await opened(stack, Node("n1", node_pki("n1")), wanted)
        n2 = await opened(stack, Node("n2", authority.files(tmp_path / "wrong", "n9")), wanted)
        await until(lambda: n1.paths.counters["peer"] >= 2)
        assert "its certificate is of n9, not of n2" in n1.paths.troubles()[("n2", "path-a")]
        assert n1.events == n2.events == []

    run(story)


def test_nodes_of_different_clusters_do_not_talk(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        port = free_port()
        n1 = await opened(stack, Node("n1", node_pki("n1")), cluster(port, name="other"))
        n2 = await opened(stack, Node("n2", node_pki("n2")), cluster(port))
        await until(lambda: n2.paths.counters["peer"] >= 2)
        said = "n1 is of cluster other; this is cluster web"
        await until(lambda: said in n1.paths.troubles()[("n2", "path-a")])
        assert n1.events == n2.events == []

    run(story)


def test_a_node_that_was_removed_is_refused_counted_and_shown_until_it_is_one_again(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        port = free_port()
        whole = cluster(port)
        without = cluster(port, n0=("127.66.1.3", "127.66.2.3"), n1=())
        n1 = await opened(stack, Node("n1", node_pki("n1")), whole)
        n2 = await opened(stack, Node("n2", node_pki("n2")), without)
        await until(lambda: n2.paths.counters["peer"] >= 2)
        assert n2.paths.strangers() == ["n1"]
        said = "n2 refuses: cluster web on n2 has no path path-a from n1"
        await until(lambda: said in n1.paths.troubles()[("n2", "path-a")])
        assert n1.events == n2.events == []

        n2.paths.configure("n2", whole)
        await until(lambda: n2.up() == {"path-a", "path-b"})
        assert n2.paths.strangers() == []

    run(story)


def test_noise_on_the_port_is_counted_and_hurts_nobody(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n2 = await opened(stack, Node("n2", node_pki("n2")), wanted)
        place = ("127.66.1.2", wanted.comm_port)
        await listening(*place)
        for noise in (b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01", b""):
            _, writer = await asyncio.open_connection(*place)
            writer.write(noise)
            writer.close()
        idle = [await asyncio.open_connection(*place) for _ in range(8)]
        n1 = await opened(stack, Node("n1", node_pki("n1")), wanted)
        await until(lambda: n1.up() == {"path-a", "path-b"})
        await until(lambda: n2.paths.counters["certificate"] >= 1 and n2.paths.counters["handshake"] >= 8)
        for _, writer in idle:
            writer.close()

    run(story)


def test_a_member_that_sends_nonsense_is_counted_and_the_path_stays(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1 = await opened(stack, Node("n1", node_pki("n1")), wanted)
        n2 = await opened(stack, Node("n2", node_pki("n2")), wanted)
        await until(lambda: len(n1.up() & n2.up()) == 2)
        link = n1.paths._links["n2", "path-a"]
        assert link.connection is not None
        link.connection.send(b"\x00\x00\x00\x02{}")
        stolen = replace(n1.say(Ask(request="r", group="shop", epoch=1)), sender="n2")
        link.connection.send(wire.encode(stolen))
        await until(lambda: n2.paths.counters["message"] == 2)
        n1.ask("n2", "shop")
        await until(lambda: n2.groups_asked("path-a") == ["shop"])
        assert n2.downs() == []
        link.connection.send(b"\xff\xff\xff\xff")
        await until(lambda: n2.downs() and "4294967295 bytes" in n2.downs()[0])
        await until(lambda: n1.up() == n2.up() == {"path-a", "path-b"}, "and a new connection follows")

    run(story)


def test_a_black_hole_ends_its_own_connection_and_delays_no_other(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        port = free_port()
        relay = Relay()
        await relay.start(("127.66.1.9", port), ("127.66.1.2", port))
        stack.push_async_callback(relay.stop)
        n1 = await opened(stack, Node("n1", node_pki("n1")), cluster(port, n2=("127.66.1.9", "127.66.2.2")))
        n2 = await opened(stack, Node("n2", node_pki("n2")), cluster(port))
        await until(lambda: n1.up() == n2.up() == {"path-a", "path-b"})
        relay.open.clear()
        loop = asyncio.get_running_loop()
        slowest = 0.0
        for number in range(40):
            began = loop.time()
            n2.arrived.clear()
            n1.ask("n2", f"g{number}")
            await n2.arrived.wait()
            slowest = max(slowest, loop.time() - began)
            await asyncio.sleep(0.04)
        assert slowest < DEADLINES.silence_s - 0.1
        assert "path-a" not in n1.up() | n2.up()
        assert "path-b" in n1.up() & n2.up()
        assert n1.downs()[0].startswith("nothing heard for 0.")
        assert n2.groups_asked("path-a") == []
        relay.open.set()
        await until(lambda: n1.up() == n2.up() == {"path-a", "path-b"}, "the path comes back by itself")

    run(story)


def test_a_full_queue_ends_the_connection_of_a_peer_that_does_not_read(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        port = free_port()
        relay = Relay()
        await relay.start(("127.66.1.9", port), ("127.66.1.2", port))
        stack.push_async_callback(relay.stop)
        patient = replace(DEADLINES, silence_s=60.0)
        n1 = Node("n1", node_pki("n1"), patient)
        await opened(stack, n1, cluster(port, n2=("127.66.1.9", "127.66.2.2")))
        await opened(stack, Node("n2", node_pki("n2"), patient), cluster(port))
        await until(lambda: n1.up() == {"path-a", "path-b"})
        relay.open.clear()
        big = Forward(request="r", verb="v", args={"text": "x" * 2_000_000})
        for _ in range(40):
            n1.paths.send("n2", n1.say(big))
            await asyncio.sleep(0.01)
            if n1.downs():
                break
        assert "does not take its messages" in n1.downs()[0]
        assert "path-b" in n1.up()

    run(story)


def test_a_node_that_stops_is_noticed_and_found_again_when_it_returns(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1 = await opened(stack, Node("n1", node_pki("n1")), wanted)
        pki = node_pki("n2")
        n2 = await opened(stack, Node("n2", pki), wanted)
        await until(lambda: len(n1.up() & n2.up()) == 2)
        n2.paths.close()
        await until(lambda: n1.up() == set() and len(n1.downs()) == 2)
        assert {event.reason for event in n2.events if isinstance(event, PathDown)} == {
            "the configuration of this comm path changed"
        }
        again = await opened(stack, Node("n2", pki), wanted)
        await until(lambda: n1.up() == again.up() == {"path-a", "path-b"})

    run(story)


def test_a_listener_waits_for_its_address_or_port_to_come(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        port = free_port()
        squatter = socket.create_server(("127.66.1.2", port))
        with contextlib.closing(squatter):
            n2 = await opened(stack, Node("n2", node_pki("n2")), cluster(port))
            n1 = await opened(stack, Node("n1", node_pki("n1")), cluster(port))
            await until(lambda: n2.up() == {"path-b"})
            assert "cannot listen on 127.66.1.2" in n2.paths.troubles()["n1", "path-a"]
        await until(lambda: n1.up() == n2.up() == {"path-a", "path-b"})

    run(story)


def test_an_address_that_is_not_on_this_machine_is_waited_for(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        port = free_port()
        elsewhere = cluster(port, n2=("192.0.2.7", "127.66.2.2"))
        n2 = await opened(stack, Node("n2", node_pki("n2")), elsewhere)
        n1 = await opened(stack, Node("n1", node_pki("n1")), elsewhere)
        await until(lambda: n1.up() == n2.up() == {"path-b"})
        await until(lambda: "192.0.2.7" in n2.paths.troubles()["n1", "path-a"])
        for node in (n1, n2):
            node.paths.configure(node.name, cluster(port))
        await until(lambda: n1.up() == n2.up() == {"path-a", "path-b"})
        assert n1.downs() == n2.downs() == [], "the path that did not change stayed up"

    run(story)


def test_connections_follow_an_address_that_changes_and_the_other_path_stays(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        port = free_port()
        n1 = await opened(stack, Node("n1", node_pki("n1")), cluster(port))
        n2 = await opened(stack, Node("n2", node_pki("n2")), cluster(port))
        await until(lambda: len(n1.up() & n2.up()) == 2)
        moved = cluster(port, n1=("127.66.3.1", "127.66.2.1"), n2=("127.66.3.2", "127.66.2.2"))
        n1.paths.configure("n1", moved)
        assert n1.up() == {"path-b"}
        n2.paths.configure("n2", moved)
        await until(lambda: n1.up() == n2.up() == {"path-a", "path-b"})
        link = n1.paths._links["n2", "path-a"]
        assert link.connection is not None
        assert link.connection._transport is not None
        assert link.connection._transport.get_extra_info("sockname")[0] == "127.66.3.1"
        assert link.connection._transport.get_extra_info("peername")[0] == "127.66.3.2"

    run(story)


def test_a_rotated_certificate_counts_from_the_next_connection_on(
    run: Any, node_pki: Any, foreign_authority: Any, tmp_path: Path
) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1_pki, n2_pki = node_pki("n1"), node_pki("n2")
        both = n1_pki.authority.read_bytes() + foreign_authority.files(tmp_path / "f", "n1").authority.read_bytes()
        n1_pki.authority.write_bytes(both)
        n1 = await opened(stack, Node("n1", n1_pki), wanted)
        n2 = await opened(stack, Node("n2", n2_pki), wanted)
        await until(lambda: len(n1.up() & n2.up()) == 2)
        fresh = foreign_authority.files(tmp_path / "fresh", "n2")
        n2_pki.certificate.write_bytes(fresh.certificate.read_bytes())
        n2_pki.key.write_bytes(fresh.key.read_bytes())
        await asyncio.sleep(0.1)
        assert n1.downs() == [], "the running connections are not touched"
        first = n1.paths._links["n2", "path-a"].connection
        assert first is not None
        first.end("for the test")
        await until(lambda: n1.up() == {"path-a", "path-b"})
        second = n1.paths._links["n2", "path-a"].connection
        assert second is not None
        assert second._transport is not None
        issuer = second._transport.get_extra_info("peercert")["issuer"]
        assert issuer == ((("commonName", "cluster elsewhere"),),)

    run(story)


def test_half_written_certificate_files_leave_the_last_good_ones_in_use(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1 = await opened(stack, Node("n1", node_pki("n1")), wanted)
        n2_pki = node_pki("n2")
        n2 = await opened(stack, Node("n2", n2_pki), wanted)
        await until(lambda: len(n1.up() & n2.up()) == 2)
        n2_pki.certificate.write_bytes(b"-----BEGIN CERT")
        for path in ("path-a", "path-b"):
            link = n2.paths._links["n1", path]
            assert link.connection is not None
            link.connection.end("for the test")
        await until(lambda: n1.up() == n2.up() == {"path-a", "path-b"})

    run(story)


def test_certificate_files_on_a_hung_disk_delay_a_new_connection_by_a_bounded_time(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        hung = asyncio.Event()
        hung.set()

        async def slow(work: Callable[[], Contexts]) -> Contexts:
            contexts = work()
            await hung.wait()
            return contexts

        n1 = Node("n1", node_pki("n1"), replace(DEADLINES, identity_s=0.1))
        n1.identity._in_thread = slow
        await opened(stack, n1, wanted)
        n2 = await opened(stack, Node("n2", node_pki("n2")), wanted)
        await until(lambda: len(n1.up() & n2.up()) == 2)
        hung.clear()
        link = n1.paths._links["n2", "path-a"]
        assert link.connection is not None
        link.connection.end("for the test")
        await until(lambda: len(n1.up() & n2.up()) == 2)
        hung.set()

    run(story)


def test_an_expired_certificate_is_refused(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n1 = await opened(stack, Node("n1", node_pki("n1")), wanted)
        await opened(stack, Node("n2", node_pki("n2", days=-1)), wanted)
        await until(lambda: "has expired" in n1.paths.troubles()["n2", "path-a"])
        assert n1.events == []

    run(story)


def test_only_tls_1_3_is_spoken(run: Any, node_pki: Any) -> None:
    async def story(stack: contextlib.AsyncExitStack) -> None:
        wanted = cluster(free_port())
        n2 = await opened(stack, Node("n2", node_pki("n2")), wanted)
        pki = node_pki("n1")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname = False
        old.verify_mode = ssl.CERT_NONE
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.load_cert_chain(pki.certificate, pki.key)
        await listening("127.66.1.2", wanted.comm_port)
        with pytest.raises((ssl.SSLError, ConnectionResetError)):
            await asyncio.open_connection("127.66.1.2", wanted.comm_port, ssl=old)
        await until(lambda: n2.paths.counters["certificate"] == 1)

    run(story)


def test_of_a_pair_the_node_that_sorts_first_dials() -> None:
    three = cluster(7430, n3=("127.66.1.3", "127.66.2.3"))
    dials = {node: {r.peer for r in routes(node, three).values() if r.dials} for node in three.nodes}
    assert dials == {"n1": {"n2", "n3"}, "n2": {"n3"}, "n3": set()}
    route = routes("n1", three)["n2", "path-b"]
    assert (route.local, route.remote, route.port) == ("127.66.2.1", "127.66.2.2", 7430)
    assert routes("elsewhere", three) == {}


def test_the_outbox_keeps_messages_in_order_and_only_the_latest_heartbeat() -> None:
    outbox = Outbox(bytes_max=10)
    outbox.put_heartbeat(b"beat 1")
    assert outbox.put(b"12345")
    assert outbox.put(b"6789")
    assert not outbox.put(b"ab"), "two more bytes would be eleven"
    outbox.put_heartbeat(b"beat 2")
    assert [outbox.take() for _ in range(4)] == [b"12345", b"6789", b"beat 2", None]
    assert outbox.put(b"1234567890"), "and there is room again"


def test_silence_ends_a_connection_only_after_the_core_called_the_path_down() -> None:
    assert timing("fast").silence_s == 1.6
    assert timing("normal").silence_s == 2.0
    assert timing("vm").silence_s == 4.0
