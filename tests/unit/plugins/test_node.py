# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The call of a node: what is sent, and what is made of the answer."""

from __future__ import annotations

import base64
import json

import pytest

from ansible_collections.holdfast.iis.plugins.plugin_utils import _node

PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "


def test_the_command_hands_standard_input_and_exit_code_on() -> None:
    assert script(_node.command("call")) == (
        "$input | & 'C:\\Program Files\\Holdfast\\holdfast.cmd' 'call'; exit $LASTEXITCODE"
    )


def test_the_command_is_one_that_winrm_and_psrp_do_not_wrap_again() -> None:
    """Source: exec_command of ansible-core's winrm and psrp connection plugins."""
    command = _node.command("call")

    assert command.startswith(PREFIX)
    assert len(command.split(" ")) == 7


def test_the_command_stays_far_below_the_limit_of_a_command_line() -> None:
    assert len(_node.command("call")) < 8191 / 4


@pytest.mark.parametrize("quote", ["'", "\u2018", "\u2019", "\u201a", "\u201b"])
def test_every_character_that_powershell_takes_for_a_quote_is_doubled(quote: str) -> None:
    assert _node.quoted(f"a{quote}b") == f"'a{quote}{quote}b'"


def test_nothing_else_is_special_in_a_quoted_text() -> None:
    assert _node.quoted('$env:X `n %PATH% "') == "'$env:X `n %PATH% \"'"


def test_a_request_is_one_line_of_ascii() -> None:
    sent = _node.request("site", {"name": "caf\u00e9 \u201cx\u201d\n\U0001f600"}, check=True, diff=False)

    assert sent.isascii()
    assert sent.count(b"\n") == 1
    assert json.loads(sent) == {
        "protocol": 1,
        "verb": "site",
        "args": {"name": "caf\u00e9 \u201cx\u201d\n\U0001f600"},
        "check": True,
        "diff": False,
    }


@pytest.mark.parametrize(
    "output",
    [
        '{"ok": true, "changed": false}',
        '{"ok": true, "changed": false}\r\n',
        'noise\n{"progress": {"phase": "stop site"}}\n{"ok": true, "changed": false}\nmore noise\n',
        '\ufeff\n  {"ok": true, "changed": false}  \n\n',
    ],
)
def test_the_answer_is_the_last_line_that_begins_with_a_brace(output: str) -> None:
    assert _node.answer(output) == {"ok": True, "changed": False}


@pytest.mark.parametrize(
    "output",
    ["", "no answer", "{", '{"ok": "yes"}', '{"progress": {}}', '[{"ok": true}]', '{"ok": true} and more', "{}"],
)
def test_anything_else_is_no_answer(output: str) -> None:
    assert _node.answer(output) is None


def test_a_broken_rule_is_told_with_every_problem() -> None:
    problems = [
        {"path": "sites[0].bindings[1].port", "message": "port is 0.", "cure": "Write 80.", "rule": "HF206"},
        {"path": "sites[1].name", "message": "name is missing.", "cure": "Write it.", "rule": "HF002"},
    ]

    result = _node.failure_of({"kind": "rule", "message": "2 rules are broken", "problems": problems}, node="n1").result

    assert result["msg"] == (
        "n1: 2 rules are broken.\n"
        "  - sites[0].bindings[1].port: port is 0. Write 80. [HF206]\n"
        "  - sites[1].name: name is missing. Write it. [HF002]"
    )
    assert result["failed"]
    assert result["kind"] == "rule"
    assert result["problems"] == problems


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("refused", "n1: the disk is not there."),
        ("timeout", "holdfast.iis.cluster_info"),
        ("internal", "logs\\monitor.log on n1"),
        ("unreachable", "n1: the disk is not there."),
    ],
)
def test_every_kind_of_error_says_what_to_do_next(kind: str, says: str) -> None:
    result = _node.failure_of({"kind": kind, "message": "the disk is not there"}, node="n1").result

    assert says in result["msg"]
    assert result["problems"] == []


def test_an_error_without_a_reason_is_still_a_sentence() -> None:
    assert _node.failure_of({"kind": "rule", "message": "Did you mean 'shop'?"}, node="n1").result["msg"] == (
        "n1: Did you mean 'shop'?"
    )
    assert _node.failure_of({}, node="n1").result["msg"].startswith("n1: no reason was given. This is a defect")


def test_a_program_without_an_answer_is_quoted_without_clixml() -> None:
    stderr = "#< CLIXML\r\n<Objs Version=\"1.1.0.1\"></Objs>\r\nTraceback\r\nKeyError: 'x'\r\n"

    result = _node.no_answer(node="n1", rc=1, stdout="", stderr=stderr).result

    assert result["rc"] == 1
    assert result["msg"].endswith("gave no answer. It said:\n  Traceback\n  KeyError: 'x'")


def test_only_the_end_of_a_long_complaint_is_quoted() -> None:
    result = _node.no_answer(node="n1", rc=1, stdout="", stderr="\n".join(f"line {n}" for n in range(100))).result

    assert "line 99" in result["msg"]
    assert "line 90" not in result["msg"]


def test_a_node_without_holdfast_says_how_to_get_it() -> None:
    msg = _node.not_installed(node="n1").result["msg"]

    assert "not installed" in msg
    assert "holdfast.iis.site" in msg


def script(command: str) -> str:
    return base64.b64decode(command.removeprefix(PREFIX)).decode("utf-16-le")
