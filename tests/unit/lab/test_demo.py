# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demonstration makes of a playbook's events, and what it writes."""

from __future__ import annotations

import io
import os
import pty
from collections.abc import Mapping

import pytest

from holdfast_lab.client.samples import Sample, summarise
from holdfast_lab.demo import words
from holdfast_lab.demo.playbook import PlaybookError, Run, note, run_playbook
from holdfast_lab.demo.screen import BOLD, Screen, wants_colour
from holdfast_lab.oracle.intervals import Interval

MOVE = {
    "group": "shop",
    "from": "n1",
    "to": "n2",
    "epoch": 7,
    "outage_s": 0.0123,
    "phases": [
        {"name": "stop site", "node": "n1", "resource": "shop", "start_s": 0.0, "seconds": 0.005},
        {"name": "add address", "node": "n2", "resource": "ip-shop", "start_s": 0.005, "seconds": 0.015},
    ],
}


def told(*events: Mapping[str, object]) -> Run:
    run = Run("site.yml")
    for event in events:
        note(run, event)
    return run


def task(role: str) -> dict[str, object]:
    return {"event": "task", "role": role, "task": "Do something"}


def result(host: str, status: str, **data: object) -> dict[str, object]:
    return {"event": "result", "host": host, "status": status, "data": data}


def test_tasks_are_counted_by_role_and_changes_by_host() -> None:
    run = told(
        task("holdfast.iis.monitor"),
        result("n1", "changed"),
        result("n2", "changed"),
        task("holdfast.iis.monitor"),
        result("n1", "ok"),
        task(""),
        task("holdfast.iis.site"),
    )
    assert [(part.name, part.tasks, part.changed) for part in run.parts] == [
        ("monitor", 2, 2),
        ("playbook", 1, 0),
        ("site", 1, 0),
    ]


def test_a_failure_is_kept_with_its_host_and_text() -> None:
    run = told(task("site"), result("n2", "failed", msg="port 80 is taken"), result("n1", "unreachable", msg="gone"))
    assert run.troubles == ["n2: port 80 is taken", "n1: gone"]
    assert run.messages == []


def test_what_two_hosts_say_alike_is_said_once() -> None:
    run = told(task(""), result("n1", "ok", msg=["a", "b"]), result("n2", "ok", msg=["a", "b"]))
    assert run.messages == ["a\nb"]


def test_moves_are_collected_from_any_task() -> None:
    assert told(task(""), result("n1", "changed", moves=[MOVE])).moves == [MOVE]


def test_a_playbook_that_does_not_exist_is_reported_with_what_ansible_said() -> None:
    with pytest.raises(PlaybookError, match=r"playbooks/no-such\.yml failed: .*could not be found"):
        run_playbook("no-such.yml", inventory=("-i", "localhost,"))


def test_the_phases_of_a_move_are_drawn_where_they_lie_in_the_whole() -> None:
    head, first, second = words.move_lines(MOVE)
    assert "shop: n1 -> n2, epoch 7" in head
    assert "12 ms" in head
    assert "stop site shop" in first
    assert first.endswith("=" * 10 + "." * 30)
    assert second.endswith("." * 10 + "=" * 30)


def test_a_move_without_phases_is_one_line() -> None:
    assert len(words.move_lines({"group": "shop", "from": None, "to": "n1"})) == 1


@pytest.mark.parametrize(
    ("start_s", "seconds", "drawn"),
    [(0.0, 1.0, "=" * 40), (0.0, 0.0, "=" + "." * 39), (1.0, 0.0, "." * 39 + "="), (0.5, 0.5, "." * 20 + "=" * 20)],
)
def test_a_bar_is_always_visible_and_never_longer_than_the_whole(start_s: float, seconds: float, drawn: str) -> None:
    assert words.bar(start_s, seconds, 1.0) == drawn


def test_the_client_lines_say_how_many_failed_and_why() -> None:
    samples = [
        Sample(number=k, start_s=k / 100, end_s=k / 100, status=None if k == 2 else 200, node="n1", error="timeout")
        for k in range(5)
    ]
    text = "\n".join(words.client_lines(summarise(samples, every_s=0.01)))
    assert "requests        5" in text
    assert "failures        1   (1 x no answer in time)" in text
    assert "longest outage  10 ms" in text


def test_what_was_held_before_the_first_request_is_shown_from_its_time_on() -> None:
    held = [Interval(subject="10.77.0.113", holder="n1", start_s=1.0, end_s=5.5)]
    assert words.oracle_lines("the address", held, start_s=3.0)[1].split() == ["0.00", "s", "to", "2.50", "s", "n1"]


def test_the_verdict_names_every_violation() -> None:
    assert words.verdict_lines([]) == ["   Never on two nodes at once."]
    assert words.verdict_lines(["address on n1 and n2"]) == ["   VIOLATED:", "   address on n1 and n2"]


def test_without_a_terminal_there_is_neither_colour_nor_a_running_line() -> None:
    out = io.StringIO()
    screen = Screen(out)
    screen.now("working")
    screen.say("title", style=BOLD)
    assert out.getvalue() == "title\n"


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_on_a_terminal_no_color_is_respected(environment: dict[str, str], wanted: bool) -> None:
    master, slave = pty.openpty()
    try:
        with os.fdopen(os.dup(slave), "w") as terminal:
            assert wants_colour(terminal, environment) is wanted
    finally:
        os.close(master)
        os.close(slave)


def test_a_failed_step_says_so_and_after_how_long() -> None:
    out = io.StringIO()
    with pytest.raises(RuntimeError), Screen(out).step("Build"):
        raise RuntimeError("no")
    assert "1. Build" in out.getvalue()
    assert "failed after 0.0 s" in out.getvalue()


def test_a_real_run_is_followed_to_its_end() -> None:
    """Run for real, on this machine, without a node."""
    run = run_playbook("../tests/unit/lab/hello.yml", inventory=("-i", "localhost,", "-c", "local"))
    assert run.messages == ["first\nsecond"]
    assert run.hosts["localhost"]["ok"] == 1
    assert [part.tasks for part in run.parts] == [1]
