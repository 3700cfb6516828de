# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plays a story to its end and says why it fails, if it does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from holdfast_sim.cluster import World
from holdfast_sim.judge import BrokenInvariantError
from holdfast_sim.stage import Story
from holdfast_sim.theatre import Theatre


def failure(story: Story, covered: Counter[str] | None = None) -> str:
    """Why the story fails: an invariant that does not hold, or an error of the core; empty when all is well."""
    theatre = Theatre()
    why = ""
    try:
        for line in story:
            theatre.do(line)
    except BrokenInvariantError as error:
        why = str(error)
    except Exception as error:  # noqa: BLE001 - whatever the core raises is a failure of its own
        why = f"{type(error).__name__}: {error}"
    if covered is not None:
        covered.update(_covered(theatre.world))
    return why


def _covered(world: World) -> Iterator[str]:
    """Names of what happened, one for each time."""
    yield from world.transitions.elements()
    for id_, answer in world.answers.items():
        kind = "ok" if answer["ok"] else answer["error"]["kind"]
        yield f"answer {world.commands[id_][0]} {kind}"
    for _now_s, _node, note in world.notes:
        yield f"note {note.kind}"
