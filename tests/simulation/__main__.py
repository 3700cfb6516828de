# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make simulate`: random schedules on all cores.

python -m holdfast_sim [--schedules N] [--seed S] [--processes P]     a campaign
python -m holdfast_sim --show SEED                                    one schedule, as the story it is
python -m holdfast_sim --shrink SEED                                  one that fails, made as short as can be
python -m holdfast_sim --hunt [--schedules N] ...                     the planted faults, each until it is found
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from holdfast_sim import campaign
from holdfast_sim.coverage import report
from holdfast_sim.explore import failure
from holdfast_sim.hunting import hunt_all
from holdfast_sim.mutants import MUTANTS
from holdfast_sim.schedules import schedule
from holdfast_sim.shrink import scenario, shrunk

FAILURES_SHOWN = 10
SHRUNK = 2
"""So many failing schedules are also shown as short as they still fail; each takes some seconds."""


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every invariant held in every schedule, else 1."""
    parser = argparse.ArgumentParser(prog="python -m holdfast_sim", description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=20_000, help="how many (default 20000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's number (default 0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one per core")
    parser.add_argument("--show", type=int, metavar="SEED", help="write one schedule instead")
    parser.add_argument("--shrink", type=int, metavar="SEED", help="make a failing schedule short instead")
    parser.add_argument("--hunt", action="store_true", help="plant each fault (mutants.py) until a schedule finds it")
    options = parser.parse_args(arguments)
    seeds = range(options.seed, options.seed + options.schedules)
    if options.show is not None:
        sys.stdout.write("\n".join(schedule(options.show)) + "\n")
        return 0
    if options.shrink is not None:
        story = schedule(options.shrink)
        sys.stdout.write(scenario(shrunk(story), failure(story) or f"schedule {options.shrink}"))
        return 0
    if options.hunt:
        return _hunt(seeds, options.processes)
    began_s = time.monotonic()
    outcome = campaign.run(first=options.seed, schedules=options.schedules, processes=options.processes)
    for line in _lines(outcome, time.monotonic() - began_s):
        sys.stdout.write(f"{line}\n")
    return 1 if outcome.failures else 0


def _hunt(seeds: range, processes: int) -> int:
    lost = 0
    for quarry in hunt_all({mutant.name: seeds for mutant in MUTANTS}, processes=processes):
        lost += not quarry.why
        sys.stdout.write(f"{quarry.seed:6} {quarry.name}\n       {quarry.why or f'NOT FOUND in {len(seeds)}'}\n")
        sys.stdout.flush()
    return 1 if lost else 0


def _lines(outcome: campaign.Campaign, took_s: float) -> list[str]:
    lines = [f"{outcome.done} schedules in {took_s:.0f} s, {outcome.done / took_s:.0f} a second"]
    lines += report(outcome.covered)
    for number, (seed, why) in enumerate(sorted(outcome.failures.items())[:FAILURES_SHOWN]):
        lines.append(f"FAILED {seed}: {why}   (python -m holdfast_sim --show {seed})")
        lines += [f"    {line}" for line in (shrunk(schedule(seed)) if number < SHRUNK else ())]
    lines.append(f"{outcome.done - len(outcome.failures)} passed, {len(outcome.failures)} failed")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
