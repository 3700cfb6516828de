# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kits of addresses and volumes: what they say of a node and that up is up and down is down."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from holdfast.core.values.facts import IpFacts, VolumeFacts
from holdfast.core.values.model import Cluster, CommPath, Config, Ip, Manual, Volume
from holdfast.errors import NetworkError, NotThereError, SurfaceError
from holdfast.kits import Context, Lifetimes, kit_of
from holdfast.surface import FOREVER_S, Address, Interface
from holdfast.windows import storage
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

DISK = "HFLAB-DISK-0001"
IP = Ip(
    tag="ip-shop",
    address="10.77.0.113",
    prefix_length=24,
    interfaces={"n1": "LAN", "n2": "LAN"},
    priorities={"n1": 1, "n2": 2},
)
VOLUME = Volume(tag="vol-shop", drive="X:", driver="shared_disk", disk=DISK, priorities={"n1": 1, "n2": 2})
CLUSTER = Cluster(
    name="web",
    arbiter=Manual(),
    profile="normal",
    comm_port=7430,
    comm_paths=(CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12"}),),
)
CONFIG = Config(cluster=CLUSTER, ips=(IP,), volumes=(VOLUME,))


@pytest.fixture
def world(tmp_path: Path) -> MemoryWorld:
    return MemoryWorld(tmp_path, disks=[DISK])


def _context(surface: MemorySurface, left_s: float | None = None) -> Context:
    return Context(surface=surface, node=surface.name, config=CONFIG, permit_s=lambda _tag: left_s)


def test_a_started_address_is_usable_skip_as_source_forever_and_announced(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    kit_of(IP).start(IP, _context(n1))
    assert n1.entries == [
        Address(
            interface="LAN",
            address="10.77.0.113",
            prefix_length=24,
            usable=True,
            skip_as_source=True,
            lifetime_s=FOREVER_S,
        )
    ]
    assert n1.changes() == ["add_address 10.77.0.113", "announce 10.77.0.113"]
    assert kit_of(IP).state(IP, _context(n1)) == "up"
    kit_of(IP).verify(IP, _context(n1))


def test_stopping_an_address_takes_it_off_every_interface_and_may_be_repeated(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    n1.cards.append(Interface(name="LAN 2", mac="02:48:46:00:01:01", up=True))
    kit_of(IP).start(IP, _context(n1))
    n1.entries.append(replace(n1.entries[0], interface="LAN 2"))
    assert kit_of(IP).state(IP, _context(n1)) == "partial"
    for _ in range(2):
        kit_of(IP).stop(IP, _context(n1), 0.0)
        assert n1.entries == []
        assert kit_of(IP).state(IP, _context(n1)) == "down"


def test_an_address_on_the_wrong_interface_is_moved_to_the_right_one(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    n1.cards.append(Interface(name="LAN 2", mac="02:48:46:00:01:01", up=True))
    kit_of(IP).start(replace(IP, interfaces={"n1": "LAN 2"}), _context(n1))
    kit_of(IP).start(IP, _context(n1))
    assert [entry.interface for entry in n1.entries] == ["LAN"]


def test_a_doubled_address_is_partial_cannot_be_started_and_fails_its_verification(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    kit_of(IP).start(IP, _context(n1))
    n1.doubled.add(IP.address)
    assert kit_of(IP).state(IP, _context(n1)) == "partial"
    with pytest.raises(SurfaceError, match=r"10\.77\.0\.113 is not usable on 'LAN'"):
        kit_of(IP).verify(IP, _context(n1))
    with pytest.raises(SurfaceError, match="is not usable there"):
        kit_of(IP).start(IP, _context(n1))


def test_an_address_that_stays_after_its_removal_is_an_error(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    kit_of(IP).start(IP, _context(n1))

    class Stuck(MemorySurface):
        def remove_address(self, *, interface: str, address: str) -> None:
            del interface, address

    stuck = Stuck(world, "n1", number=1)
    stuck.entries = n1.entries
    with pytest.raises(SurfaceError, match="was removed but is still on 'LAN'"):
        kit_of(IP).stop(IP, _context(stuck), 0.0)


def test_the_standby_sees_who_answers_for_the_address(world: MemoryWorld) -> None:
    n1, n2 = world.node("n1"), world.node("n2")
    assert kit_of(IP).inspect(IP, _context(n2)) == IpFacts(state="down", interface_up=True, answered_by=None)
    kit_of(IP).start(IP, _context(n1))
    seen = kit_of(IP).inspect(IP, _context(n2))
    assert seen == IpFacts(state="down", interface_up=True, answered_by=n1.cards[0].mac)
    assert kit_of(IP).inspect(IP, _context(n1)) == IpFacts(state="up", interface_up=True, answered_by=None)


def test_a_missing_or_dead_interface_is_said(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    n1.cards = [Interface(name="LAN", mac="02:48:46:00:00:01", up=False)]
    dead = kit_of(IP).inspect(IP, _context(n1))
    assert dead == IpFacts(
        state="down", interface_up=False, answered_by=None, detail="interface 'LAN' has no link or is disabled"
    )
    n1.cards = [Interface(name="Ethernet", mac="02:48:46:00:00:01", up=True)]
    missing = kit_of(IP).inspect(IP, _context(n1))
    assert isinstance(missing, IpFacts)
    assert "there is no network interface 'LAN' here (there are: 'Ethernet')" in missing.detail


def test_an_address_without_an_interface_for_this_node_is_refused(world: MemoryWorld) -> None:
    elsewhere = replace(IP, interfaces={"n2": "LAN"})
    with pytest.raises(NotThereError, match="address 'ip-shop' has no interface for node 'n1'"):
        kit_of(IP).start(elsewhere, _context(world.node("n1")))


def test_two_spellings_of_one_ipv6_address_are_one_address(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    six = replace(IP, address="2001:db8::113", prefix_length=64)
    kit_of(six).start(six, _context(n1))
    n1.entries = [replace(n1.entries[0], address="2001:0DB8:0:0::113")]
    assert kit_of(six).state(six, _context(n1)) == "up"


def test_a_volume_moves_with_its_content(world: MemoryWorld) -> None:
    n1, n2 = world.node("n1"), world.node("n2")
    kit = kit_of(VOLUME)
    kit.start(VOLUME, _context(n1))
    n1.put_file(r"X:\shop\index.html", b"hello")
    kit.verify(VOLUME, _context(n1))
    kit.stop(VOLUME, _context(n1), 0.0)
    kit.start(VOLUME, _context(n2))
    assert n2.local_path(r"X:\shop\index.html").read_bytes() == b"hello"
    assert (kit.state(VOLUME, _context(n1)), kit.state(VOLUME, _context(n2))) == ("down", "up")


def test_facts_of_a_volume_name_the_holder_for_both_nodes(world: MemoryWorld) -> None:
    n1, n2 = world.node("n1"), world.node("n2")
    kit_of(VOLUME).start(VOLUME, _context(n1))
    holder = storage.reservation_key(cluster="web", node="n1")
    for node, state, online in ((n1, "up", True), (n2, "down", False)):
        facts = kit_of(VOLUME).inspect(VOLUME, _context(node))
        assert isinstance(facts, VolumeFacts)
        assert (facts.state, facts.visible, facts.online, facts.holder) == (state, True, online, holder)


@pytest.mark.parametrize("lost", ["letter", "reservation", "online"])
def test_a_volume_that_lost_a_part_is_partial(world: MemoryWorld, lost: str) -> None:
    n1 = world.node("n1")
    kit_of(VOLUME).start(VOLUME, _context(n1))
    disk = world.disks[DISK]
    match lost:
        case "letter":
            disk.letters.clear()
        case "reservation":
            disk.holder = "00000000000000ff"
        case _:
            disk.online.clear()
    assert kit_of(VOLUME).state(VOLUME, _context(n1)) == "partial"


def test_without_a_path_to_the_disk_nothing_can_be_told(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    world.disks[DISK].hidden_from.add("n1")
    facts = kit_of(VOLUME).inspect(VOLUME, _context(n1))
    assert facts == VolumeFacts(
        state="unknown",
        visible=False,
        online=False,
        holder=None,
        letter_used_by=None,
        detail=f"no path leads to disk '{DISK}'",
    )


def test_a_volume_that_cannot_be_listed_fails_its_verification(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    kit_of(VOLUME).start(VOLUME, _context(n1))
    world.disks[DISK].folder.rename(world.disks[DISK].folder.with_name("gone"))
    with pytest.raises(SurfaceError, match="X: is mounted but cannot be read"):
        kit_of(VOLUME).verify(VOLUME, _context(n1))


@pytest.mark.parametrize("resource", [IP, VOLUME])
def test_preparing_an_address_or_a_volume_changes_nothing(world: MemoryWorld, resource: Ip | Volume) -> None:
    n2 = world.node("n2")
    kit_of(resource).prepare(resource, _context(n2))
    assert n2.changes() == []


# -- permits ---------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("left_s", "lifetime_s"), [(None, FOREVER_S), (2.2, 2), (1.999, 1), (1.0, 1), (0.4, 1), (7200.5, 7200)]
)
def test_an_address_lives_as_long_as_its_permit_in_whole_seconds_and_one_at_least(
    world: MemoryWorld, left_s: float | None, lifetime_s: int
) -> None:
    n1 = world.node("n1")
    kit_of(IP).start(IP, _context(n1, left_s))
    assert [entry.lifetime_s for entry in n1.entries] == [lifetime_s]


@pytest.mark.parametrize("resource", [IP, VOLUME], ids=["ip", "volume"])
def test_nothing_is_taken_after_the_permit_has_run_out(world: MemoryWorld, resource: Ip | Volume) -> None:
    n1 = world.node("n1")
    with pytest.raises(SurfaceError, match=rf"the permit for '{resource.tag}' ran out 1\.5 s ago; nothing was started"):
        kit_of(resource).start(resource, _context(n1, -1.5))
    assert n1.changes() == []


def test_refreshing_prolongs_the_addresses_that_are_up_in_one_call_and_adds_none(world: MemoryWorld) -> None:
    n1, lifetimes = world.node("n1"), Lifetimes()
    other = replace(IP, tag="ip-docs", address="10.77.0.114")
    kit_of(IP).start(IP, _context(n1, 1.5))
    n1.changes()
    lifetimes.refresh([IP, other], _context(n1, 2.9))
    assert n1.changes() == ["renew_addresses 10.77.0.113 10.77.0.114 2"]
    assert [(entry.address, entry.lifetime_s) for entry in n1.entries] == [("10.77.0.113", 2)]
    lifetimes.refresh([IP, other], _context(n1, 0.9))
    assert n1.changes() == [], "with less than a second left the address goes with its permit"
    lifetimes.refresh([IP], _context(n1, None))
    assert [entry.lifetime_s for entry in n1.entries] == [FOREVER_S]


def test_no_refresh_makes_an_address_live_less_long_than_the_one_before(world: MemoryWorld) -> None:
    """A permit that is renewed with 1.9 s left was trusted for 2 s a moment ago."""
    n1, lifetimes = world.node("n1"), Lifetimes()
    lifetimes.refresh([IP], _context(n1, 2.1))
    lifetimes.refresh([IP], _context(n1, 1.9))
    assert n1.changes() == ["renew_addresses 10.77.0.113 2"]
    lifetimes.refresh([IP], _context(n1, 3.1))
    assert n1.changes() == ["renew_addresses 10.77.0.113 3"]


def test_an_address_that_lived_for_ever_lives_as_long_as_its_permit_when_there_is_one(world: MemoryWorld) -> None:
    n1, lifetimes = world.node("n1"), Lifetimes()
    lifetimes.refresh([IP], _context(n1, None))
    lifetimes.refresh([IP], _context(n1, 2.1))
    assert n1.changes() == [f"renew_addresses 10.77.0.113 {FOREVER_S}", "renew_addresses 10.77.0.113 2"]


# -- fencing and checks ----------------------------------------------------------------------------
def test_a_fenced_volume_waits_for_nobody(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    kit_of(VOLUME).start(VOLUME, _context(n1))
    n1.open_files.add("X:")
    n1.changes()
    kit_of(VOLUME).fence(VOLUME, _context(n1))
    assert n1.changes() == ["unmount X: by force", f"set_disk_online {DISK} off", f"release_disk {DISK}"]
    assert kit_of(VOLUME).state(VOLUME, _context(n1)) == "down"


def test_a_fenced_address_is_on_no_interface(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    kit_of(IP).start(IP, _context(n1))
    for _ in range(2):
        kit_of(IP).fence(IP, _context(n1))
        assert n1.entries == []


def test_a_volume_that_was_taken_by_another_fails_its_check(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    kit_of(VOLUME).start(VOLUME, _context(n1))
    kit_of(VOLUME).check(VOLUME, _context(n1))
    world.disks[DISK].holder = "another"
    with pytest.raises(SurfaceError, match="is not held and mounted at X:"):
        kit_of(VOLUME).check(VOLUME, _context(n1))
    world.disks[DISK].hidden_from.add("n1")
    with pytest.raises(SurfaceError, match="no path leads to it"):
        kit_of(VOLUME).check(VOLUME, _context(n1))


def test_an_address_whose_card_lost_its_link_is_partial_and_fails_its_check(world: MemoryWorld) -> None:
    n1 = world.node("n1")
    kit_of(IP).start(IP, _context(n1))
    kit_of(IP).check(IP, _context(n1))
    n1.cards = [replace(n1.cards[0], up=False)]
    assert kit_of(IP).state(IP, _context(n1)) == "partial"
    with pytest.raises(NetworkError, match="interface 'LAN' has no link or is disabled"):
        kit_of(IP).check(IP, _context(n1))


def test_one_answer_of_the_ping_list_is_enough_and_none_is_a_failed_check(world: MemoryWorld) -> None:
    n1, asking = world.node("n1"), replace(IP, ping=("10.77.0.1", "10.77.0.2"))
    kit_of(asking).start(asking, _context(n1))
    n1.answering = {("LAN", "10.77.0.2")}
    kit_of(asking).check(asking, _context(n1))
    n1.answering = {("LAN 2", "10.77.0.2")}
    with pytest.raises(NetworkError, match=r"none of 10\.77\.0\.1, 10\.77\.0\.2 answers through interface 'LAN'"):
        kit_of(asking).check(asking, _context(n1))


def test_a_standby_tells_that_no_address_of_its_ping_list_answers_although_its_card_has_a_link(
    two_cards: MemorySurface,
) -> None:
    two_cards.answering.discard(("LAN", "10.77.0.1"))
    spare = kit_of(WITH_SPARE).inspect(WITH_SPARE, _context(two_cards))
    two_cards.answering.clear()
    silent = kit_of(WITH_SPARE).inspect(WITH_SPARE, _context(two_cards))
    assert isinstance(spare, IpFacts)
    assert isinstance(silent, IpFacts)
    assert spare.silent == "", "the spare card would do"
    assert (silent.interface_up, silent.silent) == (True, "none of 10.77.0.1 answers through interface 'LAN'")


# -- the spare card --------------------------------------------------------------------------------
WITH_SPARE = replace(IP, spare={"n1": "LAN 2"}, ping=("10.77.0.1",))


@pytest.fixture
def two_cards(world: MemoryWorld) -> MemorySurface:
    n1 = world.node("n1")
    n1.cards.append(Interface(name="LAN 2", mac="02:48:46:00:01:01", up=True))
    n1.answering = {("LAN", "10.77.0.1"), ("LAN 2", "10.77.0.1")}
    return n1


def _card_of(surface: MemorySurface) -> list[str]:
    return [entry.interface for entry in surface.entries]


def test_with_two_good_cards_the_address_goes_to_its_own(two_cards: MemorySurface) -> None:
    kit_of(WITH_SPARE).start(WITH_SPARE, _context(two_cards))
    assert _card_of(two_cards) == ["LAN"]


@pytest.mark.parametrize("trouble", ["no link", "no answer"])
def test_local_recovery_moves_an_address_to_the_spare_card_where_it_stays(
    two_cards: MemorySurface, trouble: str
) -> None:
    kit, context = kit_of(WITH_SPARE), _context(two_cards)
    kit.start(WITH_SPARE, context)
    if trouble == "no link":
        two_cards.cards[0] = replace(two_cards.cards[0], up=False)
    else:
        two_cards.answering.discard(("LAN", "10.77.0.1"))
    with pytest.raises(SurfaceError, match="'LAN 2' works") as mendable:
        kit.check(WITH_SPARE, context)
    assert not isinstance(mendable.value, NetworkError), "starting it anew mends it"
    kit.stop(WITH_SPARE, context, 0.0)
    kit.start(WITH_SPARE, context)
    assert _card_of(two_cards) == ["LAN 2"]
    assert kit.state(WITH_SPARE, context) == "up"
    kit.check(WITH_SPARE, context)
    two_cards.cards[0] = replace(two_cards.cards[0], up=True)
    two_cards.answering.add(("LAN", "10.77.0.1"))
    kit.start(WITH_SPARE, context)
    assert _card_of(two_cards) == ["LAN 2"], "a second start does not move it back"


def test_with_no_good_card_the_address_is_on_its_own_card_and_the_check_says_why(two_cards: MemorySurface) -> None:
    two_cards.answering.clear()
    kit_of(WITH_SPARE).start(WITH_SPARE, _context(two_cards))
    assert _card_of(two_cards) == ["LAN"]
    with pytest.raises(NetworkError, match="answers through interface 'LAN'"):
        kit_of(WITH_SPARE).check(WITH_SPARE, _context(two_cards))


def test_readiness_counts_the_spare_card(two_cards: MemorySurface) -> None:
    two_cards.cards[0] = replace(two_cards.cards[0], up=False)
    facts = kit_of(WITH_SPARE).inspect(WITH_SPARE, _context(two_cards))
    assert isinstance(facts, IpFacts)
    assert facts.interface_up
    two_cards.cards[1] = replace(two_cards.cards[1], up=False)
    facts = kit_of(WITH_SPARE).inspect(WITH_SPARE, _context(two_cards))
    assert isinstance(facts, IpFacts)
    assert (facts.interface_up, facts.detail) == (
        False,
        "interface 'LAN' and interface 'LAN 2' has no link or is disabled",
    )
