# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The order in which a group stops and starts, and what becomes of it when a step fails or never answers."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

from holdfast.core.moves.sequence import (
    Run,
    Stage,
    one_after_another,
    outage_s,
    prepare_stages,
    start_stages,
    stop_stages,
)
from holdfast.core.values.events import Step, StepDone
from holdfast.core.values.messages import PhaseTime
from holdfast.core.values.model import Hierarchy, Ip, Volume

IP = Ip(tag="ip", address="192.0.2.1", prefix_length=24, interfaces={}, priorities={})
VOLUME = Volume(tag="vol", drive="X:", driver="shared_disk", disk="d", priorities={})
SHOP = Hierarchy(tag="shop", kind="web", site="shop", priorities={}, drain_s=0.0, depends_on=("ip", "vol"))
DOCS = Hierarchy(tag="docs", kind="web", site="docs", priorities={}, drain_s=0.0, depends_on=("ip",))


def _words(stages: tuple[Stage, ...]) -> list[list[str]]:
    return [[f"{operation} {resource.tag}" for operation, resource in stage] for stage in stages]


def test_addresses_leave_first_and_arrive_last() -> None:
    """Docs/decisions/0006: no other site may answer for an address whose site is stopped."""
    assert _words(stop_stages([VOLUME, IP, SHOP])) == [["stop ip"], ["stop shop"], ["stop vol"]]
    assert _words(start_stages([VOLUME, IP, SHOP])) == [
        ["start vol"],
        ["start shop"],
        ["start ip"],
        ["verify ip", "verify shop"],
    ]


def test_a_site_that_drains_stops_before_its_address() -> None:
    draining = replace(SHOP, drain_s=5.0)
    assert _words(stop_stages([VOLUME, IP, draining])) == [["stop shop"], ["stop ip"], ["stop vol"]]


def test_only_sites_without_a_volume_can_be_prepared() -> None:
    assert _words(prepare_stages([VOLUME, IP, SHOP, DOCS])) == [["prepare docs"]]


def test_a_prepared_site_is_looked_at_while_its_address_comes_up() -> None:
    assert _words(start_stages([IP, DOCS], prepared=frozenset({"docs"})))[0] == ["start ip", "start docs"]


def _run(stages: tuple[Stage, ...]) -> Run:
    return Run(group="shop", node="n1", stages=stages, ids=count(1), now_s=100.0)


def _over(run: Run) -> bool:
    return run.finished


def _steps(run: Run, now_s: float) -> list[Step]:
    return [do.step for do in run.advance(now_s)]


def test_a_stage_begins_when_all_of_the_one_before_is_done() -> None:
    run = _run(start_stages([IP, DOCS]))
    (docs,) = _steps(run, 100.0)
    assert _steps(run, 100.1) == []
    assert run.done(StepDone(id=docs.id), 100.2)
    (ip,) = _steps(run, 100.2)
    run.done(StepDone(id=ip.id), 100.3)
    assert {step.operation for step in _steps(run, 100.3)} == {"verify"}
    assert not _over(run)


def test_a_failed_step_ends_the_run_after_its_stage() -> None:
    run = _run(((("stop", IP), ("stop", SHOP)), (("stop", VOLUME),)))
    ip, shop = _steps(run, 100.0)
    run.done(StepDone(id=ip.id, error="the card is gone"), 100.1)
    assert not _over(run), "the other step of the stage is still running"
    run.done(StepDone(id=shop.id), 100.2)
    assert _over(run)
    assert run.failure is not None
    assert run.failure.text == "stop of ip failed: the card is gone"
    assert run.failure.confirmed
    assert _steps(run, 100.3) == []


def test_a_step_that_never_answers_is_given_up_unconfirmed_and_its_late_answer_is_ignored() -> None:
    run = _run(((("stop", IP),),))
    (ip,) = _steps(run, 100.0)
    assert run.deadline_s() == 100.0 + ip.timeout_s
    run.expire(100.0 + ip.timeout_s)
    assert _over(run)
    assert run.failure is not None
    assert not run.failure.confirmed
    assert not run.done(StepDone(id=ip.id), 200.0)


def test_the_drain_time_is_added_to_the_stop_of_a_site() -> None:
    (step,) = _steps(_run(((("stop", replace(SHOP, drain_s=7.0)),),)), 100.0)
    assert step.drain_s == 7.0
    (plain,) = _steps(_run(((("stop", SHOP),),)), 100.0)
    assert step.timeout_s == plain.timeout_s + 7.0


def _phase(name: str, start_s: float, seconds: float) -> PhaseTime:
    return PhaseTime(name=name, node="n1", resource="x", start_s=start_s, seconds=seconds)


def test_the_outage_is_from_the_first_stop_to_the_last_start_without_verification() -> None:
    stopped = [_phase("stop", 0.0, 0.01), _phase("stop", 0.01, 0.02)]
    started = [_phase("start", 0.0, 0.03), _phase("start", 0.03, 0.01), _phase("verify", 0.04, 5.0)]
    assert outage_s(stopped, started) == 0.07


def test_phases_of_two_nodes_stand_on_one_time_line() -> None:
    rows = one_after_another([_phase("stop", 0.0, 0.03)], [_phase("start", 0.0, 0.01)])
    assert [row.start_s for row in rows] == [0.0, 0.03]
