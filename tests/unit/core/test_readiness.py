# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each rule of readiness: what a node finds that keeps a group from coming into service there, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from holdfast.core.moves.readiness import RULES, judge, silence
from holdfast.core.values.facts import Facts, IpFacts, State, VolumeFacts, WebFacts
from holdfast.core.values.graph import Group
from holdfast.core.values.model import Binding, Hierarchy, Ip, Site, Volume
from holdfast.core.values.problems import Problem

PRIORITIES = {"n1": 1, "n2": 2}
IP = Ip(tag="ip", address="192.0.2.1", prefix_length=24, interfaces={"n2": "LAN"}, priorities=PRIORITIES)
VOLUME = Volume(tag="vol", drive="X:", driver="shared_disk", disk="d1", priorities=PRIORITIES)
SHOP = Hierarchy(tag="shop", kind="web", site="Shop", priorities=PRIORITIES, drain_s=0.0, depends_on=("ip", "vol"))
GROUP = Group(name="shop", hierarchies=(SHOP,), ips=(IP,), volumes=(VOLUME,))
SITE = Site(
    name="Shop",
    kind="web",
    content="X:\\shop",
    app_pool="Shop",
    bindings=(Binding(protocol="http", ip="192.0.2.1", port=80),),
)
GOOD_IP = IpFacts(state="down", interface_up=True, answered_by=None)
GOOD_VOLUME = VolumeFacts(state="down", visible=True, online=False, holder="n1", letter_used_by=None)
GOOD_WEB = WebFacts(
    state="down",
    site=SITE,
    autostart=False,
    services={"W3SVC": "running", "WAS": "running"},
    certificates={"AB12": "ok"},
    content_present=None,
)
GOOD: Mapping[str, Facts] = {"ip": GOOD_IP, "vol": GOOD_VOLUME, "shop": GOOD_WEB}


def _judged(
    found: Mapping[str, Facts] | None = None,
    *,
    source: str | None = "n1",
    theirs: Mapping[str, Facts] | None = None,
) -> list[Problem]:
    """What n2 finds, all well but for this."""
    return judge(GROUP, node="n2", facts={**GOOD, **(found or {})}, source=source, theirs=theirs or {})


def test_a_node_where_all_is_well_may_serve() -> None:
    assert _judged(theirs=GOOD) == []


@pytest.mark.parametrize(
    ("found", "rule", "named"),
    [
        ({"ip": replace(GOOD_IP, interface_up=False)}, "HF610", "'LAN'"),
        ({"ip": replace(GOOD_IP, state="up")}, "HF613", "192.0.2.1"),
        ({"ip": replace(GOOD_IP, state="partial")}, "HF613", "192.0.2.1"),
        ({"vol": replace(GOOD_VOLUME, visible=False)}, "HF608", "d1"),
        ({"vol": replace(GOOD_VOLUME, letter_used_by="disk 7")}, "HF609", "disk 7"),
        ({"shop": replace(GOOD_WEB, site=None)}, "HF604", "'Shop'"),
        ({"shop": replace(GOOD_WEB, services={"W3SVC": "stopped"})}, "HF612", "W3SVC"),
        ({"shop": replace(GOOD_WEB, certificates={"AB12": "no private key"})}, "HF606", "AB12"),
        ({"shop": replace(GOOD_WEB, content_present=False)}, "HF607", "Shop"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.startswith("HF") else "",
)
def test_one_thing_that_is_wrong_is_one_problem_that_names_it(
    found: Mapping[str, Facts], rule: str, named: str
) -> None:
    (problem,) = _judged(found)
    assert problem.rule == rule
    assert named in problem.message
    assert "n2" in problem.message
    assert problem.cure


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_every_rule_says_what_it_asks_and_where_that_comes_from(rule: object) -> None:
    assert getattr(rule, "text", "").endswith(".")
    assert getattr(rule, "source", "")


def test_a_stranger_matters_only_while_no_node_serves_the_address() -> None:
    """While n1 serves, it is n1 that answers."""
    answered = replace(GOOD_IP, answered_by="02-00-00-00-00-09")
    assert _judged({"ip": answered}) == []
    (problem,) = _judged({"ip": answered}, source=None)
    assert problem.rule == "HF611"
    assert "02-00-00-00-00-09" in problem.message


def test_content_on_a_volume_that_is_elsewhere_cannot_be_judged_and_does_not_matter() -> None:
    assert _judged({"shop": replace(GOOD_WEB, content_present=None)}) == []


def test_the_site_must_be_the_same_on_the_node_that_serves_it() -> None:
    other = replace(GOOD_WEB, site=replace(SITE, app_pool="shop"))
    (problem,) = _judged(theirs={"shop": other})
    assert "n1" in problem.message
    assert "n2" in problem.message
    assert _judged(source=None, theirs={"shop": other}) == []


@pytest.mark.parametrize("tag", ["ip", "vol", "shop"])
def test_what_could_not_be_looked_at_is_not_ready(tag: str) -> None:
    facts = {name: fact for name, fact in GOOD.items() if name != tag}
    (problem,) = judge(GROUP, node="n2", facts=facts, source="n1", theirs={})
    assert (problem.rule, problem.path) == ("HF615", f"{tag} on n2")


def test_all_that_is_wrong_is_told_at_once() -> None:
    down: State = "down"
    problems = _judged(
        {
            "ip": replace(GOOD_IP, interface_up=False, state=down),
            "vol": replace(GOOD_VOLUME, visible=False, letter_used_by="disk 7"),
            "shop": replace(GOOD_WEB, site=None, services={"W3SVC": "stopped", "WAS": "stopped"}),
        }
    )
    assert sorted(p.rule for p in problems) == ["HF604", "HF608", "HF609", "HF610", "HF612", "HF612"]


def test_what_is_served_moves_only_where_clients_reach_it_and_what_nobody_serves_goes_there_too() -> None:
    silent = {"ip": replace(GOOD_IP, silent="none of 192.0.2.254 answers through interface 'LAN'")}

    (problem,) = _judged(silent)
    assert problem.rule == "HF616"
    assert problem.message == (
        "no client would reach 192.0.2.1 on n2: none of 192.0.2.254 answers through interface 'LAN'."
    )
    assert _judged(silent, source=None) == []
    assert silence({**GOOD, **silent}) == "none of 192.0.2.254 answers through interface 'LAN'"
    assert silence(GOOD) == ""
