# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad inventories: each kind gives one readable problem, at its place, with the rule and the cure."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import pytest

from holdfast.core.description.rulebook import RULES
from holdfast.core.description.rules import check_inventory
from holdfast.core.values.problems import Problem

Inventory = dict[str, Any]
NODES = ["n1", "n2"]
THUMBPRINT = "0123456789ABCDEF0123456789ABCDEF01234567"
OTHER_THUMBPRINT = "F" * 40
GOOD: Inventory = {
    "cluster": {
        "name": "web",
        "arbiter": "manual",
        "profile": "normal",
        "comm_port": 7430,
        "comm_paths": [
            {"name": "path-a", "addresses": {"n1": "10.77.1.11", "n2": "10.77.1.12"}},
            {"name": "path-b", "addresses": {"n1": "10.77.2.11", "n2": "10.77.2.12"}},
        ],
    },
    "ips": [
        {
            "tag": "ip-shop",
            "address": "10.77.0.113",
            "prefix_length": 24,
            "interface": {"n1": "LAN", "n2": "LAN"},
            "priorities": {"n1": 1, "n2": 2},
        },
        {
            "tag": "ip-docs",
            "address": "10.77.0.114",
            "prefix_length": 24,
            "interface": "LAN",
            "priorities": {"n1": 2, "n2": 1},
        },
    ],
    "volumes": [{"tag": "vol-shop", "drive": "X:", "disk": "D1", "priorities": {"n1": 1, "n2": 2}}],
    "sites": [
        {
            "name": "shop",
            "content": "X:\\shop",
            "bindings": [
                {"protocol": "http", "ip": "10.77.0.113", "port": 80},
                {
                    "protocol": "https",
                    "ip": "10.77.0.113",
                    "port": 443,
                    "host": "shop.example.com",
                    "certificate": THUMBPRINT,
                    "sni": True,
                },
            ],
            "priorities": {"n1": 1, "n2": 2},
            "drain_s": 5,
        },
        {
            "name": "docs",
            "content": "C:\\sites\\docs",
            "bindings": [{"ip": "10.77.0.114", "port": 80}],
            "priorities": {"n1": 2, "n2": 1},
        },
    ],
}


@dataclass(frozen=True)
class Bad:
    """An inventory gone wrong in one thing: what is written where, and the problem that comes of it."""

    name: str
    place: str
    written: Any
    rule: str
    path: str
    says: str
    cure: str


SITE = "holdfast_sites[0]"
KINDS = [
    Bad(
        "no cluster",
        "cluster",
        None,
        "HF101",
        "holdfast_cluster",
        "the cluster is missing",
        "name, arbiter and comm_paths",
    ),
    Bad("an empty cluster", "cluster", {}, "HF101", "holdfast_cluster", "the cluster is empty", "Describe the cluster"),
    Bad("a list for a cluster", "cluster", [1], "HF101", "holdfast_cluster", "not a mapping", "Describe the cluster"),
    Bad("no cluster name", "cluster.name", None, "HF002", "holdfast_cluster.name", "name is missing", "Write"),
    Bad("a blank in the cluster's name", "cluster.name", "my web", "HF102", "holdfast_cluster.name", "'my web'", "web"),
    Bad(
        "a number for the cluster's name",
        "cluster.name",
        5,
        "HF003",
        "holdfast_cluster.name",
        "not a text",
        'name: "5"',
    ),
    Bad(
        "an unknown arbiter", "cluster.arbiter", "wittness", "HF111", "holdfast_cluster.arbiter", "'wittness'", "manual"
    ),
    Bad("an unknown profile", "cluster.profile", "fats", "HF112", "holdfast_cluster.profile", "'fats'", "mean fast?"),
    Bad("port 0", "cluster.comm_port", 0, "HF110", "holdfast_cluster.comm_port", "0, outside 1 to 65535", "from 1 to"),
    Bad("a port too high", "cluster.comm_port", 70000, "HF110", "holdfast_cluster.comm_port", "70000", "from 1 to"),
    Bad(
        "a port in quotes",
        "cluster.comm_port",
        "7430",
        "HF110",
        "holdfast_cluster.comm_port",
        "'7430'",
        "without quotes",
    ),
    Bad(
        "an unknown key", "cluster.abiter", "x", "HF001", "holdfast_cluster.abiter", "'abiter'", "Did you mean arbiter?"
    ),
    Bad(
        "one comm path",
        "cluster.comm_paths",
        GOOD["cluster"]["comm_paths"][:1],
        "HF106",
        "holdfast_cluster.comm_paths",
        "only one comm path",
        "another network",
    ),
    Bad(
        "no comm path", "cluster.comm_paths", [], "HF106", "holdfast_cluster.comm_paths", "no comm paths", "Add a comm"
    ),
    Bad(
        "a comm path name twice",
        "cluster.comm_paths.1.name",
        "Path-A",
        "HF113",
        "holdfast_cluster.comm_paths[1].name",
        "comm_paths[0] already",
        "its own name",
    ),
    Bad(
        "a comm path name with a slash",
        "cluster.comm_paths.1.name",
        "a/b",
        "HF113",
        "holdfast_cluster.comm_paths[1].name",
        "'a/b'",
        "path-a",
    ),
    Bad(
        "a node on a comm path that the inventory does not have",
        "cluster.comm_paths.0.addresses.n3",
        "10.77.1.13",
        "HF104",
        "holdfast_cluster.comm_paths[0].addresses.n3",
        "'n3' is not a host",
        "n1, n2",
    ),
    Bad(
        "a node that is missing on a comm path",
        "cluster.comm_paths.1.addresses",
        {"n1": "10.77.2.11"},
        "HF105",
        "holdfast_cluster.comm_paths[1].addresses",
        "node n2 has no address on comm path 'path-b'",
        "Add n2:",
    ),
    Bad(
        "a host name for a comm-path address",
        "cluster.comm_paths.0.addresses.n1",
        "n1.example.com",
        "HF108",
        "holdfast_cluster.comm_paths[0].addresses.n1",
        "not an IP address",
        "names are not looked up",
    ),
    Bad(
        "one comm-path address twice",
        "cluster.comm_paths.0.addresses.n2",
        "10.77.1.11",
        "HF107",
        "holdfast_cluster.comm_paths[0].addresses.n2",
        "10.77.1.11 is the address of n1 on comm_paths[0] already",
        "this node has",
    ),
    Bad(
        "two comm paths in one network",
        "cluster.comm_paths.1.addresses.n1",
        "10.77.1.111",
        "HF109",
        "holdfast_cluster.comm_paths[1].addresses.n1",
        "10.77.1.0/24",
        "a second network",
    ),
    Bad("no tag", "ips.0.tag", None, "HF002", "holdfast_ips[0].tag", "tag is missing", "ip-shop"),
    Bad("a tag with a blank", "ips.1.tag", "ip docs", "HF501", "holdfast_ips[1].tag", "'ip docs'", "ip-shop"),
    Bad("a tag twice", "ips.1.tag", "IP-Shop", "HF502", "holdfast_ips[1].tag", "holdfast_ips[0] already", "of its own"),
    Bad(
        "a volume with an address's tag",
        "volumes.0.tag",
        "ip-docs",
        "HF502",
        "holdfast_volumes[0].tag",
        "'ip-docs'",
        "vol-",
    ),
    Bad("no address", "ips.0.address", None, "HF002", "holdfast_ips[0].address", "address is missing", "an IP address"),
    Bad("no such address", "ips.0.address", "10.77.0.300", "HF301", "holdfast_ips[0].address", "not an IP", "0 to 255"),
    Bad(
        "an address with its prefix length",
        "ips.0.address",
        "10.77.0.113/24",
        "HF301",
        "holdfast_ips[0].address",
        "not an IP",
        "Write 10.77.0.113, and the prefix length 24 on its own",
    ),
    Bad(
        "a prefix length too long", "ips.0.prefix_length", 33, "HF302", "holdfast_ips[0].prefix_length", "33", "1 to 32"
    ),
    Bad(
        "a mask",
        "ips.0.prefix_length",
        "255.255.255.0",
        "HF302",
        "holdfast_ips[0].prefix_length",
        "not a whole",
        "1 to 32",
    ),
    Bad(
        "the network's address",
        "ips.0.address",
        "10.77.0.0",
        "HF303",
        "holdfast_ips[0].address",
        "the network address of 10.77.0.0/24",
        "10.77.0.1 to 10.77.0.254",
    ),
    Bad(
        "the broadcast address", "ips.0.address", "10.77.0.255", "HF303", "holdfast_ips[0].address", "broadcast", "254"
    ),
    Bad("a loopback address", "ips.0.address", "127.0.0.5", "HF307", "holdfast_ips[0].address", "loopback", "clients"),
    Bad(
        "a multicast address", "ips.0.address", "239.1.1.1", "HF307", "holdfast_ips[0].address", "multicast", "clients"
    ),
    Bad("no interface", "ips.1.interface", None, "HF306", "holdfast_ips[1].interface", "interface is missing", "LAN"),
    Bad(
        "a node without interface",
        "ips.0.interface",
        {"n1": "LAN"},
        "HF306",
        "holdfast_ips[0].interface",
        "n2",
        "Add n2:",
    ),
    Bad(
        "an interface of an unknown node",
        "ips.0.interface.n3",
        "LAN",
        "HF104",
        "holdfast_ips[0].interface.n3",
        "'n3' is not a node",
        "n1, n2",
    ),
    Bad("a small drive letter", "volumes.0.drive", "x:", "HF401", "holdfast_volumes[0].drive", "'x:'", "Write 'X:'."),
    Bad("a drive without a colon", "volumes.0.drive", "X", "HF401", "holdfast_volumes[0].drive", "'X'", "Write 'X:'."),
    Bad("no disk", "volumes.0.disk", "", "HF405", "holdfast_volumes[0].disk", "disk is missing", "UniqueId"),
    Bad("an unknown driver", "volumes.0.driver", "nfs", "HF406", "holdfast_volumes[0].driver", "'nfs'", "shared_disk"),
    Bad("a site without a name", "sites.0.name", None, "HF002", f"{SITE}.name", "name is missing", "has in IIS"),
    Bad(
        "a site name with a blank",
        "sites.0.name",
        "my shop",
        "HF201",
        f"{SITE}.name",
        "'my shop'",
        "Write for example my-shop.",
    ),
    Bad("a site name with a dot", "sites.0.name", "shop.de", "HF201", f"{SITE}.name", "'shop.de'", "shop-de"),
    Bad(
        "two site names that differ in letter case",
        "sites.1.name",
        "Shop",
        "HF202",
        "holdfast_sites[1].name",
        "holdfast_sites[0] ('shop') already",
        "of its own",
    ),
    Bad("a site of an unknown kind", "sites.0.kind", "ftp", "HF222", f"{SITE}.kind", "'ftp'", "web"),
    Bad("no bindings", "sites.0.bindings", None, "HF203", f"{SITE}.bindings", "has no binding", "at least one"),
    Bad(
        "an empty list of bindings",
        "sites.0.bindings",
        [],
        "HF203",
        f"{SITE}.bindings",
        "has no binding",
        "at least one",
    ),
    Bad(
        "a binding without IP",
        "sites.0.bindings.0.ip",
        None,
        "HF204",
        f"{SITE}.bindings[0].ip",
        "no IP address",
        "holdfast_ips",
    ),
    Bad(
        "a binding for all addresses",
        "sites.0.bindings.0.ip",
        "*",
        "HF204",
        f"{SITE}.bindings[0].ip",
        "no IP",
        "switchable",
    ),
    Bad(
        "a host name for an IP",
        "sites.0.bindings.0.ip",
        "shop",
        "HF205",
        f"{SITE}.bindings[0].ip",
        "not an IP",
        "numbers",
    ),
    Bad(
        "a binding of an address that is not protected",
        "sites.0.bindings.0.ip",
        "10.77.0.11",
        "HF218",
        f"{SITE}.bindings[0].ip",
        "not one of the switchable addresses (10.77.0.113, 10.77.0.114)",
        "holdfast_ips",
    ),
    Bad(
        "a binding's port too high",
        "sites.0.bindings.0.port",
        80800,
        "HF206",
        f"{SITE}.bindings[0].port",
        "80800",
        "65535",
    ),
    Bad(
        "a binding without port",
        "sites.0.bindings.0.port",
        None,
        "HF002",
        f"{SITE}.bindings[0].port",
        "missing",
        "1 to",
    ),
    Bad(
        "an unknown protocol",
        "sites.0.bindings.0.protocol",
        "htps",
        "HF221",
        f"{SITE}.bindings[0].protocol",
        "'htps'",
        "http",
    ),
    Bad(
        "a URL for a host",
        "sites.0.bindings.0.host",
        "http://a.de",
        "HF207",
        f"{SITE}.bindings[0].host",
        "http://",
        "without",
    ),
    Bad(
        "an underscore in a host",
        "sites.0.bindings.0.host",
        "a_b.de",
        "HF207",
        f"{SITE}.bindings[0].host",
        "a_b",
        "example",
    ),
    Bad(
        "https without a certificate",
        "sites.0.bindings.1.certificate",
        None,
        "HF208",
        f"{SITE}.bindings[1].certificate",
        "certificate is missing",
        "Cert:\\LocalMachine\\My",
    ),
    Bad(
        "a thumbprint in small letters",
        "sites.0.bindings.1.certificate",
        THUMBPRINT.lower(),
        "HF209",
        f"{SITE}.bindings[1].certificate",
        "not 40 hexadecimal digits in capitals",
        f"Write {THUMBPRINT}.",
    ),
    Bad(
        "a thumbprint that is too short",
        "sites.0.bindings.1.certificate",
        "0123ABCD",
        "HF209",
        f"{SITE}.bindings[1].certificate",
        "'0123ABCD'",
        "thumbprint of a certificate",
    ),
    Bad(
        "a certificate on http",
        "sites.0.bindings.0.certificate",
        THUMBPRINT,
        "HF210",
        f"{SITE}.bindings[0].certificate",
        "not https",
        "protocol: https",
    ),
    Bad(
        "SNI on http", "sites.0.bindings.0.sni", True, "HF210", f"{SITE}.bindings[0].sni", "not https", "leave sni away"
    ),
    Bad(
        "SNI without host",
        "sites.0.bindings.1.host",
        "",
        "HF213",
        f"{SITE}.bindings[1].sni",
        "no host header",
        "sni: false",
    ),
    Bad("yes for true", "sites.0.bindings.1.sni", "yes", "HF003", f"{SITE}.bindings[1].sni", "'yes'", "true or false"),
    Bad(
        "http and https on one port",
        "sites.0.bindings.1.port",
        80,
        "HF223",
        f"{SITE}.bindings[1].port",
        "speaks https",
        "443",
    ),
    Bad("no content", "sites.0.content", None, "HF002", f"{SITE}.content", "content is missing", "X:\\shop"),
    Bad("relative content", "sites.0.content", "shop", "HF214", f"{SITE}.content", "'shop'", "whole path"),
    Bad("a drive alone", "sites.0.content", "X:", "HF214", f"{SITE}.content", "'X:'", "whole path"),
    Bad(
        "content on a share",
        "sites.0.content",
        "\\\\nas\\shop",
        "HF215",
        f"{SITE}.content",
        "share",
        "holdfast_volumes",
    ),
    Bad(
        "content at a URL", "sites.0.content", "https://a.example", "HF216", f"{SITE}.content", "redirection", "folder"
    ),
    Bad(
        "content on a drive that is no volume",
        "sites.0.content",
        "Y:\\shop",
        "HF217",
        f"{SITE}.content",
        "lies on Y:, which is no protected volume (X:)",
        "holdfast_volumes",
    ),
    Bad("content with a slash", "sites.0.content", "X:\\a/b", "HF219", f"{SITE}.content", "no valid", "Explorer"),
    Bad("content with dots", "sites.0.content", "X:\\..\\b", "HF219", f"{SITE}.content", "no valid", "Explorer"),
    Bad(
        "content with a small drive letter",
        "sites.0.content",
        "x:\\shop",
        "HF401",
        f"{SITE}.content",
        "small",
        "'X:\\shop'",
    ),
    Bad("a pool name with a pipe", "sites.0.app_pool", "a|b", "HF220", f"{SITE}.app_pool", "'a|b'", "name of the site"),
    Bad("no priorities", "sites.0.priorities", None, "HF002", f"{SITE}.priorities", "missing", "{n1: 1, n2: 2}"),
    Bad("empty priorities", "sites.0.priorities", {}, "HF504", f"{SITE}.priorities", "empty", "{n1: 1, n2: 2}"),
    Bad("a list of priorities", "sites.0.priorities", ["n1"], "HF003", f"{SITE}.priorities", "not a mapping", "n1: 1"),
    Bad("a text for a priority", "sites.0.priorities.n2", "two", "HF503", f"{SITE}.priorities.n2", "'two'", "n1: 1"),
    Bad("priority 0", "sites.0.priorities.n2", 0, "HF503", f"{SITE}.priorities.n2", "is 0", "n1: 1"),
    Bad("a priority twice", "sites.0.priorities.n2", 1, "HF506", f"{SITE}.priorities.n2", "as has n1", "of its own"),
    Bad("a gap in the priorities", "sites.0.priorities.n2", 3, "HF507", f"{SITE}.priorities", "1, 3", "1 to 2"),
    Bad(
        "priorities unlike the address's",
        "sites.1.priorities",
        {"n1": 1, "n2": 2},
        "HF508",
        "holdfast_sites[1].priorities",
        "n1=1, n2=2 are not those of ip-docs, n2=1, n1=2",
        "the same priorities for docs and ip-docs",
    ),
    Bad("a negative time to drain", "sites.0.drain_s", -1, "HF509", f"{SITE}.drain_s", "is -1", "from 0 to 3600"),
    Bad("a text for a time to drain", "sites.0.drain_s", "5s", "HF509", f"{SITE}.drain_s", "'5s'", "from 0 to 3600"),
    Bad("a text for the list of sites", "sites", "shop", "HF003", "holdfast_sites", "'shop', not a list", "'- '"),
    Bad(
        "a text for an address", "ips", ["10.77.0.113"], "HF003", "holdfast_ips[0]", "not a mapping", "keys and values"
    ),
    Bad("blanks around a tag", "volumes.0.tag", " vol", "HF003", "holdfast_volumes[0].tag", "blanks", "Write 'vol'."),
]
EXTRA = {
    "a text for an address": {"HF218"},  # no address is left for the sites
    "empty priorities": set[str](),
}


@pytest.mark.parametrize("bad", KINDS, ids=lambda bad: bad.name)
def test_a_bad_inventory_gives_one_message_with_place_rule_and_cure(bad: Bad) -> None:
    inventory = changed(bad.place, bad.written)

    problems = [problem for problem in check(inventory) if problem.rule not in EXTRA.get(bad.name, set())]

    assert [(problem.rule, problem.path) for problem in problems] == [(bad.rule, bad.path)]
    (problem,) = problems
    assert bad.says in problem.message
    assert bad.cure in problem.cure
    assert readable(problem)


def test_the_good_inventory_has_no_problem() -> None:
    assert check(GOOD) == []


def test_more_than_twenty_five_kinds_are_told_apart() -> None:
    assert len({bad.rule for bad in KINDS}) > 25


@pytest.mark.parametrize("nodes", [[], ["n1"]])
def test_fewer_than_two_nodes_are_no_cluster(nodes: list[str]) -> None:
    found = [problem for problem in check(GOOD, nodes=nodes) if problem.rule == "HF103"]

    assert len(found) == 1
    assert "two hosts" in found[0].cure


def test_a_node_that_is_missing_everywhere_is_said_for_every_place() -> None:
    rules = {(problem.rule, problem.path) for problem in check(GOOD, nodes=["n1", "n2", "n3"])}

    assert ("HF105", "holdfast_cluster.comm_paths[0].addresses") in rules
    assert ("HF105", "holdfast_cluster.comm_paths[1].addresses") in rules
    assert ("HF504", "holdfast_ips[0].priorities") in rules
    assert ("HF504", "holdfast_volumes[0].priorities") in rules
    assert ("HF504", "holdfast_sites[1].priorities") in rules


def test_priorities_of_an_unknown_node_are_said_with_the_nearest_name() -> None:
    inventory = changed("ips.1.priorities", {"n1": 2, "web": 1})

    problems = [
        problem for problem in check(inventory, nodes=["n1", "web2"]) if problem.path.startswith("holdfast_ips[1]")
    ]

    assert ("HF505", "holdfast_ips[1].priorities.web") in {(problem.rule, problem.path) for problem in problems}
    assert problems[0].cure.startswith("Did you mean web2?")


def test_an_address_twice_is_said_at_the_second_place() -> None:
    inventory = changed("ips.1.address", "10.77.0.113")

    found = {problem.path: problem for problem in check(inventory) if problem.rule == "HF304"}

    assert list(found) == ["holdfast_ips[1].address"]
    assert "that of ip-shop already" in found["holdfast_ips[1].address"].message


def test_a_switchable_address_is_no_node_s_own() -> None:
    inventory = changed("ips.0.address", "10.77.1.11")

    assert ("HF305", "holdfast_ips[0].address") in {(problem.rule, problem.path) for problem in check(inventory)}


@pytest.mark.parametrize("drive", ["A:", "B:", "C:"])
def test_drives_of_the_machine_cannot_move(drive: str) -> None:
    inventory = changed("volumes.0.drive", drive)

    problems = [problem for problem in check(inventory) if problem.path.startswith("holdfast_volumes")]

    assert [problem.rule for problem in problems] == ["HF402"]
    assert "from D: to Z:" in problems[0].cure


@pytest.mark.parametrize(("field", "value", "rule"), [("drive", "X:", "HF403"), ("disk", "D1", "HF404")])
def test_a_drive_or_disk_belongs_to_one_volume(field: str, value: str, rule: str) -> None:
    inventory = copy.deepcopy(GOOD)
    second = {"tag": "vol-2", "drive": "Y:", "disk": "D2", "priorities": {"n1": 1, "n2": 2}, field: value}
    inventory["volumes"].append(second)

    problems = check(inventory)

    assert [(problem.rule, problem.path) for problem in problems] == [(rule, f"holdfast_volumes[1].{field}")]
    assert "that of vol-shop already" in problems[0].message


def test_two_sites_with_one_binding_are_refused() -> None:
    inventory = copy.deepcopy(GOOD)
    inventory["sites"][1] |= {"bindings": [{"ip": "10.77.0.113", "port": 80}], "priorities": {"n1": 1, "n2": 2}}

    problems = check(inventory)

    assert [(problem.rule, problem.path) for problem in problems] == [("HF211", "holdfast_sites[1].bindings[0]")]
    assert "the binding holdfast_sites[0].bindings[0] already" in problems[0].message


def test_host_headers_that_differ_in_letter_case_are_one_binding() -> None:
    inventory = copy.deepcopy(GOOD)
    bindings = inventory["sites"][0]["bindings"]
    bindings.append({**bindings[1], "host": "Shop.Example.com"})

    assert [problem.rule for problem in check(inventory)] == ["HF211"]


def test_two_certificates_on_one_port_need_sni() -> None:
    inventory = copy.deepcopy(GOOD)
    bindings = inventory["sites"][0]["bindings"]
    bindings[1]["sni"] = False
    bindings.append({**bindings[1], "host": "other.example.com", "certificate": OTHER_THUMBPRINT})

    problems = check(inventory)

    assert [(problem.rule, problem.path) for problem in problems] == [("HF212", f"{SITE}.bindings[2].certificate")]
    assert "sni: true" in problems[0].cure


def test_comm_paths_in_small_networks_may_say_how_small() -> None:
    inventory = copy.deepcopy(GOOD)
    inventory["cluster"]["comm_paths"] = [
        {"name": "path-a", "prefix_length": 29, "addresses": {"n1": "10.0.0.1", "n2": "10.0.0.2"}},
        {"name": "path-b", "prefix_length": 29, "addresses": {"n1": "10.0.0.9", "n2": "10.0.0.10"}},
    ]

    assert check(inventory) == []


def test_an_ipv6_address_is_written_in_its_canonical_form() -> None:
    inventory = changed("ips.0.address", "2001:DB8:0:0::113")
    inventory["ips"][0]["prefix_length"] = 64

    problems = [problem for problem in check(inventory) if problem.path.startswith("holdfast_ips")]

    assert [problem.rule for problem in problems] == ["HF308"]
    assert problems[0].cure == "Write 2001:db8::113."


def test_all_problems_come_at_once_in_the_order_of_the_inventory() -> None:
    inventory = changed("cluster.name", "my web")
    inventory["sites"][1]["bindings"][0]["port"] = 0
    inventory["volumes"][0]["drive"] = "x:"
    inventory["ips"][1]["interface"] = None

    assert [problem.path for problem in check(inventory)] == [
        "holdfast_cluster.name",
        "holdfast_ips[1].interface",
        "holdfast_volumes[0].drive",
        "holdfast_sites[1].bindings[0].port",
    ]


def test_a_broken_address_does_not_break_the_sites_that_use_it() -> None:
    inventory = changed("ips.0.address", "10.77.0.1133")

    assert [problem.path for problem in check(inventory)] == ["holdfast_ips[0].address"]


@pytest.mark.parametrize("part", ["cluster", "ips", "volumes", "sites"])
@pytest.mark.parametrize(
    "rubbish", [0, True, "x", [None], [[]], {"a": []}, {"comm_paths": [{"addresses": [1]}]}, [{"bindings": {}}]]
)
def test_rubbish_is_reported_and_never_raises(part: str, rubbish: Any) -> None:
    assert all(readable(problem) for problem in check({**GOOD, part: rubbish}))


def test_rule_ids_are_unique_and_say_where_they_come_from() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.text.endswith(".") and rule.source for rule in RULES)


def check(inventory: Inventory, nodes: list[str] | None = None) -> list[Problem]:
    return check_inventory(**inventory, nodes=NODES if nodes is None else nodes)


def changed(place: str, written: Any) -> Inventory:
    """The good inventory with something else at this place; None takes the key away."""
    inventory = copy.deepcopy(GOOD)
    *way, last = place.split(".")
    target: Any = inventory
    for step in way:
        target = target[int(step)] if step.isdigit() else target[step]
    if written is None and way:
        target.pop(last, None)
    else:
        target[last] = copy.deepcopy(written)
    return inventory


def readable(problem: Problem) -> bool:
    """Whether it is made of sentences, with everything a person needs."""
    sentences = (problem.message, problem.cure)
    return all(text.endswith((".", "?")) and "None" not in text for text in sentences) and bool(problem.source)
