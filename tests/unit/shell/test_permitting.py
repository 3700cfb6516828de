# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The core's permits on their way to the guard and to the addresses."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.values.model import Cluster, CommPath, Config, Hierarchy, Ip, Manual, Witness
from holdfast.service.permitting import Permitting
from holdfast.service.workers import Workers
from holdfast.surface import FOREVER_S
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

BOTH = {"n1": 1, "n2": 2}
PATH = CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"})
WITNESS = Witness(name="w1", addresses={"path-a": "10.77.1.21"}, port=7431)
CLUSTER = Cluster(name="web", arbiter=WITNESS, profile="normal", comm_port=7430, comm_paths=(PATH,))
IP = Ip(tag="ip-shop", address="10.77.0.113", prefix_length=24, interfaces={"n1": "LAN", "n2": "LAN"}, priorities=BOTH)
SHOP = Hierarchy(tag="shop", kind="web", site="shop", priorities=BOTH, drain_s=0, depends_on=("ip-shop",))
VOTED = Config(cluster=CLUSTER, ips=(IP,), hierarchies=(SHOP,))
BY_HAND = replace(VOTED, cluster=replace(CLUSTER, arbiter=Manual()))


@pytest.fixture
def n1(tmp_path: Path) -> MemorySurface:
    """A node with the switchable address up, for two seconds yet."""
    surface = MemoryWorld(tmp_path).node("n1")
    surface.add_address(interface="LAN", address=IP.address, prefix_length=24, skip_as_source=True, lifetime_s=2)
    return surface


def played(surface: MemorySurface, act: Callable[[Permitting], Awaitable[None]]) -> None:
    """The story with a Permitting of its own."""

    async def play() -> None:
        files = Workers(name="files", ready=1, most=1)
        permitting = Permitting(surface=surface, files=files, loop=asyncio.get_running_loop(), note=lambda _note: None)
        try:
            await act(permitting)
        finally:
            permitting.close()
            files.close()

    asyncio.run(play())


async def lifetime_becomes(surface: MemorySurface, lifetime_s: int) -> None:
    for _unused in range(200):
        if [e.lifetime_s for e in surface.entries if e.address == IP.address] == [lifetime_s]:
            return
        await asyncio.sleep(0.01)
    pytest.fail(f"the address has {surface.entries}")


def test_an_address_lives_as_long_as_its_permit(n1: MemorySurface) -> None:
    async def story(permitting: Permitting) -> None:
        await permitting.configure("n1", VOTED, settled=True)
        permitting.permit({"shop": n1.monotonic_s() + 9.5})
        await lifetime_becomes(n1, 9)

    played(n1, story)


def test_a_permit_that_has_no_end_any_more_frees_the_address_of_its_lifetime(n1: MemorySurface) -> None:
    """From an arbiter to manual: the address would be gone a moment later."""

    async def story(permitting: Permitting) -> None:
        await permitting.configure("n1", VOTED, settled=True)
        for _unused in range(3):
            permitting.permit({"shop": n1.monotonic_s() + 5.5})  # a refresh is under way when the last permit comes
        await permitting.configure("n1", BY_HAND, settled=False)
        permitting.permit({"shop": math.inf})
        await lifetime_becomes(n1, FOREVER_S)
        assert permitting.permit_s("shop") is None

    played(n1, story)


def test_after_another_arbiter_manual_permits_nothing_before_the_core_does(n1: MemorySurface) -> None:
    async def story(permitting: Permitting) -> None:
        await permitting.configure("n1", VOTED, settled=True)
        permitting.permit({"shop": n1.monotonic_s() + 2.0})
        await permitting.configure("n1", BY_HAND, settled=False)
        permitting.permit({"shop": n1.monotonic_s() + 2.2})
        left_s = permitting.permit_s("shop")
        assert left_s is not None
        assert 0 < left_s <= 2.2

    played(n1, story)


def test_with_manual_from_the_beginning_the_guard_has_nothing_to_end(n1: MemorySurface) -> None:
    async def story(permitting: Permitting) -> None:
        await permitting.configure("n1", BY_HAND, settled=True)
        assert permitting.permit_s("shop") is None
        permitting.permit({})
        assert permitting.permit_s("shop") is None

    played(n1, story)
