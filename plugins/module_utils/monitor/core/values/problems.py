# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What is wrong with a description or a move: one value per finding, with the rule and the cure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule with a stable id ("HF203"), what it demands, and where it comes from (guide chapter, RFC, vendor page)."""

    id: str
    text: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One rule broken at one place; ``cure`` says what to write or do instead."""

    rule: str
    path: str
    value: Any
    message: str
    cure: str
    source: str

    @property
    def line(self) -> str:
        """One line for people: place, what is wrong, what to do, rule id."""
        return f"{self.path}: {self.message} {self.cure} [{self.rule}]"


def found(rule: Rule, *, path: str, value: Any, message: str, cure: str) -> Problem:
    """A problem of this rule, with the rule's own source."""
    return Problem(rule=rule.id, path=path, value=value, message=message, cure=cure, source=rule.source)


def problem_row(problem: Problem) -> dict[str, Any]:
    """The problem as plain data, the form of every answer that names problems."""
    return {
        "rule": problem.rule,
        "path": problem.path,
        "value": problem.value,
        "message": problem.message,
        "cure": problem.cure,
        "chapter": problem.source,
    }
