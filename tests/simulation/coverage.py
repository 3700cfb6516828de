# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What many schedules covered, for people."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import get_args

from holdfast.core.values.messages import Activity

ACTIVITIES: tuple[str, ...] = get_args(Activity)
CHANGES = {f"{before} -> {after}" for before, after in permutations(ACTIVITIES, 2)}


def report(covered: Counter[str]) -> list[str]:
    """How often each word, each kind of answer and each change of a group's activity came, and which never did."""
    return [
        "words: " + _counts({key[5:]: n for key, n in covered.items() if key.startswith("word ")}),
        "answers: " + _counts({key[7:]: n for key, n in covered.items() if key.startswith("answer ")}),
        "activities: " + _counts({key: n for key, n in covered.items() if key in CHANGES}),
        "never: " + (", ".join(sorted(CHANGES - covered.keys())) or "none"),
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{key} {n}" for key, n in sorted(counts.items(), key=lambda pair: -pair[1]))
