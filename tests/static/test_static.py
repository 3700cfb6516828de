# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every static tool finds nothing. One tool, one test; a failure shows the tool's own output.

Two tools run at a time from the start of the session, so that the slow ones overlap.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from checkout import BUILD, ROOT, environment, tracked_files

LIMIT_S = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a tool ended: its exit code, and what it wrote."""

    code: int
    output: str


# The slow ones first.
TOOLS = {
    # ansible-core's own checks of a collection; 10 s, the first time 50 s more for its virtual environments
    "sanity": (sys.executable, "tests/support/sanity.py"),
    "mypy": ("mypy",),
    "ansible_lint": ("ansible-lint",),
    "docs": (
        *("antsibull-docs", "lint-collection-docs", "--plugin-docs", "--skip-rstcheck"),
        *("--validate-collection-refs=self", "."),
    ),
    "package": ("ansible-galaxy", "collection", "build", "--force", "--output-path", str(BUILD / "package")),
    # file by file: `reuse lint` takes ignored files in a new folder for ours
    "reuse": ("reuse", "lint-file", *(str(path) for path in tracked_files())),
    "changelog": ("antsibull-changelog", "lint"),
    "ruff": ("ruff", "check", "--output-format", "concise"),
    "format": ("ruff", "format", "--check", "--output-format", "concise"),
}


@pytest.fixture(scope="session")
def runs(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Result]]]:
    """The selected tools, running. A worker of pytest-xdist starts each only when its test comes."""
    pool = ThreadPoolExecutor(max_workers=2)
    started: dict[str, Future[Result]] = {}
    if "PYTEST_XDIST_WORKER" not in os.environ:
        wanted = {item.callspec.params.get("tool") for item in request.session.items if hasattr(item, "callspec")}
        started = {tool: pool.submit(run, *command) for tool, command in TOOLS.items() if tool in wanted}
    yield started
    pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(LIMIT_S + 20)  # the first run of sanity makes virtual environments
@pytest.mark.parametrize("tool", TOOLS)
def test_tool_finds_nothing(tool: str, runs: dict[str, Future[Result]]) -> None:
    result = runs[tool].result() if tool in runs else run(*TOOLS[tool])

    assert result.code == 0, f"{tool} found something:\n{result.output}"


def run(*command: str) -> Result:
    """The tool has ended, after LIMIT_S seconds at the latest."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return Result(code=-1, output=f"{command[0]} was ended after {error.timeout} s")
    return Result(code=done.returncode, output=done.stdout)
