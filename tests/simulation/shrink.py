# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a schedule that fails to a short story that fails in the same way, written as a scenario."""

from __future__ import annotations

from collections.abc import Iterator

from holdfast_sim.explore import failure
from holdfast_sim.stage import Story
from holdfast_sim.theatre import Theatre

TRIES_MAX = 400


def shrunk(story: Story) -> Story:
    """The story without what the failure does not need, without chance if that may be; as it is when all is well."""
    wanted = _kind(failure(story))
    tries = 0
    shorter = bool(wanted)
    while shorter:
        shorter = False
        for candidate in _simpler(story):
            tries += 1
            if tries <= TRIES_MAX and _kind(failure(candidate)) == wanted:
                story, shorter = candidate, True
                break
    return story


def scenario(story: Story, title: str) -> str:
    """The story as a file for tests/scenarios, with what happened in it; how it broke, if it does."""
    theatre = Theatre()
    said: list[str] = []
    try:
        for line in story:
            said += theatre.play(line)
    except Exception as error:  # noqa: BLE001 - whatever ends the story is told
        said.append(f"!! {error}")
    return "\n".join([f"# {title}", *story, "----", *said]) + "\n"


def _simpler(story: Story) -> Iterator[Story]:
    """Stories that tell less: halves, quarters and so on of the lines left out, then options of the first line."""
    size = max(1, (len(story) - 1) // 2)
    while size:
        for i in range(len(story) - size, 0, -size):
            yield story[:i] + story[i + size :]
        size //= 2
    words = story[0].split()
    for option in ("seed=", "restarts=", "failovers=", "paths="):
        if any(word.startswith(option) for word in words):
            yield [" ".join(word for word in words if not word.startswith(option)), *story[1:]]


def _kind(why: str) -> str:
    """The invariant's number, or the class of the error; without the time and what was on which node."""
    return why.partition(" s: ")[2][:2] or why[:20]
