# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab as data, and the files that do not depend on a running one."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from holdfast_lab.world.faults import FAULTS
from holdfast_lab.world.launch import Wish
from holdfast_lab.world.preflight import NotPossibleError, explain, provide
from holdfast_lab.world.runtime_zip import write_runtime_zip
from holdfast_lab.world.seed import described_cluster
from holdfast_lab.world.stores import endpoints
from holdfast_lab.world.topology import LAN, STRANGER, default_topology


@pytest.mark.parametrize("nodes", [1, 2, 3, 4, 5])
def test_names_and_hardware_addresses_are_unique_and_fit_linux(nodes: int) -> None:
    topology = default_topology(nodes=nodes)
    pairs = [(m, n) for m in (*topology.machines, STRANGER) for n in m.networks]
    ports = [prefix + machine.port(network) for machine, network in pairs for prefix in ("", "w-", "v-")]
    macs = [machine.mac(network) for machine, network in pairs]
    assert len(set(ports)) == len(ports)
    assert len(set(macs)) == len(macs)
    assert max(len(port) for port in ports) <= 15


@pytest.mark.parametrize("nodes", [0, 6])
def test_a_lab_has_one_to_five_nodes(nodes: int) -> None:
    with pytest.raises(ValueError, match="1 to 5 nodes"):
        default_topology(nodes=nodes)


def test_the_machines_of_an_arbiter_are_on_the_comm_paths_only_and_their_names_fit_too() -> None:
    topology = default_topology(nodes=5, witness=True, etcd=True)
    others = [machine for machine in topology.machines if machine.role in ("witness", "store")]
    assert [machine.name for machine in others] == ["w1", "e1", "e2", "e3"]
    assert {network.name for machine in others for network in machine.networks} == {"a", "b"}
    macs = [machine.mac(network) for machine in topology.machines for network in machine.networks]
    assert len(set(macs)) == len(macs)
    assert [machine.name for machine in topology.managed] == ["n1", "n2", "n3", "n4", "n5", "w1"]


def test_no_single_network_takes_all_members_of_etcd_away() -> None:
    urls = endpoints(default_topology(etcd=True).stores)
    assert urls == ["http://10.77.1.31:2379", "http://10.77.2.32:2379", "http://10.77.1.33:2379"]


@pytest.mark.parametrize(
    ("wish", "arbiter", "profile"),
    [
        (Wish(), "manual", "normal"),
        (Wish(witness=True, profile="fast"), "witness", "fast"),
        (Wish(etcd=True), "etcd", "vm"),
        (Wish(witness=True, etcd=True), "witness", "normal"),
    ],
)
def test_the_inventory_has_the_arbiter_that_the_machines_allow(wish: Wish, arbiter: str, profile: str) -> None:
    found = described_cluster(wish.topology, profile=wish.timing)
    kind = found["lab_arbiter"] if isinstance(found["lab_arbiter"], str) else found["lab_arbiter"]["kind"]
    assert (kind, found["lab_profile"]) == (arbiter, profile)


def test_the_addresses_are_those_that_the_inventory_names() -> None:
    topology = default_topology(nodes=2)
    n2 = topology.machine("n2")
    assert [network.address(n2.host) for network in n2.networks] == ["10.77.0.12", "10.77.1.12", "10.77.2.12"]
    assert [network.alias for network in n2.networks] == ["LAN", "Heartbeat-A", "Heartbeat-B"]
    assert LAN.address(topology.machine("client").host) == "10.77.0.5"


def test_a_hardware_address_names_its_machine() -> None:
    topology = default_topology(nodes=2)
    assert topology.machine_of_mac("02:48:46:00:00:0c") == "n2"
    assert topology.machine_of_mac(STRANGER.mac(LAN)) == "stranger"
    assert topology.machine_of_mac("aa:bb:cc:dd:ee:ff") == "aa:bb:cc:dd:ee:ff"


def test_the_runtime_zip_has_the_same_bytes_every_time_and_an_executable_python(tmp_path: Path) -> None:
    hashes = set()
    for name in ("one.zip", "two.zip"):
        write_runtime_zip(tmp_path / name)
        hashes.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(hashes) == 1
    entry = zipfile.ZipFile(tmp_path / "one.zip").getinfo("python.exe")
    assert (entry.external_attr >> 16) & 0o777 == 0o755


def test_every_fault_says_what_it_does_and_takes_only_text() -> None:
    for name, fault in FAULTS.items():
        assert fault.does, name
        assert all(isinstance(default, str) for default in fault.optional.values()), name


def test_a_missing_command_without_root_says_which_package_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(NotPossibleError, match=r"run: sudo apt-get install -y nonsense"):
        provide({"no-such-command-anywhere": "nonsense"})


def test_without_namespaces_the_message_says_what_to_do() -> None:
    assert "sudo" in explain("unshare failed", root=False)
    assert "apparmor_restrict_unprivileged_userns=0" in explain("unshare failed", root=False)
    assert "--privileged" in explain("unshare failed", root=True)
