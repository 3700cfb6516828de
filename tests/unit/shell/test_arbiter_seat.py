# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place of the arbiter in a monitor follows the configuration, and disturbs nothing that did not change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

import pytest

from holdfast.arbiter import ArbiterPort, Surroundings, seat
from holdfast.core.values.arbitration import Claim, Question, Verdict
from holdfast.core.values.events import Consulted
from holdfast.core.values.lease import Lease
from holdfast.core.values.model import Arbiter, Cluster, CommPath, Config, Ip, Lan, Manual, Share, Witness
from holdfast.errors import RequestError
from holdfast.surface import Surface
from holdfast.transport.identity import Identity

T = TypeVar("T")
PATH = CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"})
QUESTION = Claim(node="n1", incarnation=1, lease=Lease(light_s=1.0, full_s=2.0), group="shop", epoch=1, volume=False)
IP = Ip(tag="ip-shop", address="10.77.0.113", prefix_length=24, interfaces={}, priorities={"n1": 1, "n2": 2})


def config(arbiter: Arbiter, **more: Any) -> Config:
    cluster = Cluster(name="web", arbiter=arbiter, profile="normal", comm_port=7430, comm_paths=(PATH,))
    return Config(cluster=cluster, **more)


class Port:
    """An arbiter that remembers what it was asked."""

    def __init__(self, around: Surroundings) -> None:
        self.around = around
        self.asked: list[int] = []
        self.closed = False

    def consult(self, number: int, question: Question) -> None:
        del question
        self.asked.append(number)
        self.around.on_answer(Consulted(number=number, verdict=Verdict()))

    def state(self) -> Mapping[str, Any]:
        return {"kind": self.around.config.cluster.arbiter.kind, "reachable": True, "why": ""}

    def close(self) -> None:
        self.closed = True


class Scene:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.opened: list[Port] = []
        self.answers: list[Consulted] = []
        monkeypatch.setattr(seat, "open_arbiter", self.open)
        nobody = cast(Surface, None)

        async def in_thread(work: Callable[[], T]) -> T:
            return work()

        self.seat = seat.ArbiterSeat(
            surface=nobody, identity=cast(Identity, None), in_thread=in_thread, on_answer=self.answers.append
        )

    def open(self, around: Surroundings) -> ArbiterPort | None:
        if isinstance(around.config.cluster.arbiter, Manual):
            return None
        self.opened.append(Port(around))
        return self.opened[-1]


def play(monkeypatch: pytest.MonkeyPatch, story: Callable[[Scene], Awaitable[None]]) -> None:
    async def whole() -> None:
        await story(Scene(monkeypatch))

    asyncio.run(whole())


WITNESS = Witness(name="w1", addresses={"path-a": "10.77.1.21"}, port=7431)


def test_the_configured_arbiter_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        scene.seat.configure("n1", config(WITNESS))
        scene.seat.consult(5, QUESTION)
        assert scene.opened[0].asked == [5]
        assert [answer.number for answer in scene.answers] == [5]
        assert scene.seat.state()["kind"] == "witness"

    play(monkeypatch, story)


def test_without_one_that_is_the_answer_and_it_comes_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        scene.seat.configure("n1", config(Manual()))
        scene.seat.consult(5, QUESTION)
        assert scene.answers == []
        await asyncio.sleep(0)
        assert scene.answers[0].verdict is None
        assert "by command" in scene.answers[0].error
        assert scene.seat.state()["kind"] == "manual"

    play(monkeypatch, story)


def test_before_there_is_a_configuration_nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        scene.seat.consult(5, QUESTION)
        await asyncio.sleep(0)
        assert scene.answers == []

    play(monkeypatch, story)


def test_another_arbiter_takes_the_place_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        scene.seat.configure("n1", config(WITNESS))
        scene.seat.configure("n1", config(Share(path=r"\\files\web")))
        assert [port.closed for port in scene.opened] == [True, False]
        scene.seat.configure("n1", config(Manual()))
        scene.seat.close()
        assert [port.closed for port in scene.opened] == [True, True]

    play(monkeypatch, story)


def test_what_does_not_concern_it_leaves_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        scene.seat.configure("n1", config(WITNESS))
        scene.seat.configure("n1", config(WITNESS, ips=(IP,)))
        assert len(scene.opened) == 1
        scene.seat.configure("n1", config(replace(WITNESS, port=7432)))
        assert len(scene.opened) == 2
        # This one asks for the groups' own addresses.
        scene.seat.configure("n1", config(Lan(targets=("10.77.0.1",))))
        scene.seat.configure("n1", config(Lan(targets=("10.77.0.1",)), ips=(IP,)))
        assert len(scene.opened) == 4

    play(monkeypatch, story)


def test_only_a_witness_can_be_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(scene: Scene) -> None:
        scene.seat.configure("n1", config(Manual()))
        with pytest.raises(RequestError, match="is no witness"):
            await scene.seat.accept_witness()

    play(monkeypatch, story)
