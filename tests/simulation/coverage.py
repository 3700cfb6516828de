# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What many schedules covered, for people."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import get_args

from holdfast.core.values.messages import Activity
from holdfast_sim.faults import FAULTS

ACTIVITIES: tuple[str, ...] = get_args(Activity)
CHANGES = {f"{before} -> {after}" for before, after in permutations(ACTIVITIES, 2)}


def report(covered: Counter[str]) -> list[str]:
    """How often each word, kind of answer, change of a group's activity and kind of note came; what never did."""
    never = sorted(CHANGES - covered.keys())
    return [
        *(f"{kind}s: {_counts(covered, f'{kind} ')}" for kind in ("word", "answer", "note")),
        "activities: " + ", ".join(f"{key} {n}" for key, n in covered.most_common() if key in CHANGES),
        f"{len(FAULTS)} kinds of fault; {len(CHANGES) - len(never)} of {len(CHANGES)} changes of activity",
        f"changes that never came: {', '.join(never) or 'none'}",
    ]


def _counts(covered: Counter[str], prefix: str) -> str:
    return ", ".join(f"{key.removeprefix(prefix)} {n}" for key, n in covered.most_common() if key.startswith(prefix))
