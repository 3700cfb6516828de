# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people read and type: texts are pure and compared whole; commands run against a stand-in for the monitor."""

from __future__ import annotations

import hashlib
import io
import json
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from checkout import MONITOR
from holdfast import cli, paths, selftest
from holdfast.cli import call, people
from holdfast.cli.explain_text import explain_lines
from holdfast.cli.forget import forget
from holdfast.cli.move_text import history_lines, move_lines, plan_lines, refusal_lines, stop_lines
from holdfast.cli.package import Package, PackageError, verified
from holdfast.cli.people import paint_for, run_command
from holdfast.cli.status_text import status_lines
from holdfast.cli.table import Cell, Paint, seconds, table
from holdfast.service.endpoint import Endpoint, endpoint_bytes
from holdfast_lab.memory_surface import MemorySurface, MemoryWorld

PLAIN, COLOURED = Paint(on=False), Paint(on=True)
PACKAGE = Package(version="0.1.0+0123456789abcdef")

STATUS: dict[str, Any] = {
    "cluster": "web",
    "node": "n1",
    "config_hash": "3f1c9a0b77d2e614",
    "arbiter": "witness",
    "voting": {"arbiter": "witness w1", "counts": True, "answers": True, "answered_s_ago": 0.25, "reason": ""},
    "profile": "normal",
    "loop_stall_ms_max": 12.0,
    "refused_on_comm_paths": {"certificate": 2, "peer": 0},
    "guard": "watches",
    "warnings": ["comm path path-b to n2 is down: nothing heard for 2.0 s", "vol-shop of shop is unknown on n2"],
    "groups": [
        {
            "name": "shop",
            "epoch": 7,
            "holder": "n2",
            "state": "in_service",
            "reason": "moved here from n1 by command",
            "since_s": 4000.0,
            "preferred": "n1",
            "busy": "",
            "permit": {"seconds_left": 1.93, "votes": []},
            "recovery": {
                "restarts": {"used": 1, "allowed": 3, "free_in_s": None},
                "failovers": {"used": 3, "allowed": 3, "free_in_s": 700.0},
                "again_in_s": 30.0,
                "rule": "HF803",
                "quarantine": [{"node": "n1", "failures": 2, "seconds_left": 8.0}],
                "candidates": [],
            },
            "hierarchies": [
                {
                    "tag": "shop",
                    "kind": "web",
                    "site": "shop",
                    "state": "in_service",
                    "by_operator": False,
                    "depends_on": ["ip-shop", "vol-shop"],
                }
            ],
            "resources": [
                {"tag": "vol-shop", "kind": "volume", "state": "unknown", "detail": "X: on HFLAB-DISK-0001"},
                {"tag": "ip-shop", "kind": "ip", "state": "up", "detail": "10.77.0.113"},
                {"tag": "shop", "kind": "web", "state": "up", "detail": "shop"},
            ],
        },
        {
            "name": "docs",
            "epoch": 3,
            "holder": None,
            "state": "out_of_service",
            "reason": "taken out of service by command",
            "since_s": 12.3,
            "preferred": "n2",
            "busy": "in service",
            "hierarchies": [
                {
                    "tag": "docs",
                    "kind": "web",
                    "site": "docs",
                    "state": "out_of_service",
                    "by_operator": True,
                    "depends_on": ["ip-docs"],
                }
            ],
            "resources": [
                {"tag": "ip-docs", "kind": "ip", "state": "down", "detail": "10.77.0.114"},
                {"tag": "docs", "kind": "web", "state": "down", "detail": "docs"},
            ],
        },
    ],
    "nodes": [
        {"name": "n1", "self": True, "state": "alive", "version": "0.1.0+0123456789abcdef", "paths": []},
        {
            "name": "n2",
            "self": False,
            "state": "alive",
            "refused_messages": 4,
            "version": "0.1.0+0123456789abcdef",
            "paths": [
                {"name": "path-a", "state": "up", "rtt_ms": 0.31, "jitter_ms": 0.12, "loss_percent": 2.5, "reason": ""},
                {
                    "name": "path-b",
                    "state": "down",
                    "rtt_ms": None,
                    "loss_percent": 0.0,
                    "reason": "nothing heard for 2.0 s",
                },
            ],
        },
    ],
}

STATUS_PAGE = """\
CLUSTER web  seen from n1, profile normal, configuration 3f1c9a0b77d2e614, longest stall 12 ms, guard watches
ARBITER witness w1  answers, 250 ms ago
! comm path path-b to n2 is down: nothing heard for 2.0 s
! vol-shop of shop is unknown on n2

GROUP shop  in service on n2 for 67 min
  moved here from n1 by command; preferred is n1; epoch 7; may serve for another 1.9 s
  restarted by itself 1 of 3 times lately
  moved by itself 3 of 3 times lately; not again by itself for 12 min
  n1 failed it 2 times and is left alone for 8.00 s
  looked at again in 30 s
  shop        web     in service  needs ip-shop, vol-shop
    ip-shop   ip      up          10.77.0.113
    vol-shop  volume  unknown     X: on HFLAB-DISK-0001

GROUP docs  out of service for 12 s
  taken out of service by command; under way: in service; epoch 3
  docs       web  out of service  needs ip-docs; taken out of service by an operator
    ip-docs  ip   down            10.77.0.114

NODES
  node  state      version                 comm path  state  round trip  jitter  loss
  n1    this node  0.1.0+0123456789abcdef
  n2    alive      0.1.0+0123456789abcdef  path-a     up     0.3 ms      0.1 ms  2.5 %
                                           path-b     down   -           -       -      nothing heard for 2.0 s

refused: 4 messages of n2, 2 connections or messages for their certificate"""

MOVE: dict[str, Any] = {
    "group": "shop",
    "tags": ["shop"],
    "from": "n1",
    "to": "n2",
    "epoch": 8,
    "outcome": "moved",
    "outage_s": 0.0124,
    "phases": [
        {"name": "stop", "node": "n1", "resource": "ip-shop", "start_s": 0.0, "seconds": 0.0042},
        {"name": "start", "node": "n2", "resource": "ip-shop", "start_s": 0.0061, "seconds": 0.012},
    ],
}
PROBLEM = {
    "rule": "HF604",
    "path": "vol-shop",
    "value": None,
    "message": "n2 does not see the disk.",
    "cure": "Connect the disk to n2.",
    "chapter": "guide chapter 2",
}
PLAN: dict[str, Any] = {
    "group": "shop",
    "tags": ["shop", "docs"],
    "from": "n1",
    "to": "n2",
    "allowed": False,
    "problems": [PROBLEM],
    "phases": [
        {"name": "stop", "node": "n1", "resource": "shop", "expected_s": 0.004},
        {"name": "start", "node": "n2", "resource": "vol-shop", "expected_s": None},
    ],
    "dragged": ["docs"],
}


# -- texts --------------------------------------------------------------------------------------------


def test_the_status_page_shows_what_is_wrong_first_then_groups_then_nodes() -> None:
    assert "\n".join(status_lines(STATUS, PLAIN)) == STATUS_PAGE


def test_colours_change_nothing_but_the_colours() -> None:
    coloured = "\n".join(status_lines(STATUS, COLOURED))
    assert "\x1b[31;1m! comm path path-b" in coloured
    assert "\x1b[32min service\x1b[0m on n2" in coloured
    bare = coloured
    for code in ("31;1", "32", "33", "2", "1", "0"):
        bare = bare.replace(f"\x1b[{code}m", "")
    assert bare == STATUS_PAGE


def test_a_healthy_cluster_says_so_and_a_node_without_cluster_too() -> None:
    assert status_lines({**STATUS, "warnings": []}, PLAIN)[2] == "Nothing is wrong."
    nothing = {"cluster": None, "groups": [], "nodes": [], "warnings": ["run the playbook"]}
    assert status_lines(nothing, PLAIN) == ["This node belongs to no cluster.", "! run the playbook"]


def test_the_same_warning_is_shown_once() -> None:
    few = {**STATUS, "warnings": ["one", "two", "one"], "groups": [], "nodes": [], "refused_on_comm_paths": {}}
    assert status_lines(few, PLAIN)[2:] == ["! one", "! two"]


@pytest.mark.parametrize(
    ("changed", "shown"),
    [
        ({"arbiter": "manual"}, "ARBITER manual  groups move by command only"),
        ({"counts": False}, "ARBITER witness w1  does not count yet"),
        ({"answers": False}, "ARBITER witness w1  does not answer"),
        ({"answered_s_ago": None}, "ARBITER witness w1  answers"),
    ],
)
def test_the_status_page_says_how_the_arbiter_is(changed: dict[str, Any], shown: str) -> None:
    assert status_lines({**STATUS, "voting": {**STATUS["voting"], **changed}}, PLAIN)[1] == shown


def test_a_silent_node_is_shown_with_how_long_its_lease_still_runs() -> None:
    silent = {**STATUS["nodes"][1], "state": "suspect", "silence_s": 1.2, "lease_left_s": 2.4}
    page = "\n".join(status_lines({**STATUS, "nodes": [silent]}, PLAIN))
    assert "n2    suspect, silent 1.20 s, lease 2.40 s" in page
    gone = {**silent, "state": "dead", "silence_s": 400.0, "lease_left_s": 0.0}
    assert "n2    dead, silent 7 min " in "\n".join(status_lines({**STATUS, "nodes": [gone]}, PLAIN))


EXPLANATION: dict[str, Any] = {
    "group": "shop",
    "tags": ["vol-shop", "ip-shop", "shop"],
    "seen_from": "n1",
    "holder": "n1",
    "state": "in_service",
    "since_s": 4000.0,
    "epoch": 7,
    "why": [
        {"rule": "HF901", "text": "n1 holds it: n2 is silent and its lease has run out", "source": "", "values": {}},
        {"rule": "HF807", "text": "n1 is its preferred node", "source": "", "values": {}},
    ],
    "if": [
        {"dies": "n1", "down": False, "to": "n2", "after_s": 3.6, "rule": "HF903", "text": "n2 takes it over"},
        {"dies": "witness w1", "down": True, "to": None, "after_s": None, "rule": "HF902", "text": "n1 has to stop it"},
    ],
    "candidates": [
        {"node": "n2", "priority": 2, "why_not": "", "seconds_left": None},
        {"node": "n3", "priority": 3, "why_not": "n3 failed it once lately", "seconds_left": 4.5},
    ],
    "permit": None,
    "voting": {},
    "records": [
        {
            "time": "2026-11-22T19:40:36.123456+00:00",
            "node": "n1",
            "kind": "moved",
            "group": "shop",
            "text": "shop moved from n2 to n1",
            "fields": {
                "phases": [{"name": "stop", "node": "n2", "resource": "shop", "start_s": 0.0, "seconds": 0.0042}]
            },
        }
    ],
}
EXPLANATION_PAGE = """\
GROUP shop  in service on n1 for 67 min  epoch 7, seen from n1

WHY IT IS THERE
  n1 holds it: n2 is silent and its lease has run out  HF901
  n1 is its preferred node                             HF807

IF THIS DIED NOW
  n1          n2 takes it over   HF903
  witness w1  n1 has to stop it  HF902

WHO COULD HAVE IT NEXT
  n2  priority 2  ready for it
  n3  priority 3  n3 failed it once lately  for 4.50 s

WHAT HAPPENED TO IT LAST, ON THIS NODE
  time (UTC)           group  kind   what
  2026-11-22 19:40:36  shop   moved  shop moved from n2 to n1
                        phase  resource  node  from (ms)  took (ms)
                        stop   shop      n2    0.0        4.2"""


def test_an_explanation_answers_the_question_first() -> None:
    assert "\n".join(explain_lines(EXPLANATION, PLAIN)) == EXPLANATION_PAGE
    bare = {**EXPLANATION, "holder": None, "state": "out_of_service", "since_s": None, "candidates": [], "records": []}
    lines = explain_lines(bare, PLAIN)
    assert lines[0] == "GROUP shop  out of service  epoch 7, seen from n1"
    assert lines[2] == "WHY IT IS NOWHERE"
    assert lines[-1] == "  witness w1  n1 has to stop it  HF902"


def test_a_move_shows_where_how_long_and_its_phases() -> None:
    assert move_lines([MOVE], PLAIN) == [
        "shop is in service on n2, came from n1; clients waited 12 ms",
        "  phase  resource  node  from (ms)  took (ms)",
        "  stop   ip-shop   n1    0.0        4.2",
        "  start  ip-shop   n2    6.1        12.0",
    ]
    unchanged = {**MOVE, "outcome": "unchanged", "phases": []}
    assert move_lines([unchanged], PLAIN) == ["shop is on n2 already; nothing was done"]
    assert move_lines([{**unchanged, "to": None}], PLAIN) == ["shop is nowhere already; nothing was done"]
    assert move_lines([], PLAIN) == ["nothing was to be done"]


def test_a_stop_shows_that_it_lasts() -> None:
    stop = {"group": "shop", "tags": ["shop"], "outcome": "stopped", "phases": []}
    assert stop_lines([stop], PLAIN) == ["shop is out of service, and stays so until it is brought in again"]
    assert stop_lines([{**stop, "outcome": "unchanged"}], PLAIN)[0].startswith("shop is out of service already")


def test_a_plan_shows_the_verdict_what_is_dragged_along_and_every_problem() -> None:
    assert plan_lines(PLAN, PLAIN) == [
        "Moving shop (shop, docs) from n1 to n2: NOT POSSIBLE",
        "It takes along: docs",
        "",
        "  phase  resource  node  took last time",
        "  stop   shop      n1    4.0 ms",
        "  start  vol-shop  n2    not known yet",
        "  vol-shop: n2 does not see the disk.",
        "    -> Connect the disk to n2.",
        "    HF604, guide chapter 2",
    ]
    possible = {**PLAN, "allowed": True, "problems": [], "phases": [], "dragged": [], "from": None}
    assert plan_lines(possible, PLAIN) == ["Moving shop (shop, docs) from nowhere to n2: possible"]
    there = {**possible, "from": "n2"}
    assert plan_lines(there, PLAIN) == ["shop is on n2 already; nothing would be done"]


def test_a_refusal_shows_the_reason_and_the_cures() -> None:
    error = {"kind": "refused", "message": "shop stays on n1.", "problems": [PROBLEM]}
    assert refusal_lines(error, PLAIN)[:2] == ["shop stays on n1.", "  vol-shop: n2 does not see the disk."]


def test_history_is_one_line_per_record() -> None:
    record = {"time": "2026-11-22T03:04:05.678Z", "kind": "moved", "group": "shop", "text": "shop is on n2"}
    assert history_lines([record, {**record, "group": ""}], PLAIN) == [
        "time (UTC)           group  kind   what",
        "2026-11-22 03:04:05  shop   moved  shop is on n2",
        "2026-11-22 03:04:05  -      moved  shop is on n2",
    ]
    assert history_lines([], PLAIN) == ["no history yet"]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.0042, "4.2 ms"),
        (0.25, "250 ms"),
        (1.5, "1.50 s"),
        (59.4, "59 s"),
        (600.0, "10 min"),
        (7300.0, "2 h"),
        (400_000.0, "5 d"),
    ],
)
def test_durations_are_in_the_unit_people_think_in(value: float, said: str) -> None:
    assert seconds(value) == said


def test_a_table_aligns_by_what_is_seen_and_leaves_no_blanks_behind() -> None:
    rows = [[Cell("a", "bad"), Cell("bb")], [Cell("ccc"), Cell("")]]
    assert table(rows, COLOURED, indent=1) == [" \x1b[31;1ma\x1b[0m    bb", " ccc"]


def test_colours_are_for_terminals_only_and_can_be_switched_off() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    assert paint_for(Terminal(), {}).on
    assert not paint_for(Terminal(), {"NO_COLOR": "1"}).on
    assert not paint_for(io.StringIO(), {}).on


# -- commands -----------------------------------------------------------------------------------------


class Monitor:
    """Answers on the loopback what the test wants, and notes what it was asked."""

    def __init__(self, surface: MemorySurface) -> None:
        import socketserver

        self.asked: list[dict[str, Any]] = []
        self.news: list[Mapping[str, Any]] = []
        self.answer: Mapping[str, Any] | bytes = {"ok": True, "changed": False, "diff": None, "data": STATUS}
        outer = self

        class Caller(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                outer.asked.append(json.loads(self.rfile.readline()))
                for news in outer.news:
                    self.wfile.write(json.dumps({"progress": news}).encode() + b"\n")
                answer = outer.answer
                self.wfile.write(answer if isinstance(answer, bytes) else json.dumps(answer).encode() + b"\n")

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Caller)
        surface.put_file(paths.ENDPOINT, endpoint_bytes(Endpoint(port=self.server.server_address[1], token="secret")))
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def surface(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MemorySurface:
    made = MemoryWorld(tmp_path).node("n1")
    made.services["Holdfast"] = "stopped"
    for module in (people, call):
        monkeypatch.setattr(module, "open_surface", lambda: made)
    return made


@pytest.fixture
def monitor(surface: MemorySurface) -> Iterator[Monitor]:
    made = Monitor(surface)
    yield made
    made.close()


def refusal(kind: str = "refused") -> dict[str, Any]:
    return {"ok": False, "error": {"kind": kind, "message": "shop stays on n1.", "problems": [PROBLEM]}}


Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Typed:
    """Runs a command; its exit code, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        code = run_command(words, PACKAGE)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_status_asks_the_monitor_with_the_token_and_prints_the_page(monitor: Monitor, typed: Typed) -> None:
    assert typed("status") == (0, STATUS_PAGE + "\n", "")
    request = {"protocol": 1, "verb": "cluster_info", "args": {}, "check": False, "diff": False}
    assert monitor.asked == [{"token": "secret", "request": request}]
    code, printed, _ = typed("status", "--json")
    assert (code, json.loads(printed)) == (0, STATUS)


def test_a_plan_that_is_not_possible_ends_with_one(monitor: Monitor, typed: Typed) -> None:
    monitor.answer = {"ok": True, "changed": False, "diff": None, "data": PLAN}
    code, printed, _ = typed("plan", "shop", "n2")
    assert code == 1
    assert "NOT POSSIBLE" in printed
    monitor.answer = {"ok": True, "changed": False, "diff": None, "data": {**PLAN, "allowed": True}}
    assert typed("plan", "shop", "n2")[0] == 0
    assert monitor.asked[0]["request"]["args"] == {"tag": "shop", "node": "n2"}


def test_moves_and_stops_say_what_they_ask_for_and_show_news(monitor: Monitor, typed: Typed) -> None:
    monitor.news = [{"text": "n2 is ready"}]
    monitor.answer = {"ok": True, "changed": True, "diff": None, "data": {"moves": [MOVE]}}
    code, printed, news = typed("in-service", "shop", "n2", "--peer-off", "n1", "--timeout", "5")
    assert (code, news) == (0, "n2 is ready\n")
    assert printed.startswith("shop is in service on n2")
    args = {"tags": ["shop"], "node": "n2", "peers_off": ["n1"], "timeout_s": 5.0}
    assert monitor.asked[0]["request"]["args"] == args
    monitor.answer = {"ok": True, "changed": False, "diff": None, "data": {"stops": []}}
    assert typed("out-of-service", "shop")[0] == 0
    assert monitor.asked[1]["request"]["args"] == {"tags": ["shop"], "timeout_s": 60.0}


def test_a_refusal_goes_to_standard_error_and_ends_with_one(monitor: Monitor, typed: Typed) -> None:
    monitor.answer = refusal()
    for words in (("status",), ("plan", "shop", "n2"), ("in-service", "shop"), ("out-of-service", "shop")):
        code, printed, error = typed(*words)
        assert (code, printed) == (1, "")
        assert "shop stays on n1." in error
        assert "Connect the disk to n2." in error


def test_history_can_be_read_by_people_and_by_programs(monitor: Monitor, typed: Typed) -> None:
    record = {"time": "2026-11-22T03:04:05.678Z", "kind": "moved", "group": "shop", "text": "shop is on n2"}
    monitor.answer = {"ok": True, "changed": False, "diff": None, "data": {"records": [record]}}
    assert "shop is on n2" in typed("history", "--limit", "3")[1]
    assert monitor.asked[0]["request"]["args"] == {"limit": 3}
    assert json.loads(typed("history", "--json")[1]) == record


def test_version_tells_which_package_this_is(typed: Typed) -> None:
    assert typed("version") == (0, "Holdfast 0.1.0+0123456789abcdef, protocol 1\n", "")


def test_the_selftest_gets_its_own_options_this_machine_and_decides_the_exit_code(
    surface: MemorySurface, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does is tested with it: it takes its time."""
    seen: list[tuple[Any, Any]] = []

    def main(given: Any, surface: Any) -> int:
        seen.append((given.interface, surface))
        return 1

    monkeypatch.setattr(selftest, "main", main)
    assert typed("selftest", "--interface", "LAN")[0] == 1
    assert seen == [("LAN", surface)]


def test_without_a_command_the_help_is_shown_and_it_names_every_command(typed: Typed) -> None:
    code, printed, _ = typed()
    assert code == 0
    for command in (
        *("status", "plan", "in-service", "out-of-service", "history", "version", "selftest"),
        *("forget-state", "call", "service"),
    ):
        assert re.search(rf"^    {command}\b", printed, re.MULTILINE), command


@pytest.mark.parametrize("words", [["fly"], ["plan", "shop"], ["in-service"], ["history", "--limit", "x"]])
def test_what_is_not_understood_ends_with_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 2
    assert "usage: holdfast" in capsys.readouterr().err


def test_a_monitor_that_does_not_run_is_told_in_one_line(
    surface: MemorySurface, capsys: pytest.CaptureFixture[str]
) -> None:
    assert surface.name == "n1"
    assert cli.main(["status"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("holdfast: the monitor of this node does not run")
    assert "Start-Service Holdfast" in error
    assert error.count("\n") == 1


# -- call ---------------------------------------------------------------------------------------------


def called(given: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """The last line that ``holdfast call`` writes for this standard input."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
    assert cli.main(["call"]) == 0
    printed = capsys.readouterr().out
    assert printed.isascii()
    (line,) = printed.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


REQUEST = {"protocol": 1, "verb": "cluster_info", "args": {"text": "\u00e4"}, "check": True, "diff": True}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_call_hands_on_the_request_and_the_answer_whatever_they_say(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mark: bytes
) -> None:
    monitor.answer = {**refusal("rule"), "changed": True}
    monitor.news = [{"text": "not for playbooks"}]
    given = mark + json.dumps(REQUEST).encode() + b"\r\n"
    assert called(given, monkeypatch, capsys) == monitor.answer
    assert monitor.asked[0]["request"] == REQUEST


@pytest.mark.parametrize("given", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 100_000])
def test_call_answers_nonsense_with_a_failure(
    surface: MemorySurface, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: bytes
) -> None:
    assert surface.name == "n1"
    error = called(given, monkeypatch, capsys)["error"]
    assert error["kind"] == "rule"
    assert error["message"].startswith("standard input holds no request")


def test_call_without_a_monitor_is_an_answer_too(
    surface: MemorySurface, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert surface.name == "n1"
    answer = called(json.dumps(REQUEST).encode(), monkeypatch, capsys)
    assert (answer["ok"], answer["error"]["kind"]) == (False, "unreachable")


@pytest.mark.parametrize("noise", [b"", b"not json\n", b"[]\n"])
def test_a_monitor_that_dies_in_the_middle_is_unreachable(
    monitor: Monitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], noise: bytes
) -> None:
    monitor.answer = noise
    error = called(json.dumps(REQUEST).encode(), monkeypatch, capsys)["error"]
    assert error["kind"] == "unreachable"
    assert "the monitor of this node went away" in error["message"]


# -- forgetting ---------------------------------------------------------------------------------------


def test_forgetting_needs_a_stopped_monitor_and_a_yes(monitor: Monitor, surface: MemorySurface) -> None:
    surface.put_file(paths.STATE + r"\registers.slots", b"torn")
    lines, code = forget(surface, sure=True)
    assert (lines, code) == (["The monitor runs. Stop it first: Stop-Service Holdfast"], 1)
    monitor.close()
    lines, code = forget(surface, sure=False)
    assert code == 1
    assert lines[-1] == "To do it: holdfast forget-state --yes"
    assert surface.local_path(paths.STATE + r"\registers.slots").exists()
    lines, code = forget(surface, sure=True)
    assert code == 0
    assert "set-aside-" in lines[0]
    assert not surface.local_path(paths.STATE + r"\registers.slots").exists()
    assert forget(surface, sure=True) == (["There are no state files; nothing was done."], 0)


# -- the package --------------------------------------------------------------------------------------


def pyz(folder: Path) -> Path:
    """The monitor's package as it is installed: a zip in a folder named after its own hash."""
    building = folder / "holdfast.pyz"
    with zipfile.ZipFile(building, "w") as archive:
        archive.writestr(
            "__main__.py", "import sys; from holdfast.cli import main; raise SystemExit(main(sys.argv[1:]))"
        )
        for source in sorted(MONITOR.rglob("*.py")):
            archive.write(source, f"holdfast/{source.relative_to(MONITOR)}")
    sha16 = hashlib.sha256(building.read_bytes()).hexdigest()[:16]
    place = folder / sha16
    place.mkdir()
    return building.rename(place / "holdfast.pyz")


def python(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-I", *words], capture_output=True, text=True, timeout=30, check=False)


def test_the_package_runs_from_its_folder_and_not_when_it_was_changed(tmp_path: Path) -> None:
    package = pyz(tmp_path)
    sha16 = package.parent.name
    ran = python(package, "version")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.startswith(f"Holdfast 0.1.0+{sha16}, protocol 1\npackage {sha16}")

    with package.open("ab") as file:
        file.write(b"\0")
    for command in ("version", "service", "call", "status"):
        ran = python(package, command)
        assert (ran.returncode, ran.stdout) == (1, "")
        assert "was changed: its SHA-256 begins with" in ran.stderr
        assert "Install it again with role monitor" in ran.stderr


def test_a_package_in_another_folder_does_not_run(tmp_path: Path) -> None:
    package = pyz(tmp_path)
    elsewhere = tmp_path / "elsewhere"
    package.parent.rename(elsewhere)
    with pytest.raises(PackageError, match="its folder is named 'elsewhere'"):
        verified(elsewhere / package.name)
    with pytest.raises(PackageError, match="cannot be read"):
        verified(package)
    assert verified(None).version == "0.1.0"
