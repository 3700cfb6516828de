# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The one place that knows how Holdfast on a node is called: the command, the request, the answer, the errors.

The command is the same over winrm, psrp and ssh: PowerShell with an encoded one-line script that hands its standard
input to the program. Data never stands on the command line. The answer is the last line that begins with "{".
Everything here is a function of its arguments; ``_base`` does the talking.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..module_utils.monitor import PROTOCOL
from ..module_utils.monitor.paths import DATA, POINTER

# winrm and psrp recognise this beginning and do not wrap the command once more; ansible-core offers it only through
# names that 2.21 removed or deprecates.
_POWERSHELL = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
_QUOTES = "'\u2018\u2019\u201a\u201b"
_STDERR_LINES_MAX = 6
_LOG = DATA + r"\logs\monitor.log"


class NodeFailure(Exception):  # noqa: N818 - it becomes a failed result, not an error of the program
    """A call that did not do what was asked; ``result`` is the task's result, made for people to read."""

    def __init__(self, msg: str, **fields: Any) -> None:
        super().__init__(msg)
        self.result: dict[str, Any] = {"failed": True, "changed": False, "msg": msg, **fields}


def command(*words: str, program: str = POINTER) -> str:
    """The command line that runs the program with these words and hands on standard input and exit code."""
    call = " ".join(quoted(word) for word in (program, *words))
    return powershell(f"$input | & {call}; exit $LASTEXITCODE")


def powershell(script: str) -> str:
    """The command line for a script, as ansible-core's own connection plugins expect it."""
    return _POWERSHELL + base64.b64encode(script.encode("utf-16-le")).decode("ascii")


def quoted(text: str) -> str:
    """The text as a PowerShell literal; PowerShell takes five characters for a single quote."""
    return "'" + "".join(char * 2 if char in _QUOTES else char for char in text) + "'"


def request(verb: str, args: Mapping[str, Any], *, check: bool, diff: bool) -> bytes:
    """One line of ASCII JSON: Windows PowerShell 5.1 pipes nothing else unharmed to a native program."""
    body = {"protocol": PROTOCOL, "verb": verb, "args": args, "check": check, "diff": diff}
    return json.dumps(body, ensure_ascii=True).encode("ascii") + b"\n"


def answer(stdout: str) -> dict[str, Any] | None:
    """The answer in the program's output; None when there is none."""
    lines = [line.strip() for line in stdout.splitlines() if line.strip().startswith("{")]
    if not lines:
        return None
    try:
        found = json.loads(lines[-1])
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("ok"), bool) else None


def failure_of(error: Mapping[str, Any], *, node: str) -> NodeFailure:
    """The failed result for an error that the node reported."""
    kind = str(error.get("kind", "internal"))
    message = str(error.get("message") or "no reason was given")
    message += "" if message.endswith((".", "?", "!")) else "."
    problems = [dict(problem) for problem in error.get("problems") or ()]
    hints = {
        "timeout": " What was begun goes on; holdfast.iis.cluster_info shows how it ended.",
        "internal": f" This is a defect of Holdfast; {_LOG} on {node} says more.",
    }
    text = f"{node}: {message}{hints.get(kind, '')}"
    return NodeFailure(text + problem_lines(problems), kind=kind, problems=problems)


def problem_lines(problems: Sequence[Mapping[str, Any]]) -> str:
    """One line per problem: place, what is wrong, the cure, the rule; "" when there are none."""
    lines = (
        f"\n  - {problem.get('path')}: {problem.get('message')} {problem.get('cure')} [{problem.get('rule')}]"
        for problem in problems
    )
    return "".join(lines)


def no_answer(*, node: str, rc: int, stdout: str, stderr: str) -> NodeFailure:
    """The failed result for a program that ended without an answer."""
    said = readable(stderr) or readable(stdout)
    quote = " It said:" + "".join(f"\n  {line}" for line in said[-_STDERR_LINES_MAX:]) if said else ""
    text = f"{node}: {POINTER} ended with code {rc} and gave no answer.{quote}"
    return NodeFailure(text, kind="internal", problems=[], rc=rc)


def not_installed(*, node: str) -> NodeFailure:
    """The failed result for a node without Holdfast."""
    text = (
        f"{node}: Holdfast is not installed, there is no {POINTER}. "
        "Run the playbook holdfast.iis.site, or the role holdfast.iis.monitor, for this host first."
    )
    return NodeFailure(text, kind="unreachable", problems=[])


def readable(text: str) -> list[str]:
    """The lines that are for people: without PowerShell's CLIXML blocks and blank lines."""
    lines = (line.strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith(("#< CLIXML", "<Objs ", "{"))]
