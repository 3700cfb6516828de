# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a schedule that fails to a short story that fails in the same way."""

from __future__ import annotations

from holdfast_sim.explore import failure
from holdfast_sim.faults import Story

TRIES_MAX = 300


def shrunk(story: Story) -> Story:
    """The story without the lines that the failure does not need; as it is when it does not fail."""
    wanted = _kind(failure(story))
    tries = 0
    shorter = True
    while shorter and wanted:
        shorter = False
        for i in reversed(range(1, len(story))):
            tries += 1
            candidate = story[:i] + story[i + 1 :]
            if tries <= TRIES_MAX and _kind(failure(candidate)) == wanted:
                story, shorter = candidate, True
    return story


def _kind(why: str) -> str:
    """The invariant's number, or the class of the error; without the time and what was on which node."""
    return why.partition(" s: ")[2][:2] or why[:20]
