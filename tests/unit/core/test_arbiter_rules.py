# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arbiter and recovery in the inventory: what is read, what is refused with which cure, what is warned of."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from holdfast.core.description.arbiter_rules import arbiter_warnings, check_timers
from holdfast.core.description.describe import RuleError, describe
from holdfast.core.description.rules import check_inventory
from holdfast.core.description.settings import read_cluster, read_config
from holdfast.core.values.model import (
    Arbiter,
    Cluster,
    Config,
    Etcd,
    Ip,
    Lan,
    Manual,
    Recovery,
    Share,
    Witness,
    as_data,
)
from holdfast.core.values.profiles import TIMERS

PATHS: list[dict[str, Any]] = [
    {"name": "path-a", "addresses": {"n1": "10.77.1.11", "n2": "10.77.1.12"}},
    {"name": "path-b", "addresses": {"n1": "10.77.2.11", "n2": "10.77.2.12"}},
]
THREE = [
    {"name": path["name"], "addresses": {**path["addresses"], "n3": f"10.77.{number}.13"}}
    for number, path in enumerate(PATHS, start=1)
]
IP = {
    "tag": "ip-shop",
    "address": "10.77.0.113",
    "prefix_length": 24,
    "interface": "LAN",
    "priorities": {"n1": 1, "n2": 2},
}
WITNESS: dict[str, Any] = {
    "kind": "witness",
    "name": "w1",
    "addresses": {"path-a": "10.77.1.21", "path-b": "10.77.2.21"},
}
ENDPOINTS = [f"https://e{number}.example.com:2379" for number in (1, 2, 3)]
ETCD = {"kind": "etcd", "endpoints": ENDPOINTS}
LAN = {"kind": "lan", "targets": ["10.77.0.1"], "accept_weaker": True}
SHARE = {"kind": "share", "path": r"\\files\holdfast\web"}

READ: list[tuple[Any, Arbiter]] = [
    (None, Manual()),
    ("manual", Manual()),
    ({"kind": "manual"}, Manual()),
    (WITNESS, Witness(name="w1", addresses=WITNESS["addresses"], port=7431)),
    ({**WITNESS, "port": 9431}, Witness(name="w1", addresses=WITNESS["addresses"], port=9431)),
    (ETCD, Etcd(endpoints=tuple(ENDPOINTS), prefix="/holdfast/web")),
    (
        {**ETCD, "prefix": "/ha/web", "user": "holdfast", "any_version": True},
        Etcd(endpoints=tuple(ENDPOINTS), prefix="/ha/web", user="holdfast", any_version=True),
    ),
    (SHARE, Share(path=r"\\files\holdfast\web")),
    (LAN, Lan(targets=("10.77.0.1",))),
]


@pytest.mark.parametrize(("written", "arbiter"), READ)
def test_an_arbiter_is_read_as_it_is_meant(written: Any, arbiter: Arbiter) -> None:
    cluster, problems = read_cluster({"name": "web", "arbiter": written, "comm_paths": PATHS, "profile": "vm"}, "c")
    assert [problem.line for problem in problems] == []
    assert cluster is not None
    assert cluster.arbiter == arbiter


@pytest.mark.parametrize(("written", "arbiter"), READ)
def test_an_arbiter_is_stored_and_read_back(written: Any, arbiter: Arbiter) -> None:
    del written
    config = Config(
        cluster=replace(_cluster(), arbiter=arbiter, recovery=Recovery(shutdown="stay", stable_s=5, restarts=0))
    )
    assert read_config(as_data(config)) == config


def test_an_address_with_pings_and_a_spare_card_is_stored_and_read_back() -> None:
    ip = Ip(
        tag="ip-shop",
        address="10.77.0.113",
        prefix_length=24,
        interfaces={"n1": "LAN", "n2": "LAN"},
        priorities={"n1": 1, "n2": 2},
        ping=("10.77.0.1", "10.77.0.2"),
        spare={"n1": "LAN 2"},
    )
    config = Config(cluster=_cluster(), ips=(ip,))
    assert read_config(as_data(config)) == config


def test_a_configuration_of_the_first_version_is_read() -> None:
    """It had the arbiter as a word, no recovery, and addresses without pings."""
    old = as_data(Config(cluster=_cluster()))
    old["cluster"]["arbiter"] = "manual"
    del old["cluster"]["recovery"]
    assert read_config(old) == Config(cluster=_cluster())


def test_what_is_not_written_of_recovery_is_as_usual() -> None:
    recovery = {
        "switchback": "automatic",
        "stable_s": 900,
        "quick_check_s": 0.5,
        "deep_check_s": 0,
        "guard_resets": False,
    }
    cluster, problems = read_cluster({"name": "web", "comm_paths": PATHS, "recovery": recovery}, "c")
    assert problems == []
    assert cluster is not None
    assert cluster.recovery == replace(
        Recovery(), switchback="automatic", stable_s=900.0, quick_check_s=0.5, deep_check_s=0.0, guard_resets=False
    )


AT = "holdfast_cluster.arbiter"
RECOVERY = "holdfast_cluster.recovery"
# fmt: off
REFUSED: list[tuple[dict[str, Any], str, str, str, str]] = [
    # what is written in the cluster, the rule, the place, what is said, the cure
    ({"arbiter": "wittness"}, "HF111", AT, "'wittness' is not known", "Did you mean witness?"),
    ({"arbiter": "witness"}, "HF111", AT, "only the kind of one", "kind: witness, and name, addresses, port."),
    ({"arbiter": {"kind": "quorum"}}, "HF111", f"{AT}.kind", "'quorum'", "manual, witness, etcd, share, lan"),
    ({"arbiter": {}}, "HF111", f"{AT}.kind", "no kind", "manual, witness"),
    ({"arbiter": [1]}, "HF111", AT, "a list is not known", "manual, witness"),
    ({"arbiter": {"kind": "manual", "port": 1}}, "HF001", f"{AT}.port", "'port' is not known", "kind"),
    ({"arbiter": {**WITNESS, "name": "N1"}}, "HF122", f"{AT}.name", "name of node N1", "third machine"),
    ({"arbiter": {**WITNESS, "name": "w_1"}}, "HF122", f"{AT}.name", "'w_1'", "inventory hostname"),
    ({"arbiter": {**WITNESS, "name": None}}, "HF002", f"{AT}.name", "name is missing", "inventory hostname"),
    ({"arbiter": {**WITNESS, "port": 70000}}, "HF125", f"{AT}.port", "70000", "1 to 65535"),
    ({"arbiter": {**WITNESS, "addresses": {}}}, "HF123", f"{AT}.addresses", "no address", "one line per comm path"),
    ({"arbiter": {**WITNESS, "addresses": {"path-aa": "10.77.1.21"}}}, "HF123", f"{AT}.addresses.path-aa",
     "not a comm path", "Did you mean path-a?"),
    ({"arbiter": {**WITNESS, "addresses": {"path-a": "w1.example.com"}}}, "HF108", f"{AT}.addresses.path-a",
     "not an IP address", "names are not looked up"),
    ({"arbiter": {**WITNESS, "addresses": {"path-a": "10.77.1.21", "path-b": "10.77.1.21"}}}, "HF124",
     f"{AT}.addresses.path-b", "on two comm paths", "on this network"),
    ({"arbiter": {**ETCD, "endpoints": None}}, "HF126", f"{AT}.endpoints", "endpoints are missing", "every member"),
    ({"arbiter": {**ETCD, "endpoints": []}}, "HF126", f"{AT}.endpoints", "0 members", "three or five"),
    ({"arbiter": {**ETCD, "endpoints": ENDPOINTS[:2]}}, "HF126", f"{AT}.endpoints", "2 members; it needs 3", "three"),
    ({"arbiter": {**ETCD, "endpoints": [*ENDPOINTS[:2], ENDPOINTS[0]]}}, "HF127", f"{AT}.endpoints[2]", "twice", ""),
    ({"arbiter": {**ETCD, "endpoints": [*ENDPOINTS[:2], "e3:2379"]}}, "HF127", f"{AT}.endpoints[2]", "'e3:2379'",
     "https://"),
    ({"arbiter": {**ETCD, "endpoints": [*ENDPOINTS[:2], ENDPOINTS[2] + "/v3"]}}, "HF127", f"{AT}.endpoints[2]",
     "not a scheme", "https://"),
    ({"arbiter": {**ETCD, "endpoints": [*ENDPOINTS[:2], "http://e3:2379"]}}, "HF128", f"{AT}.endpoints",
     "some are http", "every member speak https"),
    ({"arbiter": {**ETCD, "endpoints": ["http://a:1", "http://b:1", "http://c:1"], "user": "holdfast"}}, "HF134",
     f"{AT}.user", "the password of holdfast would go over the network in clear", "speak https"),
    ({"arbiter": {**ETCD, "prefix": "holdfast/"}}, "HF129", f"{AT}.prefix", "'holdfast/'", "/holdfast/web"),
    ({"arbiter": ETCD, "profile": "normal"}, "HF121", "holdfast_cluster.profile",
     "a permit lasts 2.2 s, and etcd may be silent for 4 s", "profile: vm, or choose a witness"),
    ({"arbiter": ETCD, "profile": "fast"}, "HF121", "holdfast_cluster.profile", "lasts 1.2 s", "profile: vm"),
    ({"arbiter": {"kind": "share", "path": r"X:\votes"}}, "HF130", f"{AT}.path", r"'X:\votes'", r"\\files\holdfast"),
    ({"arbiter": {"kind": "share", "path": r"\\files"}}, "HF130", f"{AT}.path", r"'\\files'", "no node"),
    ({"arbiter": {"kind": "share"}}, "HF002", f"{AT}.path", "path is missing", "no node"),
    ({"arbiter": {**LAN, "targets": []}}, "HF131", f"{AT}.targets", "no targets", "gateway"),
    ({"arbiter": {**LAN, "targets": ["10.77.1.12"]}}, "HF131", f"{AT}.targets[0]", "address of n2", "gateway"),
    ({"arbiter": {**LAN, "targets": ["10.77.0.113"]}}, "HF131", f"{AT}.targets[0]", "address of ip-shop", "gateway"),
    ({"arbiter": {**LAN, "targets": ["gw"]}}, "HF131", f"{AT}.targets[0]", "'gw' is not an IP", "not looked up"),
    ({"arbiter": {**LAN, "accept_weaker": False}}, "HF133", f"{AT}.accept_weaker", "weaker than a vote",
     "accept_weaker: true"),
    ({"arbiter": {**LAN, "accept_weaker": "yes"}}, "HF133", f"{AT}.accept_weaker", "may both serve", "a witness"),
    ({"recovery": "none"}, "HF003", RECOVERY, "'none', not a mapping", "local, shutdown"),
    ({"recovery": {"locale": True}}, "HF001", f"{RECOVERY}.locale", "'locale'", "Did you mean local?"),
    ({"recovery": {"local": "yes"}}, "HF003", f"{RECOVERY}.local", "'yes'", "true or false"),
    ({"recovery": {"shutdown": "switch"}}, "HF140", f"{RECOVERY}.shutdown", "'switch'", "switchover, stay"),
    ({"recovery": {"switchback": "auto"}}, "HF141", f"{RECOVERY}.switchback", "'auto'", "intelligent, automatic"),
    ({"recovery": {"stable_s": 0}}, "HF142", f"{RECOVERY}.stable_s", "stable_s is 0", "from 1 to 86400"),
    ({"recovery": {"restarts": -1}}, "HF143", f"{RECOVERY}.restarts", "-1, outside 0 to 100", "0 to 100"),
    ({"recovery": {"failovers": 2.5}}, "HF143", f"{RECOVERY}.failovers", "2.5, not a whole", "0 to 100"),
    ({"recovery": {"window_s": 59}}, "HF144", f"{RECOVERY}.window_s", "59", "from 60 to 86400"),
    ({"recovery": {"quick_check_s": 0.01}}, "HF145", f"{RECOVERY}.quick_check_s", "0.01", "0 means never"),
    ({"recovery": {"quick_check_s": 60}}, "HF146", f"{RECOVERY}.deep_check_s", "10, less than quick_check_s, 60",
     "at least 60, or 0"),
]
# fmt: on


@pytest.mark.parametrize(("written", "rule", "path", "says", "cure"), REFUSED)
def test_one_mistake_gives_one_problem_at_its_place(
    written: dict[str, Any], rule: str, path: str, says: str, cure: str
) -> None:
    cluster = {"name": "web", "comm_paths": PATHS, "profile": "vm", **written}
    (problem,) = check_inventory(cluster=cluster, ips=[IP], volumes=[], sites=[], nodes=["n1", "n2"])
    assert (problem.rule, problem.path) == (rule, path)
    assert says in problem.message
    assert cure in problem.cure
    assert problem.message.endswith(".")
    assert problem.cure.endswith((".", "?"))


def test_the_clients_network_decides_between_two_nodes_only() -> None:
    _unused, problems = read_cluster({"name": "web", "comm_paths": THREE, "arbiter": LAN}, "cluster")
    assert [(problem.rule, problem.message) for problem in problems] == [
        ("HF132", "the cluster has 3 nodes: n1, n2, n3.")
    ]


# fmt: off
ADDRESSES: list[tuple[dict[str, Any], str, str, str]] = [
    ({"ping": "10.77.0.1"}, "HF003", "ping", "not a list"),
    ({"ping": ["router"]}, "HF309", "ping[0]", "'router' is not an IP address"),
    ({"ping": ["10.77.0.1", "10.77.0.1"]}, "HF309", "ping[1]", "stands here twice"),
    ({"ping": ["10.77.0.113"]}, "HF309", "ping[0]", "the switchable address of ip-shop"),
    ({"ping": ["10.77.0.114"]}, "HF309", "ping[0]", "the switchable address of ip-docs"),
    ({"spare": "lan"}, "HF310", "spare.n1", "which is its first card"),
    ({"spare": {"n2": "LAN"}}, "HF310", "spare.n2", "which is its first card"),
    ({"spare": {"n3": "LAN 2"}}, "HF310", "spare.n3", "'n3' is not a node"),
    ({"spare": {"n1": ""}}, "HF310", "spare.n1", "the spare card of n1 is ''"),
    ({"spare": 2}, "HF310", "spare", "spare is 2"),
]
# fmt: on


@pytest.mark.parametrize(("written", "rule", "place", "says"), ADDRESSES)
def test_pings_and_spare_cards_are_checked(written: dict[str, Any], rule: str, place: str, says: str) -> None:
    second = {**IP, "tag": "ip-docs", "address": "10.77.0.114"}
    cluster = {"name": "web", "comm_paths": PATHS}
    problems = check_inventory(
        cluster=cluster, ips=[{**IP, **written}, second], volumes=[], sites=[], nodes=["n1", "n2"]
    )
    assert (problems[0].rule, problems[0].path) == (rule, f"holdfast_ips[0].{place}")
    assert says in problems[0].message


def test_a_node_refuses_what_the_control_host_would() -> None:
    cluster = {"name": "web", "comm_paths": PATHS, "arbiter": ETCD, "profile": "fast"}
    with pytest.raises(RuleError) as caught:
        describe(None, "cluster", {"node": "n1", "cluster": cluster}, {})
    assert [problem.rule for problem in caught.value.problems] == ["HF121"]


def test_timers_that_are_not_safe_are_refused_with_the_numbers() -> None:
    timers = replace(TIMERS["normal"], own_s=3.0)
    (problem,) = check_timers("normal", timers, Manual(), path="profile")
    assert problem.rule == "HF120"
    assert "own 3 s, guard 0.1 s and fence 0.4 s take up to 3.53 s" in problem.message
    assert "may be given to another after 2.87 s" in problem.message
    assert problem.cure == "Write one of fast, normal, vm."


@pytest.mark.parametrize("profile", TIMERS)
def test_the_timers_of_every_profile_are_safe(profile: Any) -> None:
    assert check_timers(profile, TIMERS[profile], Manual(), path="profile") == []


@pytest.mark.parametrize(
    ("arbiter", "warned"),
    [
        (Manual(), ["no group moves by itself"]),
        (Witness(name="w1", addresses={"path-a": "10.77.1.21", "path-b": "10.77.2.21"}, port=7431), []),
        (Witness(name="w1", addresses={"path-a": "10.77.1.21"}, port=7431), ["over path-a alone"]),
        (
            Witness(name="w1", addresses={"path-a": "10.77.1.12", "path-b": "10.77.2.21"}, port=7431),
            ["witness w1 (path-a: 10.77.1.12) is on node n2: when that machine dies both are gone"],
        ),
        (Etcd(endpoints=tuple(ENDPOINTS), prefix="/a"), []),
        (Etcd(endpoints=("https://n1:2379", *ENDPOINTS[:2]), prefix="/a"), ["etcd member n1 is on node n1"]),
        (Etcd(endpoints=("https://10.77.2.12:1", *ENDPOINTS[:2]), prefix="/a"), ["member 10.77.2.12 is on node n2"]),
        (
            Etcd(endpoints=(*ENDPOINTS, "https://e4:2379"), prefix="/a"),
            ["4 members and outlives the loss of 1, no more"],
        ),
        (
            Etcd(endpoints=("http://a:1", "http://b:1", "http://c:1"), prefix="/a", any_version=True),
            ["without TLS", "any version"],
        ),
        (Share(path=r"\\files\a"), []),
        (Share(path=r"\\N1\a"), [r"share \\N1\a is on node N1"]),
        (Lan(targets=("10.77.0.1",)), ["may both serve"]),
    ],
)
def test_people_are_told_what_is_less_than_they_may_think(arbiter: Arbiter, warned: list[str]) -> None:
    warnings = arbiter_warnings(replace(_cluster(), arbiter=arbiter))
    assert len(warnings) == len(warned)
    for warning, part in zip(warnings, warned, strict=True):
        assert part in warning


def test_every_field_of_recovery_can_be_written() -> None:
    usual = as_data(Recovery())
    cluster, problems = read_cluster({"name": "web", "comm_paths": PATHS, "recovery": usual}, "c")
    assert problems == []
    assert cluster is not None
    assert cluster.recovery == Recovery()
    assert set(usual) == {field.name for field in fields(Recovery)}


def _cluster() -> Cluster:
    cluster, problems = read_cluster({"name": "web", "comm_paths": PATHS}, "cluster")
    assert cluster is not None, problems
    return cluster
