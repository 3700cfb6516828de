# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling a node with the real modules over WinRM, PSRP and SSH: what was asked arrives, what was answered comes back.

On the node is a program that keeps every request and answers with its arguments. The stand-in runs on a loopback
address, without namespaces and without root.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkout import ROOT, environment
from holdfast_lab.standin import tls

# The first test pays for the playbook: 10 s alone, several times that on a busy machine.
pytestmark = pytest.mark.timeout(180)
ADDRESS = "127.44.250.2"
TRANSPORTS = ("winrm", "psrp", "ssh")
ODD = "caf\u00e9 'single' \u2018curly\u2019 \"double\" $env:PATH `n %TEMP% \\ \U0001f600"
LARGE = 300_000
POINTER = '@rem Holdfast 0.1.0 x\r\n@"%~dp0runtimes\\r\\python.exe" "%~dp0versions\\v\\holdfast.pyz" %*\r\n'
PROGRAM = """
import json, os, sys
request = json.loads(sys.stdin.buffer.read().decode("utf-8-sig"))
with open(os.path.join(os.path.dirname(sys.argv[0]), "requests"), "a") as file:
    file.write(json.dumps(request) + "\\n")
sys.stderr.write("a line for the log\\n")
sys.stdout.write('{"progress": {"phase": "stop"}}\\n')
answer = {"ok": True, "changed": not request["check"], "diff": {"before": {"a": 1}, "after": {"a": 2}}}
if request["args"].get("tags") == ["fail"]:
    problem = {"rule": "HF601", "path": "vol-shop", "message": "The disk is away.", "cure": "Look.", "value": None}
    answer = {"ok": False, "error": {"kind": "refused", "message": "it stays", "problems": [problem]}}
elif "tags" in request["args"]:
    answer["data"] = {"stops": [{"tags": request["args"]["tags"], "outcome": "stopped"}]}
else:
    answer["data"] = {"config_hash": request["args"].get("node", "")}
sys.stdout.write(json.dumps(answer) + "\\nafterwards\\n")
"""
CLUSTER = {
    "name": "web",
    "comm_paths": [
        {"name": "a", "addresses": {"winrm": "10.0.1.1", "psrp": "10.0.1.2", "ssh": "10.0.1.3"}},
        {"name": "b", "addresses": {"winrm": "10.0.2.1", "psrp": "10.0.2.2", "ssh": "10.0.2.3"}},
    ],
}
TASKS: list[dict[str, Any]] = [
    {"name": "odd", "holdfast.iis.out_of_service": {"tags": [ODD]}},
    {"name": "large", "holdfast.iis.out_of_service": {"tags": ["x" * LARGE]}},
    {"name": "check", "holdfast.iis.out_of_service": {"tags": ["check"]}, "check_mode": True, "diff": True},
    {"name": "failed", "holdfast.iis.out_of_service": {"tags": ["fail"]}, "ignore_errors": True},
    {"name": "become", "holdfast.iis.out_of_service": {"tags": ["become"]}, "become": True, "ignore_errors": True},
    {"name": "async", "holdfast.iis.out_of_service": {"tags": ["a"]}, "async": 9, "poll": 1, "ignore_errors": True},
    {"name": "own name", "holdfast.iis.cluster": {"cluster": CLUSTER}},
    {"name": "other name", "holdfast.iis.cluster": {"cluster": CLUSTER}, "delegate_to": "winrm"},
]


@dataclass(frozen=True)
class Report:
    """What Ansible reported by task and host, and the requests that the program got."""

    tasks: dict[str, dict[str, dict[str, Any]]]
    requests: list[dict[str, Any]]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    site = tmp_path_factory.mktemp("call")
    node = site / "n1"
    password = secrets.token_urlsafe(12)
    versions = write_node(node, site, password)
    sockets = {name: listening() for name in ("winrm", "ssh")}
    process = start(site, node, sockets)
    try:
        yield Report(tasks=play(site, password, sockets), requests=requests(versions))
    finally:
        process.terminate()
        for item in sockets.values():
            item.close()
        process.wait(20)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_every_character_arrives_and_comes_back(report: Report, transport: str) -> None:
    assert report.tasks["odd"][transport]["stops"][0]["tags"] == [ODD]
    assert report.tasks["odd"][transport]["changed"]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_size_does_not_matter(report: Report, transport: str) -> None:
    assert report.tasks["large"][transport]["stops"][0]["tags"] == ["x" * LARGE]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_check_mode_and_diff_reach_the_node_and_the_diff_comes_back(report: Report, transport: str) -> None:
    result = report.tasks["check"][transport]

    assert not result["changed"]
    assert result["diff"]["before"] == {"a": 1}
    assert result["diff"]["after_header"] == f"out_of_service on {transport}"


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_refusal_is_a_failure_with_its_reason(report: Report, transport: str) -> None:
    result = report.tasks["failed"][transport]

    assert result["failed"]
    assert result["msg"] == f"{transport}: it stays.\n  - vol-shop: The disk is away. Look. [HF601]"


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize(("task", "says"), [("become", "become has no effect"), ("async", "does not support async")])
def test_what_cannot_work_is_refused_before_anything_is_sent(
    report: Report, transport: str, task: str, says: str
) -> None:
    assert says in report.tasks[task][transport]["msg"]
    assert not any(request["args"].get("tags") in (["become"], ["a"]) for request in report.requests)


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_node_is_named_as_the_host_that_the_task_is_for(report: Report, transport: str) -> None:
    assert report.tasks["own name"][transport]["config_hash"] == transport
    assert report.tasks["other name"][transport]["config_hash"] == "winrm"


def test_every_request_is_complete(report: Report) -> None:
    assert {frozenset(request) for request in report.requests} == {
        frozenset({"protocol", "verb", "args", "check", "diff"})
    }
    checks = [request for request in report.requests if request["check"]]
    assert [(request["args"]["tags"], request["diff"]) for request in checks] == [(["check"], True)] * len(TRANSPORTS)


def write_node(node: Path, site: Path, password: str) -> Path:
    """The node with the program on it; the folder in which the program keeps what it was asked."""
    private = node / "standin"
    private.mkdir(parents=True)
    (private / "users.json").write_text(json.dumps({"Administrator": password}))
    authority = tls.make_authority("test")
    (site / "ca.crt").write_bytes(authority.pem())
    tls.issue(authority, name="n1", addresses=[ADDRESS], certificate=private / "winrm.crt", key=private / "winrm.key")
    holdfast = node / "C/Program Files/Holdfast"
    for folder in ("runtimes/r", "versions/v"):
        (holdfast / folder).mkdir(parents=True)
    (holdfast / "holdfast.cmd").write_text(POINTER, newline="")
    (holdfast / "runtimes/r/python.exe").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (holdfast / "versions/v/holdfast.pyz").write_text(PROGRAM)
    return holdfast / "versions/v"


def requests(versions: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (versions / "requests").read_text().splitlines()]


def listening() -> socket.socket:
    listener = socket.socket()
    listener.bind((ADDRESS, 0))
    listener.listen(64)
    return listener


def start(site: Path, node: Path, sockets: dict[str, socket.socket]) -> subprocess.Popen[bytes]:
    """The stand-in runs and has said that it is ready."""
    ready, told = os.pipe()
    descriptors = {f"{name}_fd": item.fileno() for name, item in sockets.items()}
    (site / "config.json").write_text(json.dumps({"node": str(node), "ready_fd": told, **descriptors}))
    with (site / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "holdfast_lab.standin", str(site / "config.json")],
            pass_fds=[*descriptors.values(), told],
            env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT / ".build/python")},
            stdout=log,
            stderr=log,
        )
    os.close(told)
    with os.fdopen(ready, "rb") as pipe:
        assert pipe.readline() == b"ready\n", (site / "log").read_text()
    return process


def play(site: Path, password: str, sockets: dict[str, socket.socket]) -> dict[str, dict[str, dict[str, Any]]]:
    """What Ansible reported, by task and host."""
    known_hosts = f"-o UserKnownHostsFile={site / 'known_hosts'} -o StrictHostKeyChecking=accept-new"
    special: dict[str, dict[str, Any]] = {
        "winrm": {"ansible_winrm_transport": "ntlm", "ansible_winrm_ca_trust_path": str(site / "ca.crt")},
        "psrp": {"ansible_psrp_auth": "negotiate", "ansible_psrp_ca_cert": str(site / "ca.crt")},
        "ssh": {"ansible_shell_type": "powershell", "ansible_ssh_common_args": known_hosts},
    }
    common = {"ansible_host": ADDRESS, "ansible_user": "Administrator", "ansible_password": password}
    ports = {name: sockets["ssh" if name == "ssh" else "winrm"].getsockname()[1] for name in TRANSPORTS}
    hosts = {
        name: {**common, **special[name], "ansible_connection": name, "ansible_port": ports[name]}
        for name in TRANSPORTS
    }
    (site / "inventory.yml").write_text(json.dumps({"all": {"hosts": hosts}}))
    (site / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": TASKS}]))
    done = subprocess.run(
        ["ansible-playbook", "-i", str(site / "inventory.yml"), str(site / "play.yml")],
        cwd=ROOT,
        env={
            **environment(),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(site / "cp"),
        },
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stdout + done.stderr
    return {task["task"]["name"]: task["hosts"] for task in json.loads(done.stdout)["plays"][0]["tasks"]}
