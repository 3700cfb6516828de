# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's world itself: what is apart from what, and that nothing is left of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from holdfast_lab.world import launch, namespaces
from holdfast_lab.world.hands import reaches, reaches_soon
from holdfast_lab.world.places import PYTHON_PATH, REPOSITORY, Places
from holdfast_lab.world.preflight import NotPossibleError
from holdfast_lab.world.remote import Lab

DISK = "HFLAB-DISK-0001"


def test_the_client_reaches_the_nodes_on_the_lan_only(plain_lab: Lab) -> None:
    assert reaches_soon(plain_lab, "client", "10.77.0.11")
    assert reaches_soon(plain_lab, "client", "10.77.0.12")
    assert not reaches(plain_lab, "client", "10.77.1.11")


def test_nodes_reach_each_other_on_all_three_networks(plain_lab: Lab) -> None:
    assert all(reaches_soon(plain_lab, "n1", f"10.77.{network}.12") for network in (0, 1, 2))


def test_the_hosts_network_has_none_of_the_labs_interfaces_addresses_or_routes(plain_lab: Lab) -> None:
    assert plain_lab.status()["machines"]["n1"]["state"] == "on"
    commands = (["ip", "link"], ["ip", "address"], ["ip", "route"])
    shown = "".join(subprocess.run(c, capture_output=True, text=True, check=True).stdout for c in commands)
    assert "Heartbeat" not in shown
    assert "10.77." not in shown
    assert "br-lan" not in shown


def test_a_node_sees_its_own_drive_and_disks_but_neither_its_peer_nor_the_control_socket(plain_lab: Lab) -> None:
    root = plain_lab.places.root
    seen = plain_lab.run("n1", ["find", str(root), "-maxdepth", "2", "-mindepth", "1"]).out.split()
    assert sorted(Path(path).relative_to(root).as_posix() for path in seen) == [
        "disks",
        f"disks/{DISK}",
        "nodes",
        "nodes/n1",
        "shares",
    ]


def test_a_node_sees_only_its_own_processes(plain_lab: Lab) -> None:
    code = "from pathlib import Path; print(*(p.read_bytes() for p in Path('/proc').glob('[0-9]*/cmdline')))"
    listed = plain_lab.run("n1", ["python", "-c", code]).out
    assert str(plain_lab.places.node("n1")) in listed
    assert str(plain_lab.places.node("n2")) not in listed


def test_management_is_reached_from_the_host_and_nothing_else_is(plain_lab: Lab) -> None:
    described = launch.describe(plain_lab.places)
    assert described is not None
    with urllib.request.urlopen(f"http://{described['management']['n2']}:5986/", timeout=5) as answer:
        assert answer.headers["X-Lab-Node"] == "n2"


def test_a_second_lab_in_the_same_folder_is_refused_and_the_first_goes_on(plain_lab: Lab) -> None:
    with pytest.raises(NotPossibleError, match=r"a lab runs in .*end it with: make lab-down"):
        launch.up(plain_lab.places, launch.Wish(program="plain"))
    assert plain_lab.status()["machines"]["n1"]["state"] == "on"


def test_down_leaves_no_process_no_socket_and_no_listener(lab_folder: Places) -> None:
    with launch.running(lab_folder, launch.Wish(nodes=3, program="plain")) as lab:
        lab.start("sleeper", "n3", ["sleep", "600"])
        described = launch.describe(lab_folder)
        assert described is not None
        inside = processes_below(int(described["pid"]))
        # unshare, process 1, the supervisor; then unshare, process 1 and mostly a program for each of four machines
        assert len(inside) >= 3 + 4 * 2 + 3
    assert gone_within(inside, 5.0)
    assert launch.leftovers(lab_folder) == []
    assert launch.down(lab_folder) is False


def test_nothing_outlives_a_supervisor_that_is_killed(lab_folder: Places) -> None:
    launch.up(lab_folder, launch.Wish(program="plain"))
    described = launch.describe(lab_folder)
    assert described is not None
    inside = processes_below(int(described["pid"]))
    [first] = namespaces.children_of(int(described["pid"]))
    os.kill(first, signal.SIGKILL)
    assert gone_within(inside, 5.0)
    launch.down(lab_folder)
    assert launch.leftovers(lab_folder) in ([], [lab_folder.description, lab_folder.control])


def test_a_leashed_lab_ends_with_the_process_that_started_it_even_when_that_is_killed(lab_folder: Places) -> None:
    code = (
        "import sys, time; from pathlib import Path; from holdfast_lab.world import launch; "
        "from holdfast_lab.world.places import Places; "
        f"launch.up(Places(Path({str(lab_folder.root)!r})), launch.Wish(program='plain', leashed=True)); "
        "print('up', flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(PYTHON_PATH)},
    )
    try:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "up\n"
        described = launch.describe(lab_folder)
        assert described is not None
        inside = processes_below(int(described["pid"]))
    finally:
        starter.kill()
        starter.communicate()
    assert gone_within(inside, 10.0)


def processes_below(pid: int) -> dict[int, str | None]:
    """This process and all its descendants, with their start times."""
    found = {pid: namespaces.started_at(pid)}
    for child in namespaces.children_of(pid):
        found |= processes_below(child)
    return found


def gone_within(processes: dict[int, str | None], timeout_s: float) -> bool:
    """Whether none of these processes runs any more."""
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        if not any(
            namespaces.started_at(pid) == started and namespaces.state_of(pid) not in ("Z", None)
            for pid, started in processes.items()
        ):
            return True
        time.sleep(0.02)
    return False
