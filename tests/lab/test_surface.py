# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's surface on two bare nodes: real addresses, real ARP, real files, in namespaces that end with each test."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from holdfast.surface import FOREVER_S
from holdfast_lab.arena import Node, NoNamespacesError, RemoteError, two_nodes
from holdfast_lab.surface import control, faults

SHOP = {"interface": "LAN", "address": "10.77.0.113"}
NEW = SHOP | {"prefix_length": 24, "skip_as_source": True, "lifetime_s": 30}
SITES = "system.applicationHost/sites"


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Node]]:
    try:
        with two_nodes(tmp_path_factory.mktemp("arena")) as made:
            yield made
    except NoNamespacesError as error:
        pytest.skip(f"no network namespaces on this machine: {error}")


@pytest.fixture
def nodes(arena: tuple[Node, Node]) -> Iterator[tuple[Node, Node]]:
    """Both nodes as they were made; what a test left on them is gone after it."""
    config = Path("C/Windows/System32/inetsrv/config")
    before = (arena[0].folder / config / "applicationHost.config").read_bytes()
    try:
        yield arena
    finally:
        for node in arena:
            faults.clear(node.folder)
            subprocess.run([*node.enter, "ip", "link", "set", "LAN", "up"], check=True)
            node.surface("remove_address", **SHOP)
            node.surface("unmount", letter="X:", force=True)
            (node.folder / config / "applicationHost.config").write_bytes(before)
            (node.folder / config / "redirection.config").unlink(missing_ok=True)
        (arena[0].folder.parent.parent / "disks" / "DISK-1" / "state.json").write_text("{}")


@pytest.fixture
def n1(nodes: tuple[Node, Node]) -> Node:
    return nodes[0]


@pytest.fixture
def n2(nodes: tuple[Node, Node]) -> Node:
    return nodes[1]


def shop_on(node: Node) -> dict[str, Any] | None:
    found = [one for one in node.surface("addresses") if one["address"] == SHOP["address"]]
    return found[0] if found else None


def wait_until(true: Callable[[], bool], *, within_s: float) -> bool:
    until_s = time.monotonic() + within_s
    while not true() and time.monotonic() < until_s:
        time.sleep(0.02)
    return true()


def refused(node: Node, primitive: str, *arguments: Any, **options: Any) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        node.surface(primitive, *arguments, **options)
    return caught.value


# -- network


def test_a_card_has_its_name_and_its_hardware_address(n1: Node) -> None:
    (card,) = n1.surface("interfaces")
    assert (card["name"], card["up"]) == ("LAN", True)
    assert len(bytes.fromhex(card["mac"].replace(":", ""))) == 6


def test_a_card_whose_other_end_is_down_is_down(n1: Node, n2: Node) -> None:
    subprocess.run([*n2.enter, "ip", "link", "set", "LAN", "down"], check=True)
    assert wait_until(lambda: not n1.surface("interfaces")[0]["up"], within_s=5)
    assert refused(n2, "neighbour", timeout_s=0.2, **SHOP).code == 1231


def test_an_added_address_is_usable_at_once_and_remembers_what_it_is(n1: Node) -> None:
    n1.surface("add_address", **NEW)
    assert shop_on(n1) == SHOP | {"prefix_length": 24, "usable": True, "skip_as_source": True, "lifetime_s": 30}


def test_the_permanent_address_stays_the_first(n1: Node) -> None:
    n1.surface("add_address", **(NEW | {"skip_as_source": False, "lifetime_s": FOREVER_S}))
    assert [(one["address"], one["lifetime_s"], one["skip_as_source"]) for one in n1.surface("addresses")] == [
        ("10.77.0.11", FOREVER_S, False),
        ("10.77.0.113", FOREVER_S, False),
    ]


def test_an_address_leaves_by_itself_when_its_lifetime_is_over(n1: Node) -> None:
    n1.surface("add_address", **(NEW | {"lifetime_s": 1}))
    assert wait_until(lambda: shop_on(n1) is None, within_s=4)


def test_adding_it_again_gives_it_a_new_lifetime(n1: Node) -> None:
    n1.surface("add_address", **(NEW | {"lifetime_s": 1}))
    n1.surface("add_address", **(NEW | {"lifetime_s": 60}))
    left = shop_on(n1)
    assert left is not None
    assert left["lifetime_s"] == 60


def test_removing_an_address_that_is_not_there_changes_nothing(n1: Node) -> None:
    n1.surface("add_address", **NEW)
    for _ in range(2):
        n1.surface("remove_address", **SHOP)
    assert [one["address"] for one in n1.surface("addresses")] == ["10.77.0.11"]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"interface": "WAN"}, "NotThereError"),
        ({"address": "fd00::1"}, "SurfaceError"),
        ({"prefix_length": 33}, "SurfaceError"),
        ({"lifetime_s": 0}, "SurfaceError"),
        ({"interface": "Heartbeat-Alpha"}, "SurfaceError"),
    ],
)
def test_an_address_that_cannot_be_is_refused(n1: Node, change: dict[str, Any], kind: str) -> None:
    assert refused(n1, "add_address", **(NEW | change)).kind == kind


def test_a_neighbour_is_who_answers_now(n1: Node, n2: Node) -> None:
    n1.surface("add_address", **NEW)
    assert n2.surface("neighbour", timeout_s=1.0, **SHOP) == n1.surface("interfaces")[0]["mac"]
    n1.surface("remove_address", **SHOP)
    began_s = time.monotonic()
    assert n2.surface("neighbour", timeout_s=0.3, **SHOP) is None
    assert time.monotonic() - began_s > 0.25


def test_a_node_with_the_address_sees_the_other_one_that_has_it(n1: Node, n2: Node) -> None:
    for node in (n1, n2):
        node.surface("add_address", **NEW)
    assert n1.surface("neighbour", timeout_s=1.0, **SHOP) == n2.surface("interfaces")[0]["mac"]


def test_an_announcement_corrects_the_neighbours_table(n1: Node, n2: Node) -> None:
    wrong = ["ip", "neighbour", "replace", SHOP["address"], "lladdr", "02:00:00:00:00:99", "dev", "LAN", "nud", "stale"]
    subprocess.run([*n2.enter, *wrong], check=True)
    n1.surface("add_address", **NEW)
    n1.surface("announce", **SHOP)
    mac = n1.surface("interfaces")[0]["mac"]
    show = [*n2.enter, "ip", "neighbour", "show", SHOP["address"]]
    assert wait_until(lambda: mac in subprocess.check_output(show, text=True), within_s=2)


def test_only_an_address_that_is_there_can_be_announced(n1: Node) -> None:
    assert refused(n1, "announce", **SHOP).kind == "NotThereError"


# -- the machine


def test_the_boot_id_is_the_one_of_this_start(n1: Node) -> None:
    assert n1.surface("boot_id") == "boot-of-n1"


def test_the_clock_goes_on(n1: Node) -> None:
    first, second = n1.surface("monotonic_s"), n1.surface("monotonic_s")
    assert 0 < second - first < 5


def test_a_windows_path_is_found_in_any_case(n1: Node) -> None:
    assert n1.surface("local_path", r"c:\inetpub\WWWROOT") == str(n1.folder / "C" / "inetpub" / "wwwroot")
    assert refused(n1, "local_path", "wwwroot").code == 123


def test_only_the_owner_can_read_what_was_restricted(n1: Node) -> None:
    file = n1.folder / "C" / "inetpub" / "token"
    file.write_text("secret")
    n1.surface("restrict_to_administrators", r"C:\INETPUB\token")
    n1.surface("restrict_to_administrators", r"C:\inetpub")
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    record = json.loads((n1.private / "restricted.json").read_text())
    assert record == {r"c:\inetpub": "administrators", r"c:\inetpub\token": "administrators"}
    assert refused(n1, "restrict_to_administrators", r"C:\nothing").kind == "NotThereError"


def test_an_event_stands_in_the_log(n1: Node) -> None:
    n1.surface("log_event", event_id=100, level="warning", text="Größe")
    (line,) = (n1.private / "eventlog.jsonl").read_text(encoding="utf-8").splitlines()
    event = json.loads(line)
    assert (event["source"], event["event_id"], event["level"], event["text"]) == ("Holdfast", 100, "warning", "Größe")


SERVICE = """
import sys, threading
from holdfast.surface import open_surface

def main(on_stop, on_shutdown):
    stopped = threading.Event()
    on_stop(stopped.set)
    print("running", flush=True)
    print("stopped" if stopped.wait(10) else "nobody stopped me", flush=True)

open_surface().run_service(name="Holdfast", main=main)
print("reported", flush=True)
"""


STARTED = "import os; os.environ['HOLDFAST_STANDIN_SERVICE'] = 'Holdfast'"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_request_ends_the_service(n1: Node, number: signal.Signals) -> None:
    with (
        control.listen(n1.private / "scm.sock") as manager,
        n1.start(sys.executable, "-c", STARTED + SERVICE, stdout=subprocess.PIPE) as program,
    ):
        try:
            manager.settimeout(10)
            connection, _client = manager.accept()
            with connection, connection.makefile("rwb") as lines:
                assert json.loads(lines.readline()) == {"op": "report", "name": "Holdfast", "state": "running"}
                lines.write(b'{"ok": true}\n')
            assert program.stdout is not None
            assert program.stdout.readline() == b"running\n"
            program.send_signal(number)
            assert program.stdout.read() == b"stopped\nreported\n"
            assert program.wait(10) == 0
        finally:
            program.kill()


def test_a_service_that_the_service_control_manager_did_not_start_does_not_run(n1: Node) -> None:
    with n1.start(sys.executable, "-c", SERVICE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        out, error = program.communicate(timeout=20)
    assert out == b""
    assert b"this process was not started by the service control manager (code 0x00000427)" in error


def test_the_state_of_a_service_is_asked_from_the_service_control_manager(n1: Node) -> None:
    asked: list[dict[str, Any]] = []

    def serve(listener: socket.socket) -> None:
        for _ in range(2):
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as lines:
                asked.append(json.loads(lines.readline()))
                state = "running" if len(asked) == 1 else "on fire"
                lines.write(json.dumps({"ok": True, "state": state}).encode() + b"\n")

    with control.listen(n1.private / "scm.sock") as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        try:
            assert n1.surface("service_state", "W3SVC") == "running"
            assert "on fire" in str(refused(n1, "service_state", "W3SVC"))
        finally:
            thread.join()
    assert asked[0] == {"op": "state", "name": "W3SVC"}


def test_without_a_service_control_manager_there_is_no_state(n1: Node) -> None:
    assert refused(n1, "service_state", "W3SVC").kind == "SurfaceError"


# -- storage


def test_a_node_sees_its_system_disk_and_the_shared_one(n1: Node) -> None:
    system, shared = n1.surface("disks")
    assert (system["online"], system["letters"]) == (True, ["C:"])
    assert shared == {"id": "DISK-1", "online": False, "read_only": False, "holder": None, "letters": []}


def test_a_disk_is_handed_over_and_never_has_two_writers(n1: Node, n2: Node) -> None:
    for node in (n1, n2):
        node.surface("reserve_disk", disk="DISK-1", key=node.name, preempt=None)
        node.surface("set_disk_online", disk="DISK-1", online=True)
        node.surface("mount", disk="DISK-1", letter="X:")
        file = Path(node.surface("local_path", r"X:\who"))
        file.write_text(node.name)
        assert refused(n2 if node is n1 else n1, "reserve_disk", disk="DISK-1", key="other", preempt=None).code == 170
        node.surface("unmount", letter="X:", force=False)
        assert not file.exists()
        node.surface("set_disk_online", disk="DISK-1", online=False)
        node.surface("release_disk", disk="DISK-1", key=node.name)


def test_open_files_and_wrong_letters_are_refused_with_the_codes_of_windows(n1: Node) -> None:
    n1.surface("set_disk_online", disk="DISK-1", online=True)
    n1.surface("mount", disk="DISK-1", letter="X:")
    with Path(n1.surface("local_path", r"X:\log")).open("w"):
        assert refused(n1, "unmount", letter="X:", force=False).code == 5
    n1.surface("unmount", letter="X:", force=False)
    assert refused(n1, "mount", disk="DISK-1", letter="x:").code == 123
    assert refused(n1, "mount", disk="DISK-2", letter="X:").kind == "NotThereError"


# -- IIS without its service


COMMIT = """
import json, sys
from holdfast.surface import ConfigChange, open_surface

open_surface().iis_commit([ConfigChange(**one) for one in json.loads(sys.argv[1])])
"""


def test_a_commit_is_in_the_file_and_a_refused_one_is_not(n1: Node) -> None:
    config = n1.folder / "C/Windows/System32/inetsrv/config/applicationHost.config"
    site = {"op": "set", "section": SITES, "path": [["site", {"name": "shop"}]], "attributes": {"id": "7"}}
    with n1.start(sys.executable, "-c", COMMIT, json.dumps([site])) as program:
        assert program.wait(10) == 0
    assert '<site name="shop" id="7"' in config.read_text()
    assert n1.surface("iis_configuration") == config.read_text()
    before = config.read_bytes()
    wrong = site | {"attributes": {"id": "0"}}
    with n1.start(sys.executable, "-c", COMMIT, json.dumps([wrong]), stderr=subprocess.PIPE) as program:
        assert program.stderr is not None
        assert b"id='0' is refused" in program.stderr.read()
    assert config.read_bytes() == before


def test_a_redirected_configuration_is_the_one_that_counts(n1: Node) -> None:
    folder = n1.folder / "C/Windows/System32/inetsrv/config"
    shared = n1.folder / "C/shared"
    shared.mkdir()
    (shared / "applicationHost.config").write_text("<configuration />")
    for enabled, text in (("true", "<configuration />"), ("false", (folder / "applicationHost.config").read_text())):
        redirection = f'<configurationRedirection enabled="{enabled}" path="C:\\Shared" />'
        (folder / "redirection.config").write_text(f"<configuration>{redirection}</configuration>")
        assert n1.surface("iis_configuration") == text


def test_without_the_web_service_nothing_can_be_started(n1: Node) -> None:
    assert refused(n1, "iis_state", site="shop").code == 0x80070426


# -- faults


def test_a_primitive_fails_on_demand(n1: Node) -> None:
    faults.inject(n1.folder, {"add_address:10.77.0.113": {"fail": "the card is on fire", "code": 1117}})
    error = refused(n1, "add_address", **NEW)
    assert (error.code, "the card is on fire" in str(error)) == (1117, True)
    assert shop_on(n1) is None
    faults.clear(n1.folder)
    n1.surface("add_address", **NEW)


def test_a_file_of_faults_that_is_wrong_fails_everything(n1: Node) -> None:
    (n1.private / "faults.json").write_text('{"add_adress": {"fail": "typo"}}')
    assert "'add_adress' is no primitive" in str(refused(n1, "addresses"))
