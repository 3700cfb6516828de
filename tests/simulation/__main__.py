# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make simulate`: random schedules on all cores.

python -m holdfast_sim [--schedules N] [--seed S] [--processes P]     a campaign
python -m holdfast_sim --show SEED                                    one schedule, as the story it is
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence

from holdfast_sim import campaign
from holdfast_sim.schedules import schedule

FAILURES_SHOWN = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when every invariant held in every schedule, else 1."""
    parser = argparse.ArgumentParser(prog="python -m holdfast_sim", description=__doc__.splitlines()[0])
    parser.add_argument("--schedules", type=int, default=20_000, help="how many (default 20000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's number (default 0)")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1, help="default: one per core")
    parser.add_argument("--show", type=int, metavar="SEED", help="write one schedule instead")
    options = parser.parse_args(arguments)
    if options.show is not None:
        sys.stdout.write("\n".join(schedule(options.show)) + "\n")
        return 0
    began_s = time.monotonic()
    outcome = campaign.run(first=options.seed, schedules=options.schedules, processes=options.processes)
    sys.stdout.write(_report(outcome, time.monotonic() - began_s))
    return 1 if outcome.failures else 0


def _report(outcome: campaign.Campaign, took_s: float) -> str:
    lines = [f"{outcome.done} schedules in {took_s:.0f} s, {outcome.done / took_s:.0f} a second", "covered:"]
    lines += [f"  {times:9} {what}" for what, times in sorted(outcome.covered.items())]
    for seed, message in sorted(outcome.failures.items())[:FAILURES_SHOWN]:
        lines.append(f"FAILED {seed}: {message}   (python -m holdfast_sim --show {seed})")
    lines.append(f"{outcome.done - len(outcome.failures)} passed, {len(outcome.failures)} failed")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
