# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each fault of the lab does what its table says, and can be undone."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator

import pytest

from holdfast_lab.client.load import load
from holdfast_lab.oracle.recording import recording
from holdfast_lab.world.hands import give, reaches, reaches_soon, tidy_up
from holdfast_lab.world.remote import Lab, LabError

SHOP = "10.77.0.113"
DISK = "HFLAB-DISK-0001"


@pytest.fixture(autouse=True)
def everything_as_before(plain_lab: Lab) -> Iterator[None]:
    """After each test every machine is on, its cables are good and the shop's address is nowhere."""
    yield
    tidy_up(plain_lab, SHOP)


def test_power_off_silences_a_node_at_once_and_power_on_starts_it_afresh(plain_lab: Lab) -> None:
    give(plain_lab, "n1", SHOP)
    before = plain_lab.status()["machines"]["n1"]["boot_id"]
    with recording(plain_lab, addresses=[SHOP]) as seen:
        plain_lab.fault("power_off", node="n1")
        assert not reaches(plain_lab, "client", "10.77.0.11")
        assert plain_lab.status()["machines"]["n1"]["state"] == "off"
        plain_lab.fault("power_on", node="n1")
    assert reaches_soon(plain_lab, "client", "10.77.0.11")
    assert plain_lab.status()["machines"]["n1"]["boot_id"] != before
    assert [interval.holder for interval in seen.addresses()] == ["n1"]
    assert seen.addresses()[0].seconds < 0.5


def test_power_off_drops_drive_letters_but_keeps_reservations(plain_lab: Lab) -> None:
    node, disk = plain_lab.places.node("n1"), plain_lab.places.disk(DISK)
    (disk / "state.json").write_text(
        json.dumps({"registrations": {"k1": "n1"}, "holder": "k1", "online": {"n1": "b"}, "mounts": {"n1": "X:"}})
    )
    (disk / "paths" / "n1").symlink_to("../content")
    (node / "X").symlink_to(disk / "paths" / "n1")
    plain_lab.fault("power_off", node="n1")
    state = json.loads((disk / "state.json").read_text())
    (disk / "state.json").write_text("{}\n")
    assert not (node / "X").is_symlink()
    assert not (disk / "paths" / "n1").is_symlink()
    assert state["holder"] == "k1"
    assert state["mounts"] == {}


def test_a_frozen_node_answers_nobody_and_goes_on_where_it_was(plain_lab: Lab) -> None:
    give(plain_lab, "n1", SHOP)
    boot_id = plain_lab.status()["machines"]["n1"]["boot_id"]
    with recording(plain_lab, addresses=[SHOP]) as seen:
        plain_lab.fault("freeze", node="n1")
        assert not reaches(plain_lab, "client", "10.77.0.11")
        time.sleep(0.2)
        plain_lab.fault("thaw", node="n1")
        assert reaches_soon(plain_lab, "client", "10.77.0.11")
    assert plain_lab.status()["machines"]["n1"]["boot_id"] == boot_id
    assert [interval.holder for interval in seen.addresses()] == ["n1", "n1"]
    pause_s = seen.addresses()[1].start_s - seen.addresses()[0].end_s
    assert pause_s >= 0.2


@pytest.mark.parametrize("how", ["both", "from", "to", "unplug"])
def test_a_cut_path_carries_nothing_and_the_other_paths_go_on(plain_lab: Lab, how: str) -> None:
    plain_lab.fault("cut_path", node="n1", network="a", how=how)
    assert not reaches(plain_lab, "n2", "10.77.1.11")
    assert reaches_soon(plain_lab, "n2", "10.77.2.11")
    plain_lab.fault("restore_path", node="n1", network="a")
    assert reaches_soon(plain_lab, "n2", "10.77.1.11")


def test_a_path_cut_one_way_still_carries_the_other_way(plain_lab: Lab) -> None:
    plain_lab.fault("cut_path", node="n1", network="a", how="from")
    code = (
        "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('', 7)); "
        "s.settimeout(20); print(s.recv(9))"
    )
    neighbour = ["10.77.1.11", "lladdr", "02:48:46:01:00:0b", "dev", "Heartbeat-A"]
    assert plain_lab.run("n2", ["ip", "neighbour", "replace", *neighbour]).code == 0
    plain_lab.start("listener", "n1", ["python", "-uc", code])
    send = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hello', ('10.77.1.11', 7))"
    log = plain_lab.places.logs / "listener.log"
    for _unused in range(40):
        plain_lab.run("n2", ["python", "-c", send])
        if "hello" in log.read_text():
            break
    plain_lab.stop("listener")
    plain_lab.run("n2", ["ip", "neighbour", "del", "10.77.1.11", "dev", "Heartbeat-A"])
    assert "hello" in log.read_text()
    assert not reaches(plain_lab, "n1", "10.77.1.12")


def test_only_an_unplugged_cable_takes_the_carrier_away(plain_lab: Lab) -> None:
    def carrier() -> str:
        return plain_lab.run("n1", ["ip", "-br", "link", "show", "LAN"]).out.split()[1]

    plain_lab.fault("cut_lan", node="n1")
    assert carrier() == "UP"
    plain_lab.fault("cut_lan", node="n1", how="unplug")
    assert carrier() in ("DOWN", "LOWERLAYERDOWN")
    plain_lab.fault("restore_path", node="n1")
    assert carrier() == "UP"


def test_a_rough_path_delays_and_still_carries_large_transfers_intact(plain_lab: Lab) -> None:
    """Frames that the kernel merged or left without a checksum must survive the wire process."""
    plain_lab.fault("rough_path", node="n1", network="lan", delay_ms="30")
    receive = (
        "import socket, hashlib; l = socket.create_server(('', 9)); c, _ = l.accept(); h = hashlib.sha256()\n"
        "while d := c.recv(65536): h.update(d)\nprint(h.hexdigest())"
    )
    plain_lab.start("receiver", "n1", ["python", "-uc", receive])
    send = (
        "import socket, time\nfor k in range(50):\n try: s = socket.create_connection(('10.77.0.11', 9), 5); break\n"
        " except ConnectionRefusedError: time.sleep(.05)\n"
        "t = time.time(); s.sendall(b'x' * 3_000_000); s.close()"
    )
    assert plain_lab.run("client", ["python", "-c", send]).code == 0
    plain_lab.ask("wait", name="receiver", timeout_s=20)
    plain_lab.stop("receiver")
    assert hashlib.sha256(b"x" * 3_000_000).hexdigest() in (plain_lab.places.logs / "receiver.log").read_text()
    with load(plain_lab, "http://10.77.0.11/", every_ms=20) as asked:
        time.sleep(0.5)
    # A connection and a request are two round trips of twice the delay each.
    assert min(sample.end_s - sample.start_s for sample in asked.samples) >= 0.12


def test_a_lossy_path_loses_some_and_not_all(plain_lab: Lab) -> None:
    plain_lab.fault("rough_path", node="n1", network="lan", loss_percent="40")
    with load(plain_lab, "http://10.77.0.11/", every_ms=5, timeout_ms=300) as asked:
        time.sleep(1.5)
    assert 0 < asked.summary.failures < asked.summary.requests


def test_a_removed_disk_path_is_gone_on_that_node_only_and_comes_back_whole(plain_lab: Lab) -> None:
    page = plain_lab.places.disk(DISK) / "content" / "shop" / "index.html"
    plain_lab.fault("remove_disk_path", node="n1")
    assert plain_lab.run("n1", ["ls", str(plain_lab.places.disks)]).out == ""
    assert plain_lab.run("n2", ["cat", str(page)]).code == 0
    plain_lab.fault("restore_disk_path", node="n1")
    assert plain_lab.run("n1", ["cat", str(page)]).out == page.read_text()


def test_a_removed_certificate_is_gone_and_comes_back(plain_lab: Lab) -> None:
    store = plain_lab.places.node("n1") / "standin" / "certs" / "My"
    before = sorted(path.name for path in store.iterdir())
    assert before == [f"{plain_lab.generated()['lab_https_thumbprint']}.pem"]
    plain_lab.fault("remove_certificate", node="n1")
    assert list(store.iterdir()) == []
    plain_lab.fault("restore_certificate", node="n1")
    assert sorted(path.name for path in store.iterdir()) == before


def test_killing_the_service_kills_what_its_words_name_and_says_so_when_there_is_none(plain_lab: Lab) -> None:
    sleeper = "import time; time.sleep(60)  # holdfast.pyz"
    plain_lab.start("monitor", "n1", ["python", "-c", sleeper, "service"])
    deadline_s = time.monotonic() + 5
    while time.monotonic() < deadline_s:
        try:
            plain_lab.fault("kill_service", node="n1")
            break
        except LabError:
            time.sleep(0.05)
    plain_lab.ask("wait", name="monitor", timeout_s=5)
    plain_lab.stop("monitor")
    with pytest.raises(LabError, match=r"no process of n1 has holdfast\.pyz and service"):
        plain_lab.fault("kill_service", node="n1")


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("power_of", {"node": "n1"}, "no fault 'power_of'; there are: power_off"),
        ("power_off", {}, r"missing \['node'\]"),
        ("power_off", {"node": "n1", "now": "yes"}, r"unknown \['now'\]"),
        ("power_off", {"node": "n9"}, "no machine 'n9' in this lab; there are: n1, n2, client"),
        ("cut_path", {"node": "n1", "network": "c"}, "no network 'c' in this lab"),
        ("cut_path", {"node": "n1", "network": "a", "how": "half"}, "how='half' is not one of both"),
        ("rough_path", {"node": "n1", "network": "a", "loss_percent": "101"}, "loss_percent must be 0 to 100"),
        ("reboot", {"node": "n1", "hard": "maybe"}, "neither yes nor no"),
    ],
)
def test_a_fault_that_is_asked_for_wrongly_is_refused_with_what_to_write(
    plain_lab: Lab, name: str, arguments: dict[str, str], message: str
) -> None:
    with pytest.raises(LabError, match=message):
        plain_lab.fault(name, **arguments)
