# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rule of the guard as a table of values: plan, permit, what was seen and the time give what is to be taken off."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pytest

from holdfast.guard.decision import Decision, DiskSight, Rule, Sight
from holdfast.guard.plan import Plan, PlannedGroup
from holdfast.windows.storage import Claim

CLAIM = Claim(disk="D-1", letter="X:", key="k1")
SHOP = PlannedGroup(
    name="shop",
    tags=("ip-shop", "vol-shop", "shop"),
    fence_s=1.1,
    addresses=("10.77.0.113",),
    disks=(CLAIM,),
    sites=("shop",),
)
DOCS = PlannedGroup(
    name="docs", tags=("ip-docs", "docs"), fence_s=0.4, addresses=("10.77.0.114",), disks=(), sites=("docs",)
)
PLAN = Plan(groups=(DOCS, SHOP), resets=True)


def _sight(at_s: float, *addresses: str, disk_up: bool | None = None, disk_s: float | None = None) -> Sight:
    """A look at everything at ``at_s``; without ``disk_up`` the disk was not looked at."""
    disks = {} if disk_up is None else {"D-1": DiskSight(at_s=at_s if disk_s is None else disk_s, up=disk_up)}
    return Sight(at_s=at_s, addresses=frozenset(addresses), disks=disks)


class Story:
    """One rule, asked again and again. What is fresh, off and overdue is given by group names."""

    def __init__(self) -> None:
        self.rule = Rule()

    def ask(self, now_s: float, sight: Sight | None = None, /, **until_s: float) -> tuple[str, str, str]:
        decision = self.rule.decide(plan=PLAN, until_s=until_s, sight=sight or Sight(), now_s=now_s)
        return _names(decision.fresh), _names(decision.off), _names(decision.overdue)


def _names(groups: Iterable[PlannedGroup]) -> str:
    return " ".join(group.name for group in groups)


NOTHING = ("", "", "")


def test_a_group_within_its_permit_is_left_alone_whatever_is_up() -> None:
    story = Story()
    assert story.ask(1.0, _sight(0.9, "10.77.0.113", "10.77.0.114", disk_up=True), shop=3.0, docs=3.0) == NOTHING
    assert story.rule.due == frozenset()


def test_a_permit_that_ran_out_makes_the_group_due_before_anything_was_seen() -> None:
    story = Story()
    assert story.ask(1.0, shop=2.0, docs=math.inf) == NOTHING
    assert story.ask(1.99, shop=2.0, docs=math.inf) == NOTHING
    assert story.ask(2.0, shop=2.0, docs=math.inf) == ("shop", "", "")
    assert story.rule.due == {"shop"}


def test_a_permit_that_was_taken_back_makes_the_group_due() -> None:
    story = Story()
    assert story.ask(1.0, shop=9.0, docs=9.0) == NOTHING
    assert story.ask(1.5, docs=9.0) == ("shop", "", "")


def test_a_group_that_never_had_a_permit_is_due_only_when_something_of_it_is_up() -> None:
    story = Story()
    assert story.ask(1.0, _sight(0.9, disk_up=False)) == NOTHING
    assert story.ask(1.1, _sight(1.05, "10.77.0.114", disk_up=False)) == ("docs", "", "")
    assert story.ask(1.2, _sight(1.15, disk_up=True)) == ("shop", "docs", "")


def test_without_a_look_at_everything_after_it_became_due_a_group_is_not_known_to_be_off() -> None:
    story = Story()
    story.ask(1.0, shop=2.0, docs=9.0)
    assert story.ask(2.0, _sight(1.9, disk_up=False), shop=2.0, docs=9.0) == ("shop", "", "")
    assert story.ask(2.1, _sight(2.05), shop=2.0, docs=9.0) == NOTHING, "the disk was not looked at"
    assert story.ask(2.2, _sight(2.15, disk_up=False, disk_s=1.9), shop=2.0, docs=9.0) == NOTHING, "the look is old"
    assert story.ask(2.3, _sight(2.25, "10.77.0.113", disk_up=False), shop=2.0, docs=9.0) == NOTHING
    assert story.ask(2.4, _sight(2.35, disk_up=True), shop=2.0, docs=9.0) == NOTHING
    assert story.ask(2.5, _sight(2.45, disk_up=False), shop=2.0, docs=9.0) == ("", "shop", "")
    assert story.rule.due == frozenset()


@pytest.mark.parametrize(("group", "fence_s"), [("docs", 0.4), ("shop", 1.1)])
def test_a_group_that_is_not_off_in_its_time_is_overdue(group: str, fence_s: float) -> None:
    story = Story()
    others = {"shop": 9.0, "docs": 9.0} | {group: 2.0}
    story.ask(1.0, None, **others)
    assert story.ask(2.03, None, **others) == (group, "", "")
    assert story.ask(2.03 + fence_s - 0.001, None, **others) == NOTHING
    assert story.ask(2.03 + fence_s + 0.001, None, **others) == ("", "", group)


def test_after_a_pause_the_time_for_being_off_begins_when_it_is_noticed() -> None:
    story = Story()
    story.ask(1.0, shop=2.0, docs=9.0)
    assert story.ask(60.0, shop=2.0, docs=99.0) == ("shop", "", "")
    assert story.ask(60.5, shop=2.0, docs=99.0) == NOTHING
    assert story.ask(61.2, shop=2.0, docs=99.0) == ("", "", "shop")


def test_a_permit_that_came_after_all_ends_it() -> None:
    story = Story()
    story.ask(1.0, shop=2.0, docs=9.0)
    assert story.ask(2.1, shop=2.0, docs=9.0) == ("shop", "", "")
    assert story.ask(2.2, shop=4.0, docs=9.0) == NOTHING
    assert story.ask(3.9, shop=4.0, docs=9.0) == NOTHING
    assert story.ask(4.0, shop=4.0, docs=9.0) == ("shop", "", "")


def test_with_an_infinite_permit_nothing_is_ever_due() -> None:
    story = Story()
    up = _sight(0.5, "10.77.0.113", "10.77.0.114", disk_up=True)
    for now_s in (1.0, 1e6, 1e12):
        assert story.ask(now_s, up, shop=math.inf, docs=math.inf) == NOTHING


def test_a_group_that_is_no_longer_planned_is_forgotten() -> None:
    story = Story()
    story.ask(1.0, shop=2.0, docs=9.0)
    story.ask(2.0, shop=2.0, docs=9.0)
    without = Plan(groups=(DOCS,), resets=True)
    decision = story.rule.decide(plan=without, until_s={"docs": 9.0}, sight=Sight(), now_s=5.0)
    assert (decision.due, decision.overdue) == ((), ())


def test_the_same_permit_is_not_looked_through_again_before_something_is_over() -> None:
    rule, until_s = Rule(), {"shop": 5.0, "docs": 6.0}
    for now_s in (1.0, 2.0, 4.99):
        assert rule.decide(plan=PLAN, until_s=until_s, sight=Sight(), now_s=now_s) == Decision()
    assert rule.decide(plan=PLAN, until_s=until_s, sight=Sight(), now_s=5.0).fresh == (SHOP,)
