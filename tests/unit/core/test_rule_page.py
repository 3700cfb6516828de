# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/rules.md lists every rule as the code has it; ``pytest --rewrite`` writes it anew."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

import pytest

from holdfast.core.description import alterations, rulebook
from holdfast.core.moves import decision, readiness
from holdfast.core.node import explain
from holdfast.core.values.problems import Rule

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"
HEAD = """<!--
SPDX-FileCopyrightText: 2026 Holdfast contributors
SPDX-License-Identifier: GPL-3.0-or-later
-->

# Rules

Every refusal names a rule. An id is never given to another rule. "guide" is the manual of the product whose users
Holdfast continues to serve (see the [glossary](glossary.md)). This page is written from the code
(`pytest tests/unit/core/test_rule_page.py --rewrite`).
"""
FAMILIES = {
    "0": "Shape of what is written",
    "1": "Cluster",
    "2": "Sites",
    "3": "Addresses",
    "4": "Volumes",
    "5": "Tags, priorities, hierarchies",
    "6": "May a group come into service on a node",
    "7": "Changes under what is in service",
    "8": "What is done by itself when a group fails",
    "9": "Why a group is where it is",
}


def _rules() -> list[Rule]:
    return sorted(
        (*rulebook.RULES, *readiness.RULES, *alterations.RULES, *decision.RULES, *explain.RULES),
        key=lambda rule: rule.id,
    )


def _page() -> str:
    text = HEAD
    for family, rules in groupby(_rules(), key=lambda rule: rule.id[2]):
        text += f"\n## {FAMILIES[family]}\n\n| rule | what it demands | source |\n|---|---|---|\n"
        text += "".join(f"| {rule.id} | {rule.text.replace('|', '&#124;')} | {rule.source} |\n" for rule in rules)
    return text


def test_the_page_lists_the_rules_of_the_code(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--rewrite"):
        PAGE.write_text(_page())
    assert PAGE.read_text() == _page()


def test_no_id_is_used_twice() -> None:
    ids = [rule.id for rule in _rules()]
    assert sorted(set(ids)) == ids
