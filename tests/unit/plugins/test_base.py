# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugins against a connection that answers as told: check mode, diff, errors, refusals."""

from __future__ import annotations

import base64
import importlib
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.template import Templar

COLLECTION = "ansible_collections.holdfast.iis.plugins"
IPS = [
    {"tag": "ip-a", "address": "10.0.0.9", "prefix_length": 24, "interface": "LAN", "priorities": {"n1": 1, "n2": 2}}
]
SITE = {
    "name": "shop",
    "tag": "web-shop",
    "content": "C:\\shop",
    "bindings": [{"ip": "10.0.0.9", "port": 80}],
    "priorities": {"n1": 1, "n2": 2},
    "drain_s": 3,
}


class Node:
    """A connection to a node that keeps what it was sent and answers as told."""

    transport = "winrm"
    allow_executable = False
    become: object = None

    def __init__(self, answer: Any = None, *, stderr: str = "", windows: bool = True) -> None:
        self._shell = SimpleNamespace(_IS_WINDOWS=windows, tmpdir="unused")
        self.requests: list[dict[str, Any]] = []
        self.commands: list[str] = []
        self.answer, self.stderr = answer, stderr

    def exec_command(self, cmd: str, in_data: bytes, sudoable: bool) -> tuple[int, bytes, bytes]:
        assert not sudoable
        self.commands.append(base64.b64decode(cmd.rpartition(" ")[2]).decode("utf-16-le"))
        self.requests.append(json.loads(in_data))
        out = b"" if self.answer is None else json.dumps(self.answer).encode() + b"\r\n"
        return 0, out, self.stderr.encode()


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs an action plugin for n1; ``installed`` is what win_stat would say of holdfast.cmd."""

    def _run(
        name: str, node: Node, args: dict[str, Any], *, check: bool = False, diff: bool = False, installed: bool = True
    ) -> dict[str, Any]:
        plugin = importlib.import_module(f"{COLLECTION}.action.{name}")
        task = Task()
        task.action, task.args, task.check_mode, task.diff = f"holdfast.iis.{name}", args, check, diff
        templar = Templar(DataLoader())
        context = SimpleNamespace(remote_user=None, executable=None)
        action = plugin.ActionModule(task, node, context, DataLoader(), templar)
        monkeypatch.setattr(plugin.ActionModule, "exists", lambda *_: installed, raising=False)
        return dict(action.run(task_vars={"inventory_hostname": "n1", "ansible_play_hosts_all": ["n1", "n2"]}))

    return _run


def test_the_answer_becomes_the_result(run: Run) -> None:
    node = Node({"ok": True, "changed": True, "diff": None, "data": {"config_hash": "abc"}})

    result = run("ip", node, {"ips": IPS})

    assert result == {"changed": True, "config_hash": "abc"}
    assert node.requests == [
        {"protocol": 1, "verb": "ip", "args": {"ips": IPS, "prune": False}, "check": False, "diff": False}
    ]


def test_check_mode_and_diff_are_asked_for_on_the_node(run: Run) -> None:
    node = Node({"ok": True, "changed": True, "diff": {"before": {}, "after": {"ip-a": 1}}, "data": {}})

    result = run("ip", node, {"ips": IPS}, check=True, diff=True)

    assert (node.requests[0]["check"], node.requests[0]["diff"]) == (True, True)
    assert result["diff"] == {
        "before": {},
        "after": {"ip-a": 1},
        "before_header": "ip on n1",
        "after_header": "ip on n1",
    }


def test_a_diff_that_nobody_asked_for_is_left_out(run: Run) -> None:
    node = Node({"ok": True, "changed": True, "diff": {"before": {}, "after": {"a": 1}}, "data": {}})

    assert "diff" not in run("ip", node, {"ips": IPS})


def test_no_data_stands_on_the_command_line(run: Run) -> None:
    node = Node({"ok": True, "changed": False, "data": {}})

    run("ip", node, {"ips": IPS})

    assert node.commands == ["$input | & 'C:\\Program Files\\Holdfast\\holdfast.cmd' 'call'; exit $LASTEXITCODE"]


def test_broken_rules_are_all_told_and_the_node_is_not_touched(run: Run) -> None:
    node = Node()

    result = run("ip", node, {"ips": [{"tag": "a b", "address": "x", "prefix_length": "y"}]})

    assert result["failed"]
    assert result["msg"].startswith("5 rules are broken; no node was touched.\n  - ips[0].")
    assert len(result["problems"]) == 5
    assert node.requests == []


def test_an_error_of_the_node_is_a_failure_with_its_problems(run: Run) -> None:
    problem = {
        "rule": "HF601",
        "path": "vol-shop",
        "message": "n2 does not see the disk.",
        "cure": "Look.",
        "value": None,
    }
    node = Node({"ok": False, "error": {"kind": "refused", "message": "shop cannot move to n2", "problems": [problem]}})

    result = run("in_service", node, {"tags": ["shop"], "node": "n2"})

    assert result["failed"]
    assert result["kind"] == "refused"
    assert result["msg"] == "n1: shop cannot move to n2.\n  - vol-shop: n2 does not see the disk. Look. [HF601]"


def test_check_mode_before_the_first_run_predicts_on_the_control_host(run: Run) -> None:
    result = run("ip", Node(), {"ips": IPS}, check=True, diff=True, installed=False)

    assert result["changed"]
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["ip-a"]["interfaces"] == {"n1": "LAN", "n2": "LAN"}


def test_check_mode_while_the_monitor_does_not_run_predicts_too(run: Run) -> None:
    node = Node({"ok": False, "error": {"kind": "unreachable", "message": "the monitor does not run"}})

    assert run("ip", node, {"ips": IPS}, check=True)["changed"]


def test_check_mode_before_the_first_run_predicts_moves(run: Run) -> None:
    result = run("in_service", Node(), {"tags": ["shop"], "initial": True}, check=True, installed=False)

    assert result["changed"]
    assert result["table"] == ["shop would be brought in service on its preferred node"]


def test_looking_before_the_first_run_is_no_failure_in_check_mode(run: Run) -> None:
    result = run("cluster_info", Node(), {}, check=True, installed=False)

    assert result == {"changed": False, "status": {}, "table": ["Holdfast does not run on this node yet."]}


def test_without_check_mode_a_node_without_holdfast_is_a_failure(run: Run) -> None:
    result = run("cluster_info", Node(), {}, installed=False)

    assert result["failed"]
    assert "Holdfast is not installed" in result["msg"]


def test_a_program_without_an_answer_is_a_failure_in_check_mode_too(run: Run) -> None:
    result = run("cluster_info", Node(stderr="KeyError: 1"), {}, check=True)

    assert result["failed"]
    assert "KeyError: 1" in result["msg"]


def test_become_is_refused_clearly(run: Run) -> None:
    node = Node({"ok": True, "changed": False})
    node.become = object()

    result = run("ip", node, {"ips": IPS})

    assert result["failed"]
    assert "become has no effect" in result["msg"]
    assert node.requests == []


def test_a_host_that_is_not_windows_is_refused_clearly(run: Run) -> None:
    result = run("ip", Node(windows=False), {"ips": IPS})

    assert result["failed"]
    assert "ansible_shell_type: powershell" in result["msg"]


def test_the_node_s_name_is_the_inventory_s_unless_it_is_given(run: Run) -> None:
    cluster = {
        "name": "web",
        "comm_paths": [
            {"name": "a", "addresses": {"n1": "10.0.1.1", "n2": "10.0.1.2"}},
            {"name": "b", "addresses": {"n1": "10.0.2.1", "n2": "10.0.2.2"}},
        ],
    }
    node = Node({"ok": True, "changed": False, "data": {}})

    run("cluster", node, {"cluster": cluster})
    run("cluster", node, {"cluster": cluster, "node": "n2"})

    assert [request["args"]["node"] for request in node.requests] == ["n1", "n2"]


def test_an_element_of_the_inventory_s_sites_serves_both_verbs(run: Run) -> None:
    node = Node({"ok": True, "changed": False, "data": {}})

    run("site", node, {"sites": [SITE]})
    run("hierarchy", node, {"hierarchies": [SITE]})

    site, hierarchy = (request["args"] for request in node.requests)
    assert site["sites"] == [{key: SITE[key] for key in ("name", "content", "bindings")}]
    assert hierarchy["hierarchies"] == [
        {"site": "shop", "tag": "web-shop", "priorities": {"n1": 1, "n2": 2}, "drain_s": 3}
    ]


def test_a_large_request_and_answer_pass(run: Run) -> None:
    ips = [{**IPS[0], "tag": f"ip-{n}", "address": f"10.{n // 250}.{n % 250}.9"} for n in range(5000)]
    node = Node({"ok": True, "changed": False, "data": {"config_hash": "x" * 1_000_000}})

    result = run("ip", node, {"ips": ips})

    assert len(node.requests[0]["args"]["ips"]) == 5000
    assert len(result["config_hash"]) == 1_000_000


def test_the_whole_inventory_is_taken_from_its_variables(run: Run) -> None:
    result = run("validate", Node(), {"nodes": ["n1", "n2"]})

    assert result["failed"]
    assert result["msg"] == (
        "1 rule is broken; no node was touched.\n"
        "  - holdfast_cluster: the cluster is missing. Describe the cluster with name, arbiter and comm_paths. [HF101]"
    )
