# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may change under a group in service, and what may not. Guide chapter 6, changing a configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.description.alterations import (
    RULES,
    check_alterations,
    check_site_alterations,
    check_voters,
    serving,
)
from holdfast.core.values.model import (
    Arbiter,
    Binding,
    Cluster,
    CommPath,
    Config,
    Etcd,
    Hierarchy,
    Ip,
    Manual,
    Share,
    Site,
    Volume,
    Witness,
)

BOTH = {"n1": 1, "n2": 2}
IP = Ip(
    tag="ip-shop",
    address="10.77.0.113",
    prefix_length=24,
    interfaces={"n1": "LAN", "n2": "LAN"},
    priorities=BOTH,
)
VOLUME = Volume(tag="vol-shop", drive="X:", driver="shared_disk", disk="D1", priorities=BOTH)
SHOP = Hierarchy(tag="shop", kind="web", site="shop", priorities=BOTH, drain_s=0, depends_on=("ip-shop", "vol-shop"))
PATH = CommPath(name="path-a", addresses={"n1": "10.77.1.11", "n2": "10.77.1.12", "n3": "10.77.1.13"})
CLUSTER = Cluster(name="web", arbiter=Manual(), profile="normal", comm_port=7430, comm_paths=(PATH,))
CONFIG = Config(cluster=CLUSTER, ips=(IP,), volumes=(VOLUME,), hierarchies=(SHOP,))
ON_N1 = {"shop": "n1", "ip-shop": "n1", "vol-shop": "n1"}
HTTP = Binding(protocol="http", ip="10.77.0.113", port=80)
HTTPS = Binding(protocol="https", ip="10.77.0.113", port=443, certificate="AB", sni=True)
SITE = Site(name="shop", kind="web", content="X:\\shop", app_pool="shop", bindings=(HTTP, HTTPS))


def rules(after: Config, placed: dict[str, str]) -> list[tuple[str, str]]:
    return [(problem.rule, problem.path) for problem in check_alterations(CONFIG, after, placed)]


@pytest.mark.parametrize(
    ("after", "broken"),
    [
        (replace(CONFIG, ips=(replace(IP, address="10.77.0.9"),)), [("HF702", "ip-shop")]),
        (replace(CONFIG, ips=(replace(IP, prefix_length=25),)), [("HF702", "ip-shop")]),
        (replace(CONFIG, ips=(replace(IP, interfaces={"n1": "LAN 2", "n2": "LAN"}),)), [("HF702", "ip-shop")]),
        (replace(CONFIG, volumes=(replace(VOLUME, drive="Y:"),)), [("HF702", "vol-shop")]),
        (replace(CONFIG, volumes=(replace(VOLUME, disk="D2"),)), [("HF702", "vol-shop")]),
        (replace(CONFIG, hierarchies=(replace(SHOP, site="other"),)), [("HF702", "shop")]),
        (replace(CONFIG, hierarchies=()), [("HF703", "shop")]),
        (replace(CONFIG, ips=(), volumes=()), [("HF703", "ip-shop"), ("HF703", "vol-shop")]),
        (
            replace(
                CONFIG,
                cluster=replace(CLUSTER, comm_paths=(CommPath(name="path-a", addresses={"n2": "a", "n3": "b"}),)),
            ),
            [("HF704", "cluster")],
        ),
    ],
)
def test_what_is_in_service_keeps_its_ground(after: Config, broken: list[tuple[str, str]]) -> None:
    assert rules(after, ON_N1) == broken
    assert rules(after, {}) == [], "out of service anything goes"


@pytest.mark.parametrize(
    "after",
    [
        CONFIG,
        replace(CONFIG, ips=(replace(IP, interfaces={"n1": "LAN", "n2": "LAN 2"}),)),
        replace(CONFIG, ips=(replace(IP, priorities={"n1": 2, "n2": 1}),)),
        replace(CONFIG, hierarchies=(replace(SHOP, drain_s=5.0, priorities={"n2": 1, "n1": 2}),)),
        replace(CONFIG, cluster=replace(CLUSTER, profile="fast")),
        replace(CONFIG, hierarchies=(SHOP, replace(SHOP, tag="docs", site="docs"))),
    ],
)
def test_the_rest_may_change_at_any_time(after: Config) -> None:
    assert rules(after, ON_N1) == []


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (replace(SITE, content="X:\\new"), "its content cannot"),
        (replace(SITE, bindings=(HTTP,)), "its bindings cannot"),
        (replace(SITE, bindings=(HTTP, replace(HTTPS, port=444))), "its bindings cannot"),
        (replace(SITE, bindings=(HTTP, replace(HTTPS, sni=False))), "its bindings cannot"),
        (replace(SITE, content="x:\\shop", bindings=()), "its bindings and content cannot"),
    ],
)
def test_a_site_in_service_keeps_bindings_and_content_on_every_node(new: Site, said: str) -> None:
    (problem,) = check_site_alterations(CONFIG, {"shop": SITE}, {"shop": new}, ON_N1, node="n1")
    assert problem.rule == "HF701"
    assert problem.message == f"site 'shop' is in service on n1; {said} change now."
    assert check_site_alterations(CONFIG, {"shop": SITE}, {"shop": new}, {}, node="n1") == []
    assert check_site_alterations(CONFIG, {}, {"shop": new}, ON_N1, node="n1") == [], "a missing site may be made"
    assert check_site_alterations(CONFIG, {"shop": SITE}, {"shop": new}, ON_N1, node="n2") == [], "a standby's too"


@pytest.mark.parametrize(
    "new",
    [
        SITE,
        replace(SITE, app_pool="other"),
        replace(SITE, bindings=(HTTPS, HTTP)),
        replace(SITE, bindings=(HTTP, replace(HTTPS, certificate="CD"))),
    ],
)
def test_certificates_pools_and_order_may_change_in_service(new: Site) -> None:
    assert check_site_alterations(CONFIG, {"shop": SITE}, {"shop": new}, ON_N1, node="n1") == []


def group(holder: str | None, *, out: bool) -> dict[str, Any]:
    heads = [
        {"tag": "shop", "by_operator": out, "depends_on": ["ip-shop", "vol-shop"]},
        {"tag": "docs", "by_operator": False, "depends_on": ["ip-shop"]},
    ]
    return {"holder": holder, "hierarchies": heads, "resources": []}


def test_in_service_is_what_a_node_holds_less_what_an_operator_took_out() -> None:
    assert serving({"groups": [group("n1", out=False)]}) == {**ON_N1, "docs": "n1"}
    assert serving({"groups": [group("n1", out=True)]}) == {"docs": "n1", "ip-shop": "n1"}
    assert serving({"groups": [group(None, out=False)]}) == {}
    alone = {"holder": "n2", "hierarchies": [], "resources": [{"tag": "ip-new"}]}
    assert serving({"groups": [alone]}) == {"ip-new": "n2"}


WITNESS = Witness(name="w1", addresses={"path-a": "10.77.1.21"}, port=7431)
WATCHED = replace(CONFIG, cluster=replace(CLUSTER, arbiter=WITNESS))
WITHOUT_N3 = replace(
    WATCHED, cluster=replace(WATCHED.cluster, comm_paths=(CommPath(name="path-a", addresses={"n1": "a", "n2": "b"}),))
)


def view(*, n2: str = "alive", n3: str = "alive", holder: str | None = "n1") -> dict[str, Any]:
    """The status as n1 gives it."""
    states = {"n1": "alive", "n2": n2, "n3": n3}
    rows = [{"name": name, "self": name == "n1", "state": state} for name, state in states.items()]
    votes = {"arbiter": "witness w1", "counts": True, "answers": True, "reason": ""}
    return {"nodes": rows, "groups": [group(holder, out=False)], "voting": votes}


@pytest.mark.parametrize(
    "arbiter", [replace(WITNESS, name="w2"), Etcd(endpoints=(), prefix="/a"), Manual(), Share(path="\\\\f\\a")]
)
def test_another_arbiter_comes_while_all_nodes_hear_each_other(arbiter: Arbiter) -> None:
    after = replace(WATCHED, cluster=replace(WATCHED.cluster, arbiter=arbiter))
    assert check_voters(WATCHED, after, view(), off=()) == []

    (problem,) = check_voters(WATCHED, after, view(n3="dead"), off=())
    assert (problem.rule, problem.value) == ("HF706", "n3")
    assert problem.message.startswith("n3 is dead; the arbiter (witness w1 to ")
    assert "Bring n3 back first" in problem.cure
    assert check_voters(WATCHED, after, view(n3="dead", holder=None), off=()) == [], "nothing runs that could stop"


def test_the_same_arbiter_may_move_to_another_address_whoever_is_away() -> None:
    moved = replace(WATCHED, cluster=replace(WATCHED.cluster, profile="vm", arbiter=replace(WITNESS, port=9)))
    assert check_voters(WATCHED, moved, view(n2="dead", n3="unknown"), off=()) == []


def test_a_node_comes_while_those_that_are_there_hear_each_other() -> None:
    assert check_voters(WITHOUT_N3, WATCHED, view(n3="unknown"), off=())[0].value == "n3"
    two = {**view(), "nodes": view()["nodes"][:2]}
    assert check_voters(WITHOUT_N3, WATCHED, two, off=()) == []
    two["nodes"][1]["state"] = "suspect"
    (problem,) = check_voters(WITHOUT_N3, WATCHED, two, off=())
    assert problem.message == "n2 is suspect; the nodes (n3 added) cannot change while groups run and a node is away."


@pytest.mark.parametrize("silent", [{"answers": False}, {"counts": False}])
def test_a_node_comes_while_the_arbiter_votes_for_what_runs(silent: dict[str, bool]) -> None:
    """From the change on the votes of all nodes count only with that of the new one, which nobody has heard yet."""
    two = {**view(), "nodes": view()["nodes"][:2]}
    away = {**two, "voting": {**two["voting"], **silent, "reason": "connection refused"}}

    (problem,) = check_voters(WITHOUT_N3, WATCHED, away, off=())
    assert problem.message == "n3 cannot come while groups run and witness w1 does not vote (connection refused)."
    assert check_voters(WITHOUT_N3, WATCHED, {**away, "groups": [group(None, out=False)]}, off=()) == []
    assert check_voters(WITHOUT_N3, replace(WITHOUT_N3, ips=()), away, off=()) == [], "other changes do not need it"


def test_of_two_nodes_a_dead_one_is_exchanged_for_another_in_one_step() -> None:
    paths = (CommPath(name="path-a", addresses={"n1": "a", "n3": "b"}),)
    after = replace(WATCHED, cluster=replace(WATCHED.cluster, comm_paths=paths))
    two = {**view(n2="dead"), "nodes": view(n2="dead")["nodes"][:2]}

    assert check_voters(WITHOUT_N3, after, two, off=["n2"]) == []
    assert [problem.rule for problem in check_voters(WITHOUT_N3, after, two, off=())] == ["HF705"]


def test_a_node_and_another_arbiter_do_not_come_in_one_step() -> None:
    two = {**view(), "nodes": view()["nodes"][:2]}
    after = replace(WATCHED, cluster=replace(WATCHED.cluster, arbiter=Share(path="\\\\f\\a")))

    (problem,) = check_voters(WITHOUT_N3, after, two, off=())
    assert problem.message == (
        "n3 cannot come in one step with another arbiter (witness w1 to share \\\\f\\a) while groups run."
    )


@pytest.mark.parametrize(
    ("state", "off", "said"),
    [
        ("alive", [], "is still alive"),
        ("alive", ["n3"], "is still alive"),
        ("suspect", ["n3"], "is still suspect"),
        ("dead", [], "may still serve where nobody hears it"),
        ("unknown", ["n2"], "may still serve where nobody hears it"),
    ],
)
def test_a_node_that_may_still_serve_does_not_leave(state: str, off: list[str], said: str) -> None:
    (problem,) = check_voters(WATCHED, WITHOUT_N3, view(n3=state), off=off)
    assert problem.rule == "HF705"
    assert said in problem.message
    assert "n3" in problem.cure


def test_a_node_that_is_off_for_good_leaves_on_the_operators_word() -> None:
    assert check_voters(WATCHED, WITHOUT_N3, view(n3="dead"), off=["n3"]) == []
    assert check_voters(WATCHED, WITHOUT_N3, view(n2="dead", n3="dead"), off=["n3"]) == [], (
        "n2's absence is another matter"
    )


def test_every_rule_has_its_own_id_and_a_source() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.id.startswith("HF7") for rule in RULES)
    assert all(rule.source.startswith(("guide chapter", "docs/")) for rule in RULES)
