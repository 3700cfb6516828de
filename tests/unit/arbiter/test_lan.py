# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clients' network as arbiter, on the memory surface: who answers a ping, who an address, and when that counts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from holdfast.arbiter.lan import LanClient
from holdfast.arbiter.port import Surroundings
from holdfast.core.cluster.ownership import take
from holdfast.core.values.arbitration import Claim, Question, Renewal, Verdict
from holdfast.core.values.events import Consulted
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Register
from holdfast.core.values.model import Cluster, CommPath, Config, Hierarchy, Ip, Lan, Volume
from holdfast.core.values.profiles import TAKE_MAX_S
from holdfast.errors import SurfaceError
from holdfast.transport.identity import Contexts, Identity, Pki
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

T = TypeVar("T")
GATEWAY, SERVER, SHOP = "10.77.0.1", "10.77.0.5", "10.77.0.113"
LEASE = Lease(light_s=2.0, full_s=3.0)
BOTH = {"n1": 1, "n2": 2}
CONFIG = Config(
    cluster=Cluster(
        name="web",
        arbiter=Lan(targets=(GATEWAY, SERVER)),
        profile="normal",
        comm_port=7430,
        comm_paths=(CommPath(name="a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"}),),
    ),
    ips=(Ip(tag="ip-shop", address=SHOP, prefix_length=24, interfaces={"n1": "LAN", "n2": "LAN"}, priorities=BOTH),),
    volumes=(Volume(tag="vol-bare", drive="X:", driver="shared_disk", disk="D1", priorities=BOTH),),
    hierarchies=(
        Hierarchy(tag="shop", kind="web", site="shop", priorities=BOTH, drain_s=0.0, depends_on=("ip-shop",)),
    ),
)


class Clock:
    """The surface's, moved by the test."""

    now_s = 1000.0


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemorySurface:
    """n2, with n1 beside it; the gateway answers it."""
    world = MemoryWorld(tmp_path)
    world.node("n1")
    surface = world.node("n2")
    monkeypatch.setattr(Clock, "now_s", 1000.0)
    monkeypatch.setattr(surface, "monotonic_s", lambda: Clock.now_s)
    answers(surface, GATEWAY)
    return surface


def answers(surface: MemorySurface, *targets: str) -> None:
    surface.answering = {("", target) for target in targets}


async def in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


async def contexts(work: Callable[[], Contexts]) -> Contexts:
    raise AssertionError(f"nobody dials here: {work}")


class Client:
    """The client, and the answers it gave."""

    def __init__(self, surface: MemorySurface) -> None:
        self.number = 0
        self.found: asyncio.Queue[Consulted] = asyncio.Queue()
        nowhere = Path("nowhere")
        self.client = LanClient(
            Lan(targets=(GATEWAY, SERVER)),
            Surroundings(
                node="n2",
                config=CONFIG,
                surface=surface,
                identity=Identity(pki=Pki(authority=nowhere, certificate=nowhere, key=nowhere), in_thread=contexts),
                in_thread=in_thread,
                on_answer=self.found.put_nowait,
            ),
        )

    async def ask(self, question: Question) -> Verdict:
        self.number += 1
        self.client.consult(self.number, question)
        found = await asyncio.wait_for(self.found.get(), 5.0)
        assert found.number == self.number
        assert found.verdict is not None
        return found.verdict


def play(surface: MemorySurface, *questions: Question, after_s: float = TAKE_MAX_S) -> Verdict:
    """The verdict on the last question, asked so long after the first ones."""

    async def story() -> Verdict:
        client = Client(surface)
        try:
            for question in questions[:-1]:
                await client.ask(question)
            Clock.now_s += after_s
            return await client.ask(questions[-1])
        finally:
            client.client.close()

    return asyncio.run(story())


def renewal(**registers: Register) -> Renewal:
    return Renewal(node="n2", incarnation=1, lease=LEASE, since=0, version=1, registers=registers)


def claim(group: str = "shop", *, consent_of: str | None = None) -> Claim:
    return Claim(node="n2", incarnation=1, lease=LEASE, group=group, epoch=5, volume=False, consent_of=consent_of)


HELD_BY_N1 = renewal(shop=take(epoch=4, node="n1", out=frozenset()))


def test_a_lease_is_renewed_while_any_target_answers(node: MemorySurface) -> None:
    answers(node, SERVER)

    assert play(node, renewal()).renewed


def test_nothing_is_granted_when_no_target_answers(node: MemorySurface) -> None:
    answers(node)

    for question in (renewal(), claim(), claim(consent_of="n1")):
        verdict = play(node, HELD_BY_N1, question)
        assert (verdict.granted, verdict.renewed) == (False, False)
        assert verdict.reason == f"none of the targets {GATEWAY}, {SERVER} answers a ping: this node may be cut off"


def test_a_group_is_taken_when_nobody_answers_for_its_address(node: MemorySurface) -> None:
    verdict = play(node, HELD_BY_N1, claim())

    assert verdict.granted
    assert verdict.registers["shop"].holder == "n2"


def test_a_group_is_not_taken_while_somebody_answers_for_its_address(node: MemorySurface) -> None:
    holder = node.world.nodes["n1"]
    holder.add_address(interface="LAN", address=SHOP, prefix_length=24, skip_as_source=True, lifetime_s=60)

    verdict = play(node, HELD_BY_N1, claim())

    assert (verdict.granted, verdict.renewed) == (False, True)
    assert verdict.reason == f"{holder.cards[0].mac} answers for {SHOP}"


def test_an_address_that_is_our_own_is_not_in_the_way(node: MemorySurface, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "neighbour", lambda **_asked: node.cards[0].mac)

    assert play(node, HELD_BY_N1, claim()).granted


def test_nothing_is_taken_soon_after_a_start(node: MemorySurface) -> None:
    verdict = play(node, HELD_BY_N1, claim(), after_s=TAKE_MAX_S - 0.1)

    assert (verdict.granted, verdict.reason) == (False, "n1 holds it at epoch 4, and its lease runs")


def test_a_hand_over_needs_no_look_at_the_addresses(node: MemorySurface) -> None:
    node.world.nodes["n1"].add_address(
        interface="LAN", address=SHOP, prefix_length=24, skip_as_source=True, lifetime_s=60
    )

    verdict = play(node, HELD_BY_N1, claim(consent_of="n1"))

    assert verdict.granted
    assert verdict.registers["shop"].promised_to == "n2"


def test_a_group_without_an_address_cannot_be_seen_and_is_not_taken(node: MemorySurface) -> None:
    verdict = play(node, claim("vol-bare"))

    assert not verdict.granted
    assert "vol-bare has no address on the clients' network" in verdict.reason


def test_when_the_look_fails_nothing_is_taken(node: MemorySurface) -> None:
    node.fail["neighbour"] = SurfaceError("neighbour", "the card is unplugged", 1231)

    verdict = play(node, HELD_BY_N1, claim())

    assert not verdict.granted
    assert f"whether anybody has {SHOP} cannot be seen" in verdict.reason


def test_the_state_says_what_cannot_be_promised(node: MemorySurface) -> None:
    async def story() -> None:
        client = Client(node)
        await client.ask(renewal())
        state = client.client.state()
        client.client.close()
        assert (state["kind"], state["reachable"], state["why"]) == ("lan", True, "")
        assert "both serve" in state["cannot_promise"]

    asyncio.run(story())
