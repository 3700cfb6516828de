# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The authority of the comm paths is exchanged while sites are served; playbooks/rotate_authority.yml."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from holdfast_lab.client.load import load
from holdfast_lab.conftest import namespaces_or_skip
from holdfast_lab.demo.playbook import PlaybookError, run_playbook
from holdfast_lab.trials.stage import set_up
from holdfast_lab.world import launch
from holdfast_lab.world.calls import call
from holdfast_lab.world.places import Places
from holdfast_lab.world.remote import Lab

# The set-up by the playbook takes a minute on busy cores.
pytestmark = [pytest.mark.timeout(300), pytest.mark.long]

SHOP = "http://10.77.0.113/"
DIAL = """
import socket, ssl, sys
folder, address = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.load_verify_locations(f"{folder}/trusted.crt")
context.load_cert_chain(f"{folder}/nodes/n1.crt", f"{folder}/nodes/n1.key")
with context.wrap_socket(socket.create_connection((address, 7430), 5)) as link:
    link.settimeout(1)
    try:
        link.recv(1)
    except TimeoutError:
        print("accepted")
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    namespaces_or_skip()
    with launch.running(Places(tmp_path_factory.mktemp("rotation")), launch.Wish(witness=True)) as running:
        set_up(running)
        yield running


@pytest.fixture
def files(lab: Lab) -> Path:
    """The folder on the control host with keys and certificates."""
    return Path(yaml.safe_load(lab.places.generated.read_text(encoding="utf-8"))["lab_cluster_pki"])


def test_no_request_and_no_path_is_lost_and_the_former_certificates_are_refused(
    lab: Lab, files: Path, tmp_path: Path
) -> None:
    former = shutil.copytree(files, tmp_path / "former")
    assert dial(lab, former) == "accepted"
    with load(lab, SHOP, every_ms=20, timeout_ms=1000) as asked:
        run_playbook("rotate_authority.yml", inventory=lab.inventory)
        for network in ("a", "b"):  # what is dialled anew uses the new certificates
            lab.fault("cut_path", node="n1", network=network)
            time.sleep(2.0)
            lab.fault("heal")
            until_all_paths_are_up(lab)
    assert asked.summary.failures == 0
    assert dial(lab, former, trusted=files) != "accepted"
    for name in ("ca.crt", "ca.key", "nodes/n1.key", "nodes/w1.crt"):
        assert (files / name).read_bytes() != (former / name).read_bytes()


def test_afterwards_the_set_up_has_nothing_to_do(lab: Lab) -> None:
    hosts = set_up(lab).hosts
    assert {name: counts["changed"] for name, counts in hosts.items()} == dict.fromkeys(hosts, 0)


def test_a_rotation_stops_when_a_machine_does_not_answer_and_the_next_run_goes_on(lab: Lab, files: Path) -> None:
    first = (files / "ca.crt").read_bytes()
    lab.fault("power_off", node="w1")
    with pytest.raises(PlaybookError, match="w1"):
        run_playbook("rotate_authority.yml", inventory=lab.inventory)
    assert (files / "ca.crt").read_bytes() == first
    announced = (files / "next.crt").read_bytes()
    lab.fault("heal")
    run_playbook("rotate_authority.yml", inventory=lab.inventory)
    assert (files / "ca.crt").read_bytes() == announced
    assert sorted(path.name for path in files.iterdir()) == ["ca.crt", "ca.key", "nodes", "trusted.crt"]


def dial(lab: Lab, mine: Path, *, trusted: Path | None = None) -> str:
    """What a caller hears who shows n2 the certificate of n1 in this folder."""
    if trusted:
        shutil.copy(trusted / "trusted.crt", mine / "trusted.crt")
    outcome = lab.run("n1", ["python", "-c", DIAL, str(mine), "10.77.1.12"], timeout_s=20)
    return str(outcome.out).strip()


def until_all_paths_are_up(lab: Lab) -> None:
    deadline_s = time.monotonic() + 20.0
    while not all(paths_up(lab, node) for node in ("n1", "n2")):
        assert time.monotonic() < deadline_s, "a path does not come back"
        time.sleep(0.2)


def paths_up(lab: Lab, node: str) -> bool:
    """Whether the node hears its peer on both networks and the arbiter answers it."""
    seen = call(lab, node, "cluster_info", {})
    paths = [path["state"] for other in seen["nodes"] for path in other["paths"]]
    return len(paths) == 2 and set(paths) == {"up"} and bool(seen["voting"]["answers"])
