# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nodes come and go while sites are served, as an administrator does it; docs/lifecycle.md."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from holdfast_lab.client.load import Load, load
from holdfast_lab.conftest import namespaces_or_skip
from holdfast_lab.demo.playbook import PlaybookError, Run, run_playbook
from holdfast_lab.scene import ADDRESSES, until
from holdfast_lab.trials.proof import TOLD
from holdfast_lab.world import launch
from holdfast_lab.world.calls import call
from holdfast_lab.world.places import REPOSITORY, Places
from holdfast_lab.world.remote import Lab
from holdfast_lab.world.seed import priorities

# Each test runs one whole playbook or more; together they are one story, told in order.
pytestmark = [pytest.mark.timeout(400), pytest.mark.long]

EVERY_MS = 10.0
HEARD_S = 15.0
WHILE_UPGRADED_S = 5.0
OURS = ("Holdfast", "HoldfastGuard")
HIGHEST = "highest: int = PROTOCOL"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Machines for three nodes and a witness; the cluster has n1 and n2."""
    namespaces_or_skip()
    with launch.running(Places(tmp_path_factory.mktemp("lifecycle")), launch.Wish(nodes=3, witness=True)) as running:
        play(running, "site.yml", nodes=("n1", "n2"))
        yield running


def test_a_third_node_joins_and_no_request_is_lost(lab: Lab) -> None:
    with nothing_lost(lab):
        play(lab, "site.yml")
    until_all_hear(lab, "n1", "n2", "n3")
    assert holders(lab, "n3") == {"shop": "n1", "docs": "n2"}
    assert {node: view(lab, node)["config_hash"] for node in ("n2", "n3")} == dict.fromkeys(
        ("n2", "n3"), view(lab, "n1")["config_hash"]
    )


def test_a_node_that_leaves_gives_away_what_it_has_and_keeps_nothing_of_holdfast(lab: Lab) -> None:
    three_nodes(lab)
    call(lab, "n1", "in_service", {"tags": ["docs"], "node": "n3"})
    with load(lab, url("shop"), every_ms=EVERY_MS, timeout_ms=1000) as asked:
        play(lab, "remove_node.yml", node="n3")
    assert asked.summary.failures == 0, asked.summary

    assert holders(lab, "n1") == {"shop": "n1", "docs": "n2"}
    assert [row["name"] for row in view(lab, "n1")["nodes"]] == ["n1", "n2"]
    assert view(lab, "n1")["warnings"] == []
    there = lab.places.node("n3") / "C"
    assert not (there / "ProgramData" / "Holdfast").exists()
    assert not (there / "Program Files" / "Holdfast").exists()
    assert not set(OURS) & set(services(lab, "n3"))


def test_check_mode_tells_what_would_move_from_a_node_that_leaves(lab: Lab) -> None:
    three_nodes(lab)
    call(lab, "n1", "in_service", {"tags": ["docs"], "node": "n3"})

    checked = play(lab, "remove_node.yml", node="n3", check=True)

    assert "docs would be brought in service on n2, from n3" in "\n".join(checked.messages)
    assert holders(lab, "n1") == {"shop": "n1", "docs": "n3"}
    call(lab, "n1", "in_service", {"tags": ["docs"], "node": "n2"})


def test_a_node_that_died_is_removed_refused_when_it_comes_back_and_replaced_by_an_empty_one(lab: Lab) -> None:
    three_nodes(lab)
    lab.fault("power_off", node="n1")
    until(lambda: holders(lab, "n2")["shop"] == "n2", within_s=20, or_say=lambda: f"{holders(lab, 'n2')}")

    with pytest.raises(PlaybookError, match="n1 cannot be reached, and may still serve where nobody sees it"):
        play(lab, "remove_node.yml", node="n1")
    with nothing_lost(lab):
        play(lab, "remove_node.yml", node="n1", off=True)
    assert [row["name"] for row in view(lab, "n2")["nodes"]] == ["n2", "n3"]

    with nothing_lost(lab):
        lab.fault("power_on", node="n1")
        until(lambda: refused(lab, "n3") > 0, within_s=60, or_say=lambda: "n3 does not refuse n1")
        time.sleep(10.0)  # longer than any lease
        came_back = view(lab, "n1")
    assert {group["state"] for group in came_back["groups"]} <= {"out_of_service", "unknown"}
    assert "n1 calls, with a certificate of this cluster, and is no node of it" in "\n".join(
        view(lab, "n3")["warnings"]
    )
    assert "n1 is no node of cluster web for this witness" in "\n".join(came_back["warnings"])

    lab.fault("power_off", node="n1")
    empty(lab, "n1")
    lab.fault("power_on", node="n1")
    with nothing_lost(lab):
        play(lab, "site.yml")
    until_all_hear(lab, "n1", "n2", "n3")
    call(lab, "n2", "in_service", {"tags": ["shop"], "node": "n1"})
    assert holders(lab, "n3") == {"shop": "n1", "docs": "n2"}


def test_another_machine_takes_the_place_and_the_name_of_a_dead_one(lab: Lab) -> None:
    three_nodes(lab)
    call(lab, "n1", "in_service", {"tags": ["docs"], "node": "n2"})
    lab.fault("power_off", node="n2")
    until(lambda: holders(lab, "n1")["docs"] in ("n1", "n3"), within_s=20, or_say=lambda: f"{holders(lab, 'n1')}")
    taken = holders(lab, "n1")

    empty(lab, "n2")
    with nothing_lost(lab):
        lab.fault("power_on", node="n2")
        play(lab, "site.yml")
    until_all_hear(lab, "n1", "n2", "n3")
    assert holders(lab, "n2") == taken, "it serves nothing by itself"
    call(lab, "n1", "in_service", {"tags": ["docs"], "node": "n2"})
    assert holders(lab, "n3")["docs"] == "n2"


def test_a_newer_release_comes_node_by_node_while_sites_are_served(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It speaks a newer protocol too. What a monitor costs that is back too late for its permit is told, not judged."""
    three_nodes(lab)
    before = holders(lab, "n1")
    older = version(lab, "n2", "n2")
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", f"{next_release(tmp_path)}:{REPOSITORY / '.build'}")
    with asking(lab) as asked:
        play(lab, "site.yml", limit="n1,localhost")
        until_all_hear(lab, "n1", "n2", "n3")
        assert version(lab, "n2", "n2") == older != version(lab, "n2", "n1"), "n1 is of the next release, n2 hears it"
        for node in ("n2", "n1"):
            call(lab, "n3", "in_service", {"tags": ["shop"], "node": node})
            assert holders(lab, "n2")["shop"] == holders(lab, "n1")["shop"] == node
        play(lab, "site.yml")
    until_all_hear(lab, "n1", "n2", "n3")
    assert {version(lab, "n1", node) for node in ("n1", "n2", "n3")} == {version(lab, "n2", "n1")}
    assert holders(lab, "n3") == {**before, "shop": "n1"}
    for tag, one in asked.items():
        lost_s = one.summary.longest_outage_ms / 1000
        TOLD.append(f"  rolling upgrade: {tag} {one.summary.failures} of {one.summary.requests}, {lost_s:.2f} s")
        assert lost_s < WHILE_UPGRADED_S


# -- the administrator ----------------------------------------------------------------------------------------------


def three_nodes(lab: Lab) -> None:
    """The cluster has n3 too; whatever ran before."""
    if [row["name"] for row in view(lab, "n2")["nodes"]] != ["n1", "n2", "n3"]:
        play(lab, "site.yml")
    until_all_hear(lab, "n1", "n2", "n3")


def next_release(folder: Path) -> Path:
    """A collections folder with this collection as its next release, whose monitors speak one protocol more."""
    release = folder / "ansible_collections" / "holdfast" / "iis"
    for part in ("meta", "plugins", "roles", "playbooks"):
        shutil.copytree(REPOSITORY / part, release / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "galaxy.yml", release)
    wire = release / "plugins" / "module_utils" / "monitor" / "core" / "wire" / "wire.py"
    text = wire.read_text(encoding="utf-8")
    assert text.count(HIGHEST) == 1
    wire.write_text(text.replace(HIGHEST, f"{HIGHEST} + 1"), encoding="utf-8")
    return folder


def play(
    lab: Lab,
    name: str,
    *,
    nodes: tuple[str, ...] = ("n1", "n2", "n3"),
    check: bool = False,
    limit: str = "",
    **said: Any,
) -> Run:
    """The playbook has run with these nodes in the inventory. Raises PlaybookError."""
    options = [*(["--check"] if check else []), *(["--limit", limit] if limit else [])]
    return run_playbook(name, inventory=[*inventory(lab, nodes), *options], variables=said or None)


def inventory(lab: Lab, nodes: tuple[str, ...]) -> list[str]:
    """The options that mean this lab with these nodes, the others not being there yet."""
    hosts: dict[str, Any] = yaml.safe_load(lab.places.hosts.read_text(encoding="utf-8"))
    further = hosts.pop("holdfast")["hosts"]
    hosts["holdfast"] = {"hosts": {name: host for name, host in further.items() if name in nodes}}
    described = lab.generated() | priorities(nodes)
    for path in described["lab_comm_paths"]:
        path["addresses"] = {node: address for node, address in path["addresses"].items() if node in nodes}
    written = written_to(lab.places.root / f"of-{len(nodes)}.yml", hosts)
    return ["-i", "inventory/lab", "-i", str(written), "-e", json.dumps(described)]


def written_to(path: Path, data: Mapping[str, Any]) -> Path:
    """The file has the data as YAML; a group without hosts is an empty one."""
    path.write_text(yaml.safe_dump(dict(data)), encoding="utf-8")
    return path


def empty(lab: Lab, node: str) -> None:
    """The machine, which is off, has another disk: nothing of Holdfast was ever on it."""
    for folder in ("ProgramData", "Program Files"):
        shutil.rmtree(lab.places.node(node) / "C" / folder / "Holdfast")
    file = lab.places.node(node) / "standin" / "services.json"
    known = services(lab, node)
    kept = {name: what for name, what in known.items() if name not in OURS}
    assert len(kept) == len(known) - len(OURS)
    file.write_text(json.dumps({"services": kept}), encoding="utf-8")


# -- what is seen -----------------------------------------------------------------------------------------------------


@contextmanager
def asking(lab: Lab) -> Iterator[Mapping[str, Load]]:
    """Clients of both sites ask every 10 ms in the meantime."""
    with ExitStack() as stack:
        yield {tag: stack.enter_context(load(lab, url(tag), every_ms=EVERY_MS, timeout_ms=1000)) for tag in ADDRESSES}


@contextmanager
def nothing_lost(lab: Lab) -> Iterator[None]:
    """Clients of both sites are all answered in the meantime."""
    with asking(lab) as asked:
        yield
    lost = {tag: (one.summary.failures, one.summary.errors) for tag, one in asked.items()}
    assert lost == dict.fromkeys(ADDRESSES, (0, {}))
    assert all(one.summary.requests > 100 for one in asked.values())


def url(tag: str) -> str:
    return f"http://{ADDRESSES[tag]}/"


def view(lab: Lab, node: str) -> dict[str, Any]:
    return call(lab, node, "cluster_info", {})


def version(lab: Lab, node: str, of: str) -> str:
    """The release of a node as another one knows it."""
    return str({row["name"]: row["version"] for row in view(lab, node)["nodes"]}[of])


def holders(lab: Lab, node: str) -> dict[str, str | None]:
    return {group["name"]: group["holder"] for group in view(lab, node)["groups"]}


def refused(lab: Lab, node: str) -> int:
    """How many connections of strangers the node has refused on its comm paths."""
    return int(view(lab, node)["refused_on_comm_paths"]["peer"])


def services(lab: Lab, node: str) -> dict[str, Any]:
    """The services that the machine has, by name."""
    file = lab.places.node(node) / "standin" / "services.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))["services"])


def until_all_hear(lab: Lab, *nodes: str) -> None:
    """No node warns of anything."""
    until(
        lambda: not any(view(lab, node)["warnings"] for node in nodes),
        within_s=HEARD_S,
        or_say=lambda: f"{[view(lab, node)['warnings'] for node in nodes]}",
    )
