# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The real playbooks reach the nodes over PSRP and SSH as they do over WinRM, which all other tests use."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from holdfast_lab.demo.playbook import PlaybookError, run_playbook
from holdfast_lab.scene import Scene
from holdfast_lab.world.topology import MANAGEMENT_PORTS

# The first test pays for the set-up of the cluster, which runs the whole playbook.
pytestmark = pytest.mark.timeout(180)


@pytest.mark.parametrize("transport", ["psrp", "ssh"])
def test_status_plan_and_switchover_work_over_other_connections(scene: Scene, transport: str) -> None:
    inventory = (*scene.lab.inventory, "-e", json.dumps(connection(scene, transport)))
    start_s = time.monotonic()

    run = run_playbook("switchover.yml", inventory=inventory, variables={"tag": "docs", "node": "n1"})

    assert [(move["from"], move["to"], move["outcome"]) for move in run.moves] == [("n2", "n1", "moved")]
    assert any("Moving docs (docs) from n2 to n1: possible" in message for message in run.messages)
    scene.await_served("docs", "n1")
    assert scene.arp_answers("docs", start_s, time.monotonic()) == ["n2", "n1"]


def test_a_switchover_fails_when_no_node_answers(scene: Scene) -> None:
    inventory = (*scene.lab.inventory, "-e", "ansible_password=wrong")

    with pytest.raises(PlaybookError, match=r"No node answers, so nothing was moved\. n1 said: .*rejected"):
        run_playbook("switchover.yml", inventory=inventory, variables={"tag": "docs", "node": "n1"})

    scene.await_standing("docs", "n2")


def connection(scene: Scene, transport: str) -> dict[str, Any]:
    """The variables of this connection plugin; address, user and password are the inventory's."""
    if transport == "psrp":
        return {
            "ansible_connection": "psrp",
            "ansible_psrp_auth": "negotiate",
            "ansible_psrp_ca_cert": str(scene.lab.places.pki / "ca.crt"),
        }
    known_hosts = scene.lab.places.root / "known_hosts"
    return {
        "ansible_connection": "ssh",
        "ansible_shell_type": "powershell",
        "ansible_port": MANAGEMENT_PORTS["ssh"],
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={known_hosts} -o StrictHostKeyChecking=accept-new",
    }
