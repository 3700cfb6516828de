# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many schedules on several processes: what they covered, and which seeds failed."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import count, islice
from multiprocessing import get_context

from holdfast_sim.explore import failure
from holdfast_sim.schedules import schedule

CHUNK = 25
"""Schedules in one piece of work: a second or so, so that the processes end at about the same time."""


@dataclass(slots=True)
class Campaign:
    """The outcome: schedules done, failures by seed, and how often each word and each transition occurred."""

    done: int = 0
    failures: dict[int, str] = field(default_factory=dict)
    covered: Counter[str] = field(default_factory=Counter)


def run(*, first: int, schedules: int, processes: int) -> Campaign:
    """The schedules with the seeds from ``first`` on were played."""
    campaign = Campaign()
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin) as pool:
        for part in pool.map(_chunk, _chunks(first, schedules)):
            campaign.done += part.done
            campaign.failures |= part.failures
            campaign.covered += part.covered
    return campaign


def _chunks(first: int, schedules: int) -> Iterator[range]:
    starts = islice(count(first, CHUNK), -(-schedules // CHUNK))
    return (range(start, min(start + CHUNK, first + schedules)) for start in starts)


def _begin() -> None:
    """What is there already is never garbage; a schedule's world is, as a whole, and is collected after it."""
    gc.disable()
    gc.freeze()


def _chunk(seeds: range) -> Campaign:
    part = Campaign()
    for seed in seeds:
        part.done += 1
        story = schedule(seed)
        part.covered.update(f"word {line.split()[0]}" for line in story)
        if why := failure(story, part.covered):
            part.failures[seed] = why
        if seed % 5 == 0:
            gc.collect()
    return part
