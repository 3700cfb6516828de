# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What may change under a group in service, and what may not. Guide chapter 6, changing a configuration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from holdfast.core.description.alterations import RULES, check_alterations, check_site_alterations, serving
from holdfast.core.values.model import Binding, Cluster, CommPath, Config, Hierarchy, Ip, Site, Volume

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
CLUSTER = Cluster(name="web", arbiter="manual", profile="normal", comm_port=7430, comm_paths=(PATH,))
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


def test_every_rule_has_its_own_id_and_a_source() -> None:
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.id.startswith("HF7") and "guide chapter" in rule.source for rule in RULES)
