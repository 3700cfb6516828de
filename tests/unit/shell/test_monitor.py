# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole monitors in one process: the service body as it runs on a node, real core and kits, real TLS on the
loopback, asked through the local endpoint; only the operating system is in memory."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from holdfast import paths
from holdfast.core.description import rulebook
from holdfast.core.values.model import Binding
from holdfast.errors import RequestError, SurfaceError
from holdfast.kits import web
from holdfast.kits.http_probe import Answer
from holdfast.service.client import ask
from holdfast.service.main import body
from holdfast.surface import Certificate
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

DISK = "HFLAB-DISK-0001"
VIP = "10.77.0.113"
THUMBPRINT = "AB" * 20


class Running:
    """A monitor in a thread of its own, as Windows would run it."""

    def __init__(self, surface: MemorySurface) -> None:
        self.surface = surface
        self.error: BaseException | None = None
        self._stop: Callable[[], None] | None = None
        self._ready = threading.Event()
        self.thread = threading.Thread(target=self._run, name=f"monitor-{surface.name}", daemon=True)
        self.thread.start()
        assert self._ready.wait(10)

    def _run(self) -> None:
        try:
            body(self.surface, "0.1.0+test", self._on_stop, lambda _shutdown: None)
        except BaseException as error:  # noqa: BLE001 - shown by the test that expects it, raised by stop otherwise
            self.error = error

    def _on_stop(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        self._ready.set()

    def stop(self) -> None:
        assert self._stop is not None
        self._stop()
        self.thread.join(10)
        assert not self.thread.is_alive()
        if self.error is not None:
            raise self.error

    def ask(self, verb: str, *, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
        request = {"protocol": 1, "verb": verb, "args": args, "check": check, "diff": diff}
        return ask(self.surface, request, ignore)

    def done(self, verb: str, **args: Any) -> dict[str, Any]:
        """The answer to a request that must succeed."""
        answer = self.ask(verb, **args)
        assert answer["ok"], answer
        return answer

    def refused(self, verb: str, **args: Any) -> dict[str, Any]:
        """The error of a request that must not succeed."""
        answer = self.ask(verb, **args)
        assert not answer["ok"], answer
        error: dict[str, Any] = answer["error"]
        return error


def ignore(news: Mapping[str, Any]) -> None:
    del news


def wait(condition: Callable[[], Any], what: str) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError(f"not within 10 s: {what}")


def free_port(address: str) -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])


@pytest.fixture(autouse=True)
def web_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sites of the memory surface listen nowhere; whether a site answers is tested with the kits."""

    def answers(binding: Binding, *, timeout_s: float) -> Answer:
        del timeout_s
        return Answer(status=200, thumbprint=binding.certificate)

    monkeypatch.setattr(web, "ask", answers)


class World:
    """Two nodes, their certificates, and everything described for them."""

    def __init__(self, folder: Path, authority: Any) -> None:
        self.memory = MemoryWorld(folder, disks=[DISK])
        self.running: dict[str, Running] = {}
        self.port = free_port("127.66.11.2")
        for name in ("n1", "n2"):
            surface = self.memory.node(name)
            made = authority.files(folder / f"pki-{name}", name)
            for target, source in (
                (paths.CA_CERTIFICATE, made.authority),
                (paths.NODE_CERTIFICATE, made.certificate),
                (paths.NODE_KEY, made.key),
            ):
                surface.put_file(target, source.read_bytes())
            surface.store.append(
                Certificate(
                    thumbprint=THUMBPRINT, subject="CN=shop", not_after="2030-01-01T00:00:00Z", has_private_key=True
                )
            )
        self.cluster: dict[str, Any] = {
            "name": "web",
            "arbiter": "manual",
            "profile": "fast",
            "comm_port": self.port,
            "comm_paths": [
                {"name": "path-a", "addresses": {"n1": "127.66.11.1", "n2": "127.66.11.2"}},
                {"name": "path-b", "addresses": {"n1": "127.66.12.1", "n2": "127.66.12.2"}},
            ],
        }
        both = {"priorities": {"n1": 1, "n2": 2}}
        self.ip: dict[str, Any] = {"tag": "ip-shop", "address": VIP, "prefix_length": 24, "interface": "LAN"} | both
        self.volume: dict[str, Any] = {"tag": "vol-shop", "drive": "X:", "driver": "shared_disk", "disk": DISK} | both
        self.site: dict[str, Any] = {
            "name": "shop",
            "kind": "web",
            "content": "X:\\shop",
            "app_pool": "shop",
            "bindings": [{"protocol": "http", "ip": VIP, "port": 80, "host": ""}],
        }
        self.hierarchy: dict[str, Any] = {"tag": "shop", "kind": "web", "site": "shop", "drain_s": 0} | both
        self.memory.disks[DISK].folder.joinpath("shop").mkdir()

    def start(self, *names: str) -> list[Running]:
        for name in names:
            self.running[name] = Running(self.memory.node(name))
        return [self.running[name] for name in names]

    def stop(self, *names: str) -> None:
        for name in names:
            self.running.pop(name).stop()

    def describe(self, *nodes: Running) -> None:
        for node in nodes:
            node.done("cluster", node=node.surface.name, cluster=self.cluster)
            node.done("site", sites=[self.site])
            node.done("ip", ips=[self.ip])
            node.done("volume", volumes=[self.volume])
            node.done("hierarchy", hierarchies=[self.hierarchy])
        if len(nodes) > 1:
            wait(lambda: all(agree(node) for node in nodes), "all nodes alive with one configuration")


def agree(node: Running) -> bool:
    status = node.done("cluster_info")["data"]
    return {row["config_hash"] for row in status["nodes"]} == {status["config_hash"]}


@pytest.fixture
def world(tmp_path: Path, authority: Any) -> Iterator[World]:
    made = World(tmp_path, authority)
    yield made
    made.stop(*list(made.running))


def group_of(node: Running) -> dict[str, Any]:
    (group,) = node.done("cluster_info")["data"]["groups"]
    assert isinstance(group, dict)
    return group


def all_alive(node: Running) -> bool:
    return all(row["state"] == "alive" for row in node.done("cluster_info")["data"]["nodes"])


def paths_up(node: Running) -> set[str]:
    nodes = node.done("cluster_info")["data"]["nodes"]
    return {path["name"] for row in nodes for path in row["paths"] if path["state"] == "up"}


# -- the first slice, whole -----------------------------------------------------------------------------


def test_a_group_is_described_placed_moved_and_taken_out_and_the_monitors_remember(world: World) -> None:
    n1, n2 = world.start("n1", "n2")
    world.describe(n1, n2)
    moves = n1.done("in_service", tags=["shop"], node=None, initial=True)["data"]["moves"]
    assert [(move["from"], move["to"], move["outcome"]) for move in moves] == [(None, "n1", "started")]
    surfaces = {name: world.memory.node(name) for name in ("n1", "n2")}
    assert [entry.address for entry in surfaces["n1"].entries] == [VIP]
    assert surfaces["n1"].iis_state(site="shop") == "started"

    answer = n1.done("in_service", tags=["shop"], node="n2", diff=True)
    (move,) = answer["data"]["moves"]
    assert (move["from"], move["to"], move["outcome"]) == ("n1", "n2", "moved")
    assert answer["diff"] == {"before": {"shop": {"in_service_on": "n1"}}, "after": {"shop": {"in_service_on": "n2"}}}
    assert [entry.address for entry in surfaces["n2"].entries] == [VIP]
    assert surfaces["n1"].entries == []
    assert surfaces["n1"].iis_state(site="shop") == "stopped"
    assert world.memory.disks[DISK].letters == {"n2": "X:"}

    n2.done("out_of_service", tags=["shop"])
    assert surfaces["n2"].entries == []
    world.stop("n1", "n2")
    n1, n2 = world.start("n1", "n2")
    for node in (n1, n2):
        wait(partial(all_alive, node), "both alive")
        assert group_of(node)["state"] == "out_of_service"
    time.sleep(0.5)
    assert surfaces["n1"].entries == surfaces["n2"].entries == []
    kinds = {record["kind"] for record in n2.done("history", limit=100)["data"]["records"]}
    assert {"moved", "out of service"} <= kinds


def test_a_monitor_that_restarts_adopts_what_runs_without_touching_it(world: World) -> None:
    n1, n2 = world.start("n1", "n2")
    world.describe(n1, n2)
    n1.done("in_service", tags=["shop"], node="n1")
    world.memory.node("n1").changes()
    world.stop("n1")
    (n1,) = world.start("n1")
    wait(lambda: group_of(n1)["state"] == "in_service", "in service again")
    assert [entry for entry in world.memory.node("n1").changes() if "shop" in entry or VIP in entry] == []


def test_the_second_description_changes_nothing_and_check_mode_touches_nothing(world: World) -> None:
    (n1,) = world.start("n1")
    foretold = n1.done("cluster", node="n1", cluster=world.cluster, check=True, diff=True)
    assert foretold["changed"]
    assert foretold["diff"]["after"]["name"] == "web"
    assert n1.done("cluster_info")["data"]["cluster"] is None
    assert n1.done("site", sites=[world.site], check=True)["data"] == {
        "sites": {"shop": {"state": "absent", "identical": False}}
    }
    assert n1.surface.changes() == []
    world.describe(n1)
    n1.surface.changes()
    state = n1.surface.local_path(paths.STATE + "\\config.json").read_bytes()

    def again(*, check: bool) -> list[dict[str, Any]]:
        return [
            n1.done("cluster", node="n1", cluster=world.cluster, check=check),
            n1.done("site", sites=[world.site], check=check),
            n1.done("ip", ips=[world.ip], check=check),
            n1.done("volume", volumes=[world.volume], check=check),
            n1.done("hierarchy", hierarchies=[world.hierarchy], check=check),
        ]

    for check in (False, True):
        assert [answer["changed"] for answer in again(check=check)] == [False] * 5
    answers = again(check=False)
    assert n1.surface.changes() == []
    assert n1.surface.local_path(paths.STATE + "\\config.json").read_bytes() == state
    assert answers[1]["data"]["sites"] == {"shop": {"state": "stopped", "identical": True}}
    assert answers[4]["data"]["groups"] == [{"name": "shop", "tags": ["vol-shop", "ip-shop", "shop"]}]
    assert answers[4]["data"]["config_hash"] == n1.done("cluster_info")["data"]["config_hash"]


# -- without a configuration --------------------------------------------------------------------------


def test_a_monitor_without_configuration_says_so_and_takes_the_first_description(world: World) -> None:
    (n1,) = world.start("n1")
    status = n1.done("cluster_info")["data"]
    assert (status["cluster"], status["groups"]) == (None, [])
    assert "belongs to no cluster yet" in status["warnings"][0]
    assert n1.refused("in_service", tags=["shop"], node="n1")["kind"] == "refused"
    assert n1.refused("ip", ips=[world.ip])["problems"][0]["rule"] == rulebook.CLUSTER_FIRST.id
    assert n1.done("history")["data"]["records"] == []
    foretold = n1.done("in_service", tags=["shop"], node=None, initial=True, check=True)
    assert foretold["changed"]
    assert foretold["data"]["moves"][0]["outcome"] == "predicted"
    n1.done("cluster", node="n1", cluster=world.cluster)
    status = n1.done("cluster_info")["data"]
    assert (status["cluster"], status["node"]) == ("web", "n1")
    assert status["loop_stall_ms_max"] < 1000


def test_a_node_does_not_become_another_one(world: World) -> None:
    (n1,) = world.start("n1")
    n1.done("cluster", node="n1", cluster=world.cluster)
    error = n1.refused("cluster", node="n2", cluster=world.cluster)
    assert "this node is 'n1' of cluster 'web' and cannot become 'n2'" in error["message"]
    assert "forget-state" in error["message"]


# -- what is in service -------------------------------------------------------------------------------


def test_what_is_in_service_keeps_what_it_stands_on(world: World) -> None:
    n1, n2 = world.start("n1", "n2")
    world.describe(n1, n2)
    n1.done("in_service", tags=["shop"], node="n1")
    binding = world.site["bindings"][0]
    moved = {**world.site, "bindings": [{**binding, "port": 81}]}
    n1.surface.changes()
    error = n1.refused("site", sites=[moved])
    (problem,) = error["problems"]
    assert (problem["rule"], problem["message"]) == (
        "HF701",
        "site 'shop' is in service on n1; its bindings cannot change now.",
    )
    assert "Take shop out of service" in problem["cure"]
    assert "guide chapter 6" in problem["chapter"]
    assert n1.refused("site", sites=[moved], check=True)["problems"] == [problem]
    assert "iis_commit" not in n1.surface.changes()
    assert n2.done("site", sites=[moved])["changed"], "on a standby a site can be put right at any time"
    assert n2.done("site", sites=[world.site])["changed"]
    other = {**world.ip, "address": "10.77.0.114"}
    assert n1.refused("ip", ips=[other])["problems"][0]["rule"] == "HF702"
    assert n1.refused("volume", volumes=[{**world.volume, "drive": "Y:"}])["problems"][0]["rule"] == "HF702"
    assert n1.refused("hierarchy", hierarchies=[], prune=True)["problems"][0]["rule"] == "HF703"
    pool = {**world.site, "app_pool": "other"}
    assert n1.done("site", sites=[pool])["changed"]
    n1.done("out_of_service", tags=["shop"])
    assert n1.done("site", sites=[moved])["changed"]


def test_a_certificate_may_be_replaced_while_the_site_is_in_service(world: World) -> None:
    binding = {"protocol": "https", "ip": VIP, "port": 443, "host": "shop.example.com", "sni": True}
    world.site["bindings"] = [*world.site["bindings"], {**binding, "certificate": THUMBPRINT}]
    n1, n2 = world.start("n1", "n2")
    world.describe(n1, n2)
    n1.done("in_service", tags=["shop"], node="n1")
    renewed = "CD" * 20
    n1.surface.store.append(replace(n1.surface.store[0], thumbprint=renewed))
    world.site["bindings"][1]["certificate"] = renewed
    assert n1.done("site", sites=[world.site])["changed"]
    assert n1.surface.bound["shop", f"{VIP}:443:shop.example.com"] == renewed
    assert n1.surface.iis_state(site="shop") == "started"


def test_a_missing_certificate_is_refused_and_nothing_is_changed(world: World) -> None:
    (n1,) = world.start("n1")
    binding = {"protocol": "https", "ip": VIP, "port": 443, "host": "", "certificate": "EF" * 20}
    error = n1.refused("site", sites=[{**world.site, "bindings": [binding]}])
    assert "certificate" in error["message"]
    assert n1.surface.changes() == []


def _goes_on(node: Running) -> bool:
    """Path-a is up, or nobody has been heard yet since the change."""
    return "path-a" in paths_up(node) or not all_alive(node)


def test_comm_paths_follow_a_new_address_and_the_core_knows_of_those_that_stayed(world: World) -> None:
    n1, n2 = world.start("n1", "n2")
    world.describe(n1, n2)
    wait(lambda: paths_up(n1) == paths_up(n2) == {"path-a", "path-b"}, "both paths up")
    world.cluster["comm_paths"][1]["addresses"] = {"n1": "127.66.13.1", "n2": "127.66.13.2"}
    for node in (n1, n2):
        node.done("cluster", node=node.surface.name, cluster=world.cluster)
        wait(partial(_goes_on, node), "path-a goes on")
    wait(lambda: paths_up(n1) == paths_up(n2) == {"path-a", "path-b"}, "both paths up again")
    downs = [r["text"] for r in n1.done("history", limit=100)["data"]["records"] if r["kind"] == "path down"]
    assert downs
    assert not any("path-a" in text for text in downs)


# -- trouble ------------------------------------------------------------------------------------------


def test_a_refused_state_file_is_told_to_whoever_asks_and_nothing_is_touched(world: World) -> None:
    n1, n2 = world.start("n1", "n2")
    world.describe(n1, n2)
    n1.done("in_service", tags=["shop"], node="n1")
    world.stop("n1")
    registers = n1.surface.local_path(paths.STATE + "\\registers.slots")
    registers.write_bytes(registers.read_bytes()[:40])
    n1.surface.changes()
    (n1,) = world.start("n1")
    for verb in ("cluster_info", "out_of_service", "history", "cluster"):
        error = n1.refused(verb, tags=["shop"])
        assert error["kind"] == "refused"
        assert "registers.slots is refused: it is torn" in error["message"]
    assert n1.surface.changes() == []
    assert any("is refused" in text for _, level, text in n1.surface.events if level == "error")


def test_iis_that_fails_is_a_failed_request_and_the_monitor_goes_on(world: World) -> None:
    (n1,) = world.start("n1")
    n1.surface.fail["iis_configuration"] = SurfaceError("iis_configuration", "the file is locked", 32)
    error = n1.refused("site", sites=[world.site])
    assert error["kind"] == "internal"
    assert "the file is locked" in error["message"]
    del n1.surface.fail["iis_configuration"]
    assert n1.done("site", sites=[world.site])["changed"]


@pytest.mark.parametrize(
    ("request_data", "kind", "said"),
    [
        ({"protocol": 1, "verb": "format_disk", "args": {}}, "rule", "'format_disk' is no verb of Holdfast"),
        ({"protocol": 9, "verb": "plan", "args": {}}, "refused", "speaks protocol 9 and this monitor 1"),
        ({"verb": "plan"}, "rule", "this is no request: protocol: is missing"),
        ([1], "rule", "this is no request: is a list"),
        (None, "rule", "this is no request: is None"),
        ({"protocol": 1, "verb": "history", "args": {"limit": 0}}, "rule", "write a whole number from 1 to"),
        ({"protocol": 1, "verb": "plan", "args": {"timeout_s": "x"}}, "rule", "timeout_s is 'x'; write seconds"),
        ({"protocol": 1, "verb": "in_service", "args": {"initial": True, "tags": "x"}}, "rule", "write a list of tags"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused_in_one_sentence(
    world: World, request_data: Any, kind: str, said: str
) -> None:
    (n1,) = world.start("n1")
    answer = ask(n1.surface, request_data, ignore)
    assert answer["error"]["kind"] == kind
    assert said in answer["error"]["message"]


# -- the local endpoint -------------------------------------------------------------------------------


def test_nobody_is_heard_without_the_token_and_the_file_is_for_administrators(world: World) -> None:
    (n1,) = world.start("n1")
    endpoint = n1.surface.local_path(paths.ENDPOINT)
    assert n1.surface.restricted == [paths.ENDPOINT + ".new"]
    found = json.loads(endpoint.read_bytes())
    request = {"protocol": 1, "verb": "cluster_info", "args": {}}
    lines: list[Any] = [
        {"token": "guess", "request": request},
        {"token": "", "request": request},
        {"token": None, "request": request},
        {"request": request},
        [],
    ]
    for line in lines:
        with socket.create_connection(("127.0.0.1", found["port"]), timeout=10) as caller:
            caller.sendall(json.dumps(line).encode() + b"\n")
            answer = json.loads(caller.makefile("rb").readline())
        assert answer["error"]["kind"] == "refused"
        assert "token" in answer["error"]["message"]
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100 + b"\n", b"[" * 100_000 + b"\n"):
        with socket.create_connection(("127.0.0.1", found["port"]), timeout=10) as caller:
            caller.sendall(noise)
            assert b"token" in caller.makefile("rb").readline()
    assert n1.done("cluster_info")["ok"]


def test_a_request_goes_on_when_its_asker_goes_away(world: World) -> None:
    (n1,) = world.start("n1")
    found = json.loads(n1.surface.local_path(paths.ENDPOINT).read_bytes())
    request = {"protocol": 1, "verb": "cluster", "args": {"node": "n1", "cluster": world.cluster}}
    with socket.create_connection(("127.0.0.1", found["port"]), timeout=10) as caller:
        caller.sendall(json.dumps({"token": found["token"], "request": request}).encode() + b"\n")
    wait(lambda: n1.done("cluster_info")["data"]["cluster"] == "web", "the cluster was described")


def test_a_service_that_is_just_starting_is_waited_for(world: World) -> None:
    surface = world.memory.node("n1")
    surface.services["Holdfast"] = "start_pending"
    late = threading.Timer(0.3, lambda: world.start("n1"))
    late.start()
    request = {"protocol": 1, "verb": "cluster_info", "args": {}, "check": False, "diff": False}
    assert ask(surface, request, ignore)["ok"]
    late.join()


def test_a_monitor_that_does_not_run_is_unreachable_with_how_to_start_it(world: World) -> None:
    (n1,) = world.start("n1")
    endpoint = n1.surface.local_path(paths.ENDPOINT)
    kept = endpoint.read_bytes()
    world.stop("n1")
    n1.surface.services["Holdfast"] = "stopped"
    assert not endpoint.exists()
    for content in (None, kept, b"garbage"):
        if content is not None:
            endpoint.write_bytes(content)
        with pytest.raises(RequestError) as error:
            n1.ask("cluster_info")
        assert error.value.kind == "unreachable"
    endpoint.write_bytes(kept)
    with pytest.raises(RequestError, match="Start-Service Holdfast"):
        n1.ask("cluster_info")
