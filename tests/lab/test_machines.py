# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's machines besides the nodes, and faults that need more than cables: pauses, signals, sites, healing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from holdfast_lab.oracle import intervals
from holdfast_lab.oracle.recording import recording
from holdfast_lab.world import launch
from holdfast_lab.world.hands import reaches, reaches_soon
from holdfast_lab.world.places import Places
from holdfast_lab.world.remote import Lab, LabError

SHOP = "10.77.0.113"
SLEEPER = "import time; time.sleep(60)  # holdfast.pyz"


@pytest.fixture(scope="module")
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab with a witness machine and an etcd, its nodes only web servers."""
    wish = launch.Wish(witness=True, etcd=True, program="plain")
    with launch.running(Places(tmp_path_factory.mktemp("third")), wish) as lab:
        yield lab


@pytest.fixture(autouse=True)
def healed(third_party: Lab) -> Iterator[None]:
    """After each test nothing is wrong with the lab, which is what `heal` promises."""
    yield
    third_party.fault("heal")
    third_party.run("n1", ["ip", "address", "del", f"{SHOP}/24", "dev", "LAN"])
    machines = third_party.status()["machines"]
    assert {machine["state"] for machine in machines.values()} == {"on"}
    assert {cable for machine in machines.values() for cable in machine["cables"].values()} == {"good"}


def test_the_witness_is_on_the_comm_paths_and_not_on_the_lan(third_party: Lab) -> None:
    assert all(reaches_soon(third_party, "n1", f"10.77.{network}.21") for network in (1, 2))
    assert not reaches(third_party, "n1", "10.77.0.21")
    assert third_party.generated()["lab_arbiter"]["addresses"] == {"path-a": "10.77.1.21", "path-b": "10.77.2.21"}


def test_etcd_takes_a_write_while_one_member_is_off_and_none_while_two_are(third_party: Lab) -> None:
    put(third_party, "10.77.2.32", within_s=10)
    third_party.fault("power_off", node="e1")
    put(third_party, "10.77.2.32", within_s=10)
    third_party.fault("cut_path", node="e3", network="all")
    with pytest.raises(AssertionError, match="no write within"):
        put(third_party, "10.77.2.32", within_s=2)
    third_party.fault("heal")
    put(third_party, "10.77.1.31", within_s=15)


def test_a_paused_nodes_addresses_wait_with_it_and_are_there_the_instant_it_goes_on(third_party: Lab) -> None:
    command = ["ip", "address", "add", f"{SHOP}/24", "dev", "LAN", "valid_lft", "2", "preferred_lft", "2"]
    third_party.run("n1", command)
    with recording(third_party, addresses=[SHOP]) as seen:
        third_party.fault("freeze", node="n1")
        time.sleep(2.5)
        third_party.run("n2", ["ip", "address", "add", f"{SHOP}/24", "dev", "LAN"])
        third_party.fault("thaw", node="n1")
        time.sleep(2.6)
        third_party.run("n2", ["ip", "address", "del", f"{SHOP}/24", "dev", "LAN"])
    [overlap] = intervals.overlaps(seen.addresses())
    assert intervals.after_thaw(overlap, intervals.thaws(seen.records))
    assert 0.5 < overlap.seconds < 2.6  # what was left of its two seconds, in whole seconds


def test_all_of_our_processes_are_stopped_while_the_system_lives(third_party: Lab) -> None:
    third_party.start("monitor", "n1", ["python", "-c", SLEEPER, "service"])
    third_party.start("guard", "n1", ["python", "-c", SLEEPER, "guard"])
    assert states(third_party, "n1") == {"S"}
    third_party.fault("stop_ours", node="n1")
    assert states(third_party, "n1") == {"T"}
    assert reaches(third_party, "client", "10.77.0.11")
    third_party.fault("continue_ours", node="n1")
    assert states(third_party, "n1") == {"S"}
    third_party.fault("kill_ours", node="n1")
    assert [third_party.stop(name) != 0 for name in ("monitor", "guard")] == [True, True]


def test_several_networks_are_cut_together_and_a_machine_is_only_cut_from_its_own(third_party: Lab) -> None:
    third_party.fault("cut_path", node="n1", network="a,b")
    assert reaches(third_party, "client", "10.77.0.11")
    assert not any(reaches(third_party, "n2", f"10.77.{network}.11") for network in (1, 2))
    with pytest.raises(LabError, match="w1 is not on lan"):
        third_party.fault("cut_lan", node="w1")


def test_a_path_is_cut_between_two_machines_only(third_party: Lab) -> None:
    third_party.fault("cut_path", node="n1", network="a", peer="n2")
    assert not reaches(third_party, "n1", "10.77.1.12")
    assert not reaches(third_party, "n2", "10.77.1.11")
    assert reaches_soon(third_party, "n1", "10.77.1.21")
    assert reaches_soon(third_party, "w1", "10.77.1.11")


def test_heal_undoes_whatever_was_done_to_every_machine(third_party: Lab) -> None:
    third_party.start("sleeper", "n1", ["python", "-c", SLEEPER])
    assert states(third_party, "n1") == {"S"}
    third_party.fault("hang_service", node="n1", processes="holdfast.pyz")
    third_party.fault("remove_disk_path", node="n1")
    third_party.fault("remove_certificate", node="n2")
    third_party.fault("steal_address", address=SHOP)
    third_party.fault("power_off", node="w1")
    third_party.fault("freeze", node="e2")
    third_party.fault("freeze", node="n2")

    third_party.fault("heal")

    assert states(third_party, "n1") == {"S"}
    assert third_party.run("n1", ["ls", str(third_party.places.disks)]).out.split() == ["HFLAB-DISK-0001"]
    assert list((third_party.places.node("n2") / "standin" / "certs" / "My").glob("*.pem"))
    assert not reaches(third_party, "client", SHOP)
    third_party.stop("sleeper")


def put(lab: Lab, address: str, *, within_s: float) -> None:
    """The member at this address has committed a write. Raises AssertionError when it did not in time."""
    code = (
        "import sys, urllib.request\n"
        'print(urllib.request.urlopen(sys.argv[1], b\'{"key": "aw==", "value": "dg=="}\', 1).read())'
    )
    deadline_s = time.monotonic() + within_s
    while "revision" not in lab.run("n1", ["python", "-c", code, f"http://{address}:2379/v3/kv/put"]).out:
        assert time.monotonic() < deadline_s, f"no write within {within_s} s"
        time.sleep(0.1)


def states(lab: Lab, node: str) -> set[str]:
    """The states of the processes that are ours, as proc(5) has them, when all of them sleep or are stopped."""
    code = (
        "from pathlib import Path\nfor p in Path('/proc').glob('[0-9]*'):\n"
        " line = (p / 'cmdline').read_bytes()\n"
        " if b'sleep(60)' in line and b'glob' not in line:\n"
        "  print((p / 'stat').read_text().rpartition(')')[2].split()[0])"
    )
    found: set[str] = set()
    for _unused in range(100):
        found = set(lab.run(node, ["python", "-c", code]).out.split())
        if found in ({"S"}, {"T"}):
            break
        time.sleep(0.05)
    return found
