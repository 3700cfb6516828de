# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A notice concerns what the system shows differently since, and one look finds out for all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.values.model import Cluster, CommPath, Config, Hierarchy, Ip, Manual, Volume
from holdfast.errors import SurfaceError
from holdfast.kits import Changes
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

BOTH = {"n1": 1, "n2": 2}
COUNT = 200
PATH = CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"})
CLUSTER = Cluster(name="web", arbiter=Manual(), profile="normal", comm_port=7430, comm_paths=(PATH,))
IPS = tuple(
    Ip(tag=f"ip-{n}", address=f"10.78.0.{n}", prefix_length=16, interfaces={"n1": "LAN", "n2": "LAN"}, priorities=BOTH)
    for n in range(COUNT)
)
SITES = tuple(
    Hierarchy(tag=f"s{n}", kind="web", site=f"s{n}", priorities=BOTH, drain_s=0, depends_on=(f"ip-{n}",))
    for n in range(COUNT)
)
VOLUME = Volume(tag="vol-x", drive="X:", driver="shared_disk", disk="D1", priorities=BOTH)
CONFIG = Config(cluster=CLUSTER, ips=IPS, volumes=(VOLUME,), hierarchies=SITES)
SITES_OF_IIS = "".join(f'<site name="s{n}"><application path="/" /></site>' for n in range(COUNT))


@pytest.fixture
def n1(tmp_path: Path) -> MemorySurface:
    """A node with all addresses and sites, each looked at once."""
    surface = MemoryWorld(tmp_path).node("n1")
    for ip in IPS:
        up(surface, ip)
    surface.iis = surface.iis.replace(b"<siteDefaults />", SITES_OF_IIS.encode())
    return surface


@pytest.fixture
def changes(n1: MemorySurface) -> Changes:
    """What changes from now on."""
    known = Changes(n1)
    known.tags({"network", "iis"}, CONFIG)
    return known


def up(surface: MemorySurface, ip: Ip, lifetime_s: int = 2) -> None:
    surface.add_address(
        interface="LAN", address=ip.address, prefix_length=16, skip_as_source=True, lifetime_s=lifetime_s
    )


def test_the_first_notice_concerns_everything_of_its_kind(n1: MemorySurface) -> None:
    known = Changes(n1)
    assert known.tags({"network"}, CONFIG) == {ip.tag for ip in IPS}
    assert known.tags({"iis"}, CONFIG) == {site.tag for site in SITES}
    assert known.tags({"disk"}, CONFIG) == {"vol-x"}


def test_of_two_hundred_addresses_only_the_one_that_went_is_looked_at(n1: MemorySurface, changes: Changes) -> None:
    n1.remove_address(interface="LAN", address="10.78.0.7")
    assert changes.tags({"network"}, CONFIG) == {"ip-7"}
    assert changes.tags({"network"}, CONFIG) == frozenset()


def test_an_address_with_another_lifetime_is_no_other_address(n1: MemorySurface, changes: Changes) -> None:
    up(n1, IPS[7], lifetime_s=99)
    assert changes.tags({"network"}, CONFIG) == frozenset()


def test_an_address_that_another_machine_claims_is_looked_at(n1: MemorySurface, changes: Changes) -> None:
    n1.doubled.add("10.78.0.7")
    assert changes.tags({"network"}, CONFIG) == {"ip-7"}


def test_a_card_that_lost_its_link_concerns_every_address(n1: MemorySurface, changes: Changes) -> None:
    n1.cards[0] = replace(n1.cards[0], up=False)
    assert changes.tags({"network"}, CONFIG) == {ip.tag for ip in IPS}


def test_of_two_hundred_sites_only_the_one_that_was_started_is_looked_at(n1: MemorySurface, changes: Changes) -> None:
    n1.sites["s9"] = "started"
    assert changes.tags({"iis"}, CONFIG) == {"s9"}


def test_what_cannot_be_looked_at_may_be_anything(n1: MemorySurface, changes: Changes) -> None:
    n1.fail["iis_states"] = n1.fail["addresses"] = SurfaceError("x", "no answer")
    assert changes.tags({"iis"}, CONFIG) == {site.tag for site in SITES}
    assert changes.tags({"network"}, CONFIG) == {ip.tag for ip in IPS}


def test_one_look_serves_all_however_many_there_are(n1: MemorySurface, changes: Changes) -> None:
    n1.calls.clear()
    changes.tags({"network", "iis"}, CONFIG)
    assert (n1.calls["addresses"], n1.calls["interfaces"], n1.calls["iis_states"]) == (1, 1, 1)
