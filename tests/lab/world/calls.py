# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Calling Holdfast on a lab node without WinRM and Ansible: the same one JSON call, in milliseconds.

For benchmarks and tests that want the move itself. It reads the pointer `holdfast.cmd` as Windows would.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .remote import Lab, LabError

PROGRAM_FOLDER = "Program Files/Holdfast"
CALL_TIMEOUT_S = 120.0


def call(lab: Lab, node: str, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The data of Holdfast's answer to this verb, asked on this node.

    Raises:
        LabError: it is not installed there, did not answer, or refused; the text is its own.
    """
    answer = ask(lab, node, verb, arguments)
    if not answer["ok"]:
        raise LabError(f"{verb} on {node}: {answer['error']['message']}")
    return dict(answer["data"])


def ask(lab: Lab, node: str, verb: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Holdfast's whole answer, which may be an error with its problems.

    Raises:
        LabError: it is not installed there, or gave no answer.
    """
    request = {"protocol": 1, "verb": verb, "args": dict(arguments), "check": False, "diff": False}
    outcome = lab.run(node, [*program(lab, node), "call"], stdin=json.dumps(request) + "\n", timeout_s=CALL_TIMEOUT_S)
    lines = [line for line in outcome.out.splitlines() if line.startswith("{")]
    if not lines:
        raise LabError(f"{verb} on {node}: no answer, exit code {outcome.code}: {outcome.err.strip()}")
    return dict(json.loads(lines[-1]))


def program(lab: Lab, node: str) -> list[str]:
    """Interpreter and package that `holdfast.cmd` points to on this node, as paths of this machine.

    Raises:
        LabError: Holdfast is not installed there.
    """
    folder = lab.places.node(node) / "C" / PROGRAM_FOLDER
    try:
        pointer = (folder / "holdfast.cmd").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise LabError(f"Holdfast is not installed on {node}; run playbooks/site.yml first") from error
    paths = re.findall(r'"%~dp0([^"]+)"', pointer)
    return [str(folder / Path(path.replace("\\", "/"))) for path in paths]
