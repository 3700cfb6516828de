# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks on fresh nodes, over WinRM: predicted, done, done again, interrupted, refused."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from holdfast_lab.conftest import namespaces_or_skip
from holdfast_lab.demo.playbook import PlaybookError, Run, environment, run_playbook
from holdfast_lab.world import launch
from holdfast_lab.world.calls import call
from holdfast_lab.world.places import REPOSITORY, Places
from holdfast_lab.world.remote import Lab

# Some tests run the whole set-up several times; once takes 10 to 15 s alone on two cores and far longer on busy ones.
pytestmark = pytest.mark.timeout(400)

NODES = ("n1", "n2")
KILLS = {
    "Put the runtime and the package beside older ones": 0.6,
    "Run the service with this package": 0.4,
    "Bring what is new in service on its preferred node": 0.15,
}
"""Where ansible-playbook is killed: so many seconds after this task began."""


@dataclass
class Story:
    """A run of a playbook: what each task did on each host."""

    check: bool = False
    tasks: list[tuple[str, str, str]] = field(default_factory=list)
    hosts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    _task: str = ""

    def told(self, event: Mapping[str, Any]) -> None:
        if event["event"] == "task":
            self._task = f"{event['role']}: {event['task']}"
        elif event["event"] == "result":
            self.tasks.append((event["host"], self._task, event["status"]))

    @property
    def changed(self) -> list[tuple[str, str]]:
        """The tasks that changed a node, in a fixed order."""
        return sorted((host, task) for host, task, status in self.tasks if host in NODES and status == "changed")


@dataclass(frozen=True)
class FirstRuns:
    """Fresh nodes before and after check mode, the run it predicted, and the same again."""

    lab: Lab
    before: str
    checked: Story
    after_check: str
    ran: Story
    again: Story


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FirstRuns]:
    namespaces_or_skip()
    with launch.running(Places(tmp_path_factory.mktemp("first")), launch.Wish(program="standin")) as lab:
        before = fingerprint(lab)
        checked = site(lab, check=True)
        after_check = fingerprint(lab)
        yield FirstRuns(
            lab=lab,
            before=before,
            checked=checked,
            after_check=after_check,
            ran=site(lab),
            again=site(lab),
        )


def test_check_mode_before_the_first_run_changes_nothing_on_the_nodes(first: FirstRuns) -> None:
    assert first.after_check == first.before


def test_check_mode_before_the_first_run_predicts_what_the_run_then_does(first: FirstRuns) -> None:
    assert first.ran.changed
    assert first.checked.changed == first.ran.changed


def test_a_second_run_changes_nothing(first: FirstRuns) -> None:
    assert {host: counts["changed"] for host, counts in first.again.hosts.items()} == {"localhost": 0, "n1": 0, "n2": 0}


def test_new_groups_start_on_their_preferred_nodes(first: FirstRuns) -> None:
    assert holders(first.lab) == {"shop": "n1", "docs": "n2"}


def test_keys_are_in_no_output_and_only_their_owner_reads_them(first: FirstRuns, tmp_path: Path) -> None:
    keys = Path(first.lab.generated()["lab_cluster_pki"])
    secret = (keys / "nodes/n1.key").read_text().splitlines()[1]
    play = [{"hosts": "holdfast", "gather_facts": False, "roles": ["holdfast.iis.pki"]}]
    (tmp_path / "pki.yml").write_text(json.dumps(play))
    for node in NODES:
        (first.lab.places.node(node) / "C/ProgramData/Holdfast/pki/node.key").unlink()

    shown = ansible_playbook(first.lab, tmp_path / "pki.yml", "-vvvvv", "--diff")

    assert shown.count("changed: [n1]") == 1
    assert secret not in shown
    assert (keys / "ca.key").stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700


def test_status_shows_every_node_s_view(first: FirstRuns) -> None:
    run = run_playbook("status.yml", inventory=first.lab.inventory)

    text = "\n".join(run.messages)
    assert "seen from n1" in text
    assert "seen from n2" in text
    assert "Nothing is wrong." in text


def test_a_switchover_shows_its_plan_and_its_phases_and_a_later_run_moves_nothing_back(first: FirstRuns) -> None:
    lab = first.lab
    call(lab, "n1", "in_service", {"tags": ["docs", "shop"]})

    run = switchover(lab, "shop", "n2")
    call(lab, "n1", "out_of_service", {"tags": ["docs"]})
    again = site(lab)

    assert holders(lab) == {"shop": "n2", "docs": None}
    assert again.changed == []
    assert any("possible" in message for message in run.messages)
    assert any("clients waited" in message and "took (ms)" in message for message in run.messages)
    assert [move["outcome"] for move in run.moves] == ["moved"]


def test_failback_returns_what_is_away_and_leaves_what_was_stopped(first: FirstRuns) -> None:
    lab = first.lab
    call(lab, "n1", "in_service", {"tags": ["docs", "shop"]})
    switchover(lab, "shop", "n2")
    call(lab, "n1", "out_of_service", {"tags": ["docs"]})

    checked = run_playbook("failback.yml", inventory=(*lab.inventory, "--check"))
    assert holders(lab) == {"shop": "n2", "docs": None}
    run = run_playbook("failback.yml", inventory=lab.inventory)
    again = run_playbook("failback.yml", inventory=lab.inventory)

    assert holders(lab) == {"shop": "n1", "docs": None}
    assert "shop would be brought in service on n1, from n2" in "\n".join(checked.messages)
    assert "shop is in service on n1, came from n2; clients waited" in "\n".join(run.messages)
    assert "Every group in service is on its preferred node." in "\n".join(again.messages)


def test_an_explanation_says_why_and_what_if(first: FirstRuns) -> None:
    call(first.lab, "n1", "in_service", {"tags": ["shop"]})
    run = run_playbook("explain.yml", variables={"tag": "ip-shop"}, inventory=first.lab.inventory)

    text = "\n".join(run.messages)
    assert "WHY IT IS THERE" in text
    assert "n1 is its preferred node" in text
    assert "IF THIS DIED NOW" in text
    assert "seen from n1" in text
    with pytest.raises(PlaybookError, match="Did you mean 'shop'"):
        run_playbook("explain.yml", variables={"tag": "shpo"}, inventory=first.lab.inventory)


def test_a_switchover_that_cannot_succeed_is_refused_and_says_why(first: FirstRuns) -> None:
    lab = first.lab
    call(lab, "n1", "in_service", {"tags": ["docs", "shop"]})
    lab.fault("remove_disk_path", node="n2")
    try:
        with pytest.raises(PlaybookError) as caught:
            switchover(lab, "shop", "n2")
    finally:
        lab.fault("restore_disk_path", node="n2")

    assert "HF6" in str(caught.value)
    assert "disk" in str(caught.value)
    assert holders(lab)["shop"] == "n1"


def test_a_switchover_without_its_names_says_what_to_write(first: FirstRuns) -> None:
    with pytest.raises(PlaybookError, match="-e tag=shop -e node=n2"):
        run_playbook("switchover.yml", inventory=first.lab.inventory)


def test_a_bad_inventory_is_told_at_once_and_touches_nothing(first: FirstRuns) -> None:
    before = fingerprint(first.lab)
    bad = {
        "holdfast_volumes": [{"tag": "vol-shop", "drive": "x:", "disk": "", "priorities": {"n1": 1, "n2": 2}}],
        "holdfast_sites": [
            {
                "name": "my shop",
                "content": "\\\\nas\\shop",
                "bindings": [{"ip": "*", "port": 80}],
                "priorities": {"n1": 1, "n2": 1},
            }
        ],
    }
    story = Story()

    with pytest.raises(PlaybookError) as caught:
        run_playbook("site.yml", inventory=(*first.lab.inventory, "-e", json.dumps(bad)), told=story.told)

    for rule in ("HF401", "HF405", "HF201", "HF215", "HF204", "HF506"):
        assert f"[{rule}]" in str(caught.value)
    assert "holdfast_sites[0].bindings[0].ip" in str(caught.value)
    assert {task for _host, task, _status in story.tasks} == {": Check the cluster, its addresses, volumes and sites"}
    assert fingerprint(first.lab) == before


def test_what_was_interrupted_is_completed_by_the_next_run(lab_folder: Places) -> None:
    """ansible-playbook is killed at one place after the other, then a node loses power in the middle."""
    with launch.running(lab_folder, launch.Wish(program="standin")) as lab:

        def power_off(event: Mapping[str, Any]) -> None:
            if event["event"] == "task" and event["task"] == "Describe the switchable addresses":
                lab.fault("power_off", node="n2")

        reached = [kill_at(lab, task, after_s) for task, after_s in KILLS.items()]
        with pytest.raises(PlaybookError):
            run_playbook("site.yml", inventory=(*lab.inventory, "-T", "5"), told=power_off)
        lab.fault("power_on", node="n2")
        site(lab)
        again = site(lab)

        assert reached == list(KILLS)
        assert again.changed == []
        assert holders(lab) == {"shop": "n1", "docs": "n2"}


def site(lab: Lab, *, check: bool = False) -> Story:
    """The set-up playbook has run without a failure."""
    story = Story(check=check)
    run = run_playbook("site.yml", inventory=(*lab.inventory, *(["--check"] if check else [])), told=story.told)
    story.hosts = run.hosts
    return story


def switchover(lab: Lab, tag: str, node: str) -> Run:
    return run_playbook("switchover.yml", inventory=lab.inventory, variables={"tag": tag, "node": node})


def holders(lab: Lab) -> dict[str, str | None]:
    """Where each group is, as n1 knows; None for a group that is out of service."""
    groups = call(lab, "n1", "cluster_info", {})["groups"]
    return {group["name"]: group["holder"] if group["state"] == "in_service" else None for group in groups}


def kill_at(lab: Lab, task: str, after_s: float) -> str:
    """ansible-playbook and all its children were killed so long after this task began; the task's name."""
    command = [str(Path(sys.executable).parent / "ansible-playbook"), *lab.inventory, "playbooks/site.yml"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=REPOSITORY,
        env=environment(),
    ) as process:
        try:
            for line in process.stdout or ():
                event = json.loads(line) if line.startswith("{") else {}
                if event.get("event") == "task" and event["task"] == task:
                    time.sleep(after_s)
                    return task
        finally:
            for pid in (process.pid, *descendants(process.pid)):  # its workers are sessions of their own
                os.kill(pid, signal.SIGKILL)
    return ""


def descendants(pid: int) -> list[int]:
    children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*children, *(grandchild for child in children for grandchild in descendants(child))]


def ansible_playbook(lab: Lab, playbook: Path, *options: str) -> str:
    """What ansible-playbook showed."""
    command: Sequence[str] = (
        str(Path(sys.executable).parent / "ansible-playbook"),
        *lab.inventory,
        *options,
        str(playbook),
    )
    env = {**environment(), "ANSIBLE_STDOUT_CALLBACK": "default"}
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout + done.stderr


def fingerprint(lab: Lab) -> str:
    """Changes when a file of a node's drives does; temporary folders and what runs by itself are left out."""
    digest = hashlib.sha256()
    for node in NODES:
        root = lab.places.node(node) / "C"
        for path in sorted(path for path in root.rglob("*") if path.is_file()):
            inner = path.relative_to(root)
            if not {"Temp", "logs", "state", "run"} & set(inner.parts):
                digest.update(f"{node}/{inner}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
        for name in ("services", "firewall", "features", "access", "restricted"):
            record = lab.places.node(node) / f"standin/{name}.json"
            if record.exists() and json.loads(record.read_text()):
                digest.update(record.read_bytes())
    return digest.hexdigest()
