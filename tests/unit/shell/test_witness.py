# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The witness and its clients in one process: real TLS over real sockets on the loopback network 127.67.0.0/16."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from holdfast.arbiter import Surroundings, open_arbiter
from holdfast.arbiter.witness import WitnessClient
from holdfast.core.cluster.acceptor import Acceptor
from holdfast.core.values.arbitration import Claim, Question, Renewal, Verdict
from holdfast.core.values.events import Consulted
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Register
from holdfast.core.values.model import Cluster, CommPath, Config, Manual, Witness
from holdfast.errors import RequestError
from holdfast.surface import Surface
from holdfast.transport.identity import Identity, Pki
from holdfast.witness import host, voting
from holdfast.witness.memory import MemoryFile
from holdfast.witness.service import Service
from holdfast.witness.settings import PkiFiles, Settings

T = TypeVar("T")
PATIENCE_S = 8.0
AGAIN_S = 0.4
LEASE = Lease(light_s=2.9, full_s=3.6)
NODES = {"n1": ("127.67.1.1", "127.67.2.1"), "n2": ("127.67.1.2", "127.67.2.2")}
WITNESS = ("127.67.1.21", "127.67.2.21")
MakePki = Callable[..., Pki]


def free_port() -> int:
    with socket.socket() as one:
        one.bind((WITNESS[0], 0))
        return int(one.getsockname()[1])


def config(port: int, name: str = "web") -> Config:
    paths = tuple(
        CommPath(name=path, addresses={node: places[index] for node, places in NODES.items()})
        for index, path in enumerate(("path-a", "path-b"))
    )
    arbiter = Witness(name="w1", addresses={"path-a": WITNESS[0], "path-b": WITNESS[1]}, port=port)
    return Config(cluster=Cluster(name=name, arbiter=arbiter, profile="normal", comm_port=1, comm_paths=paths))


class Folder:
    """The one primitive of the surface that a client of the witness needs."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def local_path(self, path: str) -> Path:
        return self.root / path.replace("\\", "/").replace(":", "")


async def in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


class Node:
    """A node's client, and a way to ask and wait for the answer."""

    def __init__(self, name: str, config: Config, pki: Pki, root: Path, incarnation: int = 1) -> None:
        self.name = name
        self.incarnation = incarnation
        self.answers: list[Consulted] = []
        self.number = 0
        around = Surroundings(
            node=name,
            config=config,
            surface=cast(Surface, Folder(root / f"state-{name}")),
            identity=Identity(pki=pki, in_thread=in_thread),
            in_thread=in_thread,
            on_answer=self.answers.append,
        )
        client = open_arbiter(around)
        assert isinstance(client, WitnessClient)
        self.client = client

    def put(self, question: Question) -> int:
        self.number += 1
        self.client.consult(self.number, question)
        return self.number

    async def ask(self, question: Question) -> Consulted:
        """As the core does it: repeated under new numbers until there is an answer."""
        began = len(self.answers)
        for _attempt in range(round(PATIENCE_S / AGAIN_S)):
            self.put(question)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(AGAIN_S):
                    await until(lambda: len(self.answers) > began)
                    return self.answers[began]
        raise AssertionError(f"no answer to {question}")

    def answer(self, number: int) -> Consulted | None:
        return next((found for found in self.answers if found.number == number), None)

    async def verdict(self, question: Question) -> Verdict:
        """The first answer that is one: while a line is being made anew, there may be none to ask."""
        for _attempt in range(round(PATIENCE_S / AGAIN_S)):
            consulted = await self.ask(question)
            if consulted.verdict is not None:
                return consulted.verdict
            await asyncio.sleep(AGAIN_S / 4)
        raise AssertionError(f"no verdict on {question}: {self.answers[-1].error}")

    def renewal(self, version: int = 0, since: int = 0, **registers: Register) -> Renewal:
        return Renewal(
            node=self.name,
            incarnation=self.incarnation,
            lease=LEASE,
            since=since,
            version=version,
            registers=registers,
        )

    def claim(self, group: str, epoch: int, consent_of: str | None = None) -> Claim:
        return Claim(
            node=self.name,
            incarnation=self.incarnation,
            lease=LEASE,
            group=group,
            epoch=epoch,
            volume=False,
            consent_of=consent_of,
        )

    def connected(self) -> bool:
        return set(self.paths().values()) == {"up"}

    def paths(self) -> dict[str, str]:
        return {path["name"]: path["state"] for path in self.client.state()["paths"]}


async def until(condition: Callable[[], Any], what: str = "") -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"this did not happen: {what}"
        await asyncio.sleep(0.005)


class Scene:
    """A witness and its nodes; every one of them can be stopped and started again."""

    def __init__(self, node_pki: MakePki, root: Path, stack: contextlib.ExitStack) -> None:
        self.port = free_port()
        self.root = root
        self.stack = stack
        self.pki = {name: node_pki(name) for name in ("w1", *NODES)}
        self.service: Service | None = None
        self.state = root / "witness"

    def settings(self) -> Settings:
        pki = self.pki["w1"]
        files = PkiFiles(authority=str(pki.authority), certificate=str(pki.certificate), key=str(pki.key))
        return Settings(
            cluster="web",
            name="w1",
            nodes=tuple(NODES),
            listen=WITNESS,
            port=self.port,
            pki=files,
            state=str(self.state),
        )

    def start(self) -> Service:
        settings = self.settings()
        file = MemoryFile(folder=self.state, cluster="web", name="w1")
        loop = asyncio.get_running_loop()
        votes = host.voting_of(settings, file, loop.time())
        self.service = Service(settings=settings, voting=votes, file=file)
        self.service.start()
        self.stack.callback(self.service.close)
        return self.service

    async def stop(self) -> None:
        """Nothing is being written any more: in one process, the next witness would meet it."""
        service = self.service
        assert service is not None
        await until(lambda: service._writing is None)
        await service._disk.run(lambda: None)
        service.close()

    def node(self, name: str, incarnation: int = 1, pki: Pki | None = None, **changes: Any) -> Node:
        configured = replace(config(self.port), **changes)
        node = Node(name, configured, pki or self.pki[name], self.root, incarnation)
        self.stack.callback(node.client.close)
        return node

    async def voting(self) -> tuple[Node, Node]:
        """Both nodes are there, and the witness votes for them."""
        nodes = self.node("n1"), self.node("n2")
        await until(lambda: not self.state_now()["why_not_voting"], "the witness votes")
        for node in nodes:
            await until(node.connected, "all lines are up")
        return nodes

    def state_now(self) -> Mapping[str, Any]:
        assert self.service is not None
        return self.service.state()

    def refused(self, kind: str) -> int:
        return int(self.state_now()["refused"].get(kind, 0))


@pytest.fixture
def played(node_pki: MakePki, tmp_path: Path) -> Callable[[Callable[[Scene], Awaitable[None]]], None]:
    """Plays a story with a scene in an event loop; nothing is left running."""

    def play(story: Callable[[Scene], Awaitable[None]]) -> None:
        async def whole() -> None:
            with contextlib.ExitStack() as stack:
                await story(Scene(node_pki, tmp_path, stack))
            await asyncio.sleep(0)

        asyncio.run(whole())

    return play


Played = Callable[[Callable[[Scene], Awaitable[None]]], None]


@pytest.fixture(autouse=True)
def _no_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh voter waits TAKE_MAX_S. tests/unit/core/test_acceptor.py has that law; here it would only cost time."""
    monkeypatch.setattr(voting, "Acceptor", lambda registers, now_s: Acceptor(registers=registers, now_s=now_s - 10.0))


# -- confirmation ---------------------------------------------------------------------------------


def test_a_new_witness_votes_when_every_node_has_confirmed_it(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1 = scene.node("n1")
        await until(lambda: n1.paths() == {"path-a": "up", "path-b": "up"})
        verdict = await n1.verdict(n1.renewal())
        assert not verdict.renewed
        assert "not confirmed yet by n2" in verdict.reason

        scene.node("n2")
        await until(lambda: not scene.state_now()["why_not_voting"])
        assert (await n1.verdict(n1.renewal())).renewed
        assert (await n1.verdict(n1.claim("shop", 1))).granted

    played(story)


def test_an_administrator_confirms_it_when_a_node_is_gone(played: Played) -> None:
    async def story(scene: Scene) -> None:
        service = scene.start()
        n1 = scene.node("n1")
        await until(lambda: "up" in n1.paths().values())
        assert service.confirm()
        assert (await n1.verdict(n1.claim("shop", 1))).granted
        assert not service.confirm()

    played(story)


def test_a_wiped_witness_grants_nothing(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, n2 = await scene.voting()
        assert (await n1.verdict(n1.claim("shop", 1))).granted
        await scene.stop()
        shutil.rmtree(scene.state)
        scene.start()
        await until(lambda: "another instance" in n2.client.state()["why"])
        consulted = await n2.ask(n2.claim("shop", 2))
        assert consulted.verdict is None
        assert "another instance" in consulted.error
        assert "accept-witness" in consulted.error
        assert scene.state_now()["why_not_voting"]
        # Also when an administrator of the witness alone has confirmed it.
        assert scene.service is not None
        assert scene.service.confirm()
        assert (await n2.ask(n2.claim("shop", 2))).verdict is None

        for node in (n1, n2):
            instance = scene.state_now()["instance"]
            assert await node.client.accept() == {"instance": instance, "changed": True}
            assert await node.client.accept() == {"instance": instance, "changed": False}
        await until(lambda: not n1.client.state()["why"] and not n2.client.state()["why"])
        assert (await n1.verdict(n1.renewal(1, shop=Register(epoch=1, holder="n1", promised_epoch=1)))).version == 1
        assert not (await n2.verdict(n2.claim("shop", 2))).granted

    played(story)


def test_a_pin_outlives_the_node(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, _n2 = await scene.voting()
        n1.client.close()
        await scene.stop()
        shutil.rmtree(scene.state)
        scene.start()
        again = scene.node("n1", incarnation=2)
        await until(lambda: "another instance" in again.client.state()["why"])

    played(story)


def test_a_pin_file_that_makes_no_sense_confirms_nobody(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        file = Folder(scene.root / "state-n1").local_path(r"C:\ProgramData\Holdfast\state\witness.json")
        file.parent.mkdir(parents=True)
        file.write_bytes(b'{"witnesses": {"w1"')
        n1 = scene.node("n1")
        await until(lambda: "torn or not ours" in n1.client.state()["why"])
        assert (await n1.ask(n1.renewal())).verdict is None
        await until(lambda: n1.client._lines[0].standing is not None)
        await n1.client.accept()
        await until(lambda: not n1.client.state()["why"])

    played(story)


def test_a_witness_whose_disk_was_put_back_becomes_a_new_one(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, _n2 = await scene.voting()
        await scene.stop()
        backup = scene.root / "backup"
        shutil.copytree(scene.state, backup)
        scene.start()
        await until(lambda: not n1.client.state()["why"])
        before = scene.state_now()["instance"]
        assert (await n1.verdict(n1.claim("shop", 1))).granted
        await scene.stop()
        shutil.rmtree(scene.state)
        shutil.copytree(backup, scene.state)
        scene.start()
        await until(lambda: scene.state_now()["instance"] != before, "it notices")
        await until(lambda: "another instance" in n1.client.state()["why"])
        assert scene.refused("put_back") >= 1

    played(story)


# -- durability -----------------------------------------------------------------------------------


def test_promises_outlive_a_restart(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, n2 = await scene.voting()
        assert (await n1.verdict(n1.claim("shop", 1))).granted
        assert (await n2.verdict(n2.claim("shop", 2, consent_of="n1"))).granted
        await scene.stop()
        scene.start()
        await until(lambda: not n1.client.state()["why"])
        verdict = await n1.verdict(n1.claim("shop", 2))
        assert not verdict.granted
        assert verdict.registers["shop"].promised_to == "n2"

    played(story)


def test_nothing_is_answered_before_it_is_on_the_disk(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        service = scene.start()
        n1, n2 = await scene.voting()
        await until(lambda: service._writing is None)
        hold = asyncio.Event()
        write_once = service._write_once

        async def held() -> None:
            await hold.wait()
            await write_once()

        monkeypatch.setattr(service, "_write_once", held)
        writes = service.writes
        numbers = [n1.put(n1.claim(f"g{count}", 1)) for count in range(20)]
        late = n2.put(n2.renewal())
        await asyncio.sleep(0.2)
        assert not any(n1.answer(number) for number in numbers)
        assert n2.answer(late) is None

        hold.set()
        await until(lambda: all(n1.answer(number) for number in numbers) and n2.answer(late))
        assert service.writes - writes <= 2, "answers that wait together share a write"
        before = service.writes
        await n2.verdict(n2.renewal())
        assert service.writes == before, "a renewal that changes nothing needs no write"

    played(story)


def test_a_full_disk_grants_nothing_and_says_so(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        service = scene.start()
        n1, _n2 = await scene.voting()
        await until(lambda: service._writing is None)
        real = service._file.save

        def full(_memory: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(service._file, "save", full)
        number = n1.put(n1.claim("shop", 1))
        await until(lambda: service.trouble)
        assert "No space left" in str(scene.state_now()["warnings"])
        assert n1.answer(number) is None
        monkeypatch.setattr(service._file, "save", real)
        await until(lambda: n1.answer(number) is not None)
        assert not service.trouble

    played(story)


# -- who is refused -------------------------------------------------------------------------------


def test_strangers_are_refused_and_counted(played: Played, foreign_authority: Any) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        # It believes our authority, and shows a certificate of another one.
        foreign = replace(foreign_authority.files(scene.root / "foreign", "n1"), authority=scene.pki["n1"].authority)
        scene.node("n1", pki=foreign)
        await until(lambda: scene.refused("certificate"), "another authority")
        scene.node("n2", cluster=config(scene.port, name="elsewhere").cluster)
        await until(lambda: scene.refused("peer"), "another cluster")
        assert all(not node["confirmed"] for node in scene.state_now()["nodes"])

    played(story)


def test_a_node_speaks_for_itself_only(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, n2 = await scene.voting()
        number = n1.put(n2.claim("shop", 1))
        await until(lambda: scene.refused("foreign"))
        assert n1.answer(number) is None
        assert scene.state_now()["groups"] == []

    played(story)


def test_an_earlier_run_of_a_node_is_refused(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, _n2 = await scene.voting()
        n1.incarnation = 7
        assert (await n1.verdict(n1.renewal())).renewed
        n1.incarnation = 6
        verdict = await n1.verdict(n1.renewal())
        assert not verdict.renewed
        assert "started again since" in verdict.reason
        assert scene.refused("stale") == 1

    played(story)


def test_two_machines_with_one_name_are_noticed(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, _n2 = await scene.voting()
        assert (await n1.verdict(n1.renewal())).renewed
        # A copy of the running machine goes on with the same numbers, and asks for other things.
        n1.number -= 1
        n1.answers.clear()
        verdict = await n1.verdict(n1.claim("shop", 1))
        assert not verdict.renewed
        assert "two machines" in verdict.reason
        assert scene.refused("cloned")

    played(story)


# -- lines ----------------------------------------------------------------------------------------


def test_without_any_line_that_is_the_answer(played: Played) -> None:
    async def story(scene: Scene) -> None:
        n1 = scene.node("n1")
        await until(lambda: "127.67.2.21" in n1.client.state()["why"])
        consulted = await n1.ask(n1.renewal())
        assert consulted.verdict is None
        assert "witness w1: path-a: " in consulted.error
        assert "; path-b: " in consulted.error

    played(story)


def test_a_dead_path_costs_the_other_nothing(played: Played) -> None:
    async def story(scene: Scene) -> None:
        service = scene.start()
        n1, _n2 = await scene.voting()
        service._listeners[0].close()
        for caller in list(service._callers.values()):
            if caller.connection.path == "path-a":
                caller.connection.end("cut")
        await until(lambda: n1.paths() == {"path-a": "down", "path-b": "up"})
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        assert (await n1.verdict(n1.renewal())).renewed
        assert loop.time() - began_s < 0.5
        assert not n1.client.state()["why"]

    played(story)


def test_a_question_is_answered_once(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, _n2 = await scene.voting()
        number = n1.put(n1.claim("shop", 1))
        await until(lambda: n1.answer(number) is not None)
        await asyncio.sleep(0.1)
        assert [found.number for found in n1.answers].count(number) == 1

    played(story)


def test_a_client_that_is_closed_is_silent(played: Played) -> None:
    async def story(scene: Scene) -> None:
        scene.start()
        n1, _n2 = await scene.voting()
        n1.put(n1.renewal())
        n1.client.close()
        await asyncio.sleep(0.1)
        assert n1.answers == []

    played(story)


def test_nobody_can_be_accepted_who_does_not_answer(played: Played, monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        monkeypatch.setattr("holdfast.arbiter.witness.ACCEPT_S", 0.2)
        n1 = scene.node("n1")
        with pytest.raises(RequestError, match="cannot be accepted: it does not answer"):
            await n1.client.accept()

    played(story)


def test_manual_has_no_client(played: Played) -> None:
    async def story(scene: Scene) -> None:
        cluster = replace(config(scene.port).cluster, arbiter=Manual())
        around = Surroundings(
            node="n1",
            config=Config(cluster=cluster),
            surface=cast(Surface, Folder(scene.root)),
            identity=Identity(pki=scene.pki["n1"], in_thread=in_thread),
            in_thread=in_thread,
            on_answer=lambda _answer: None,
        )
        assert open_arbiter(around) is None

    played(story)
