# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m holdfast_lab.trials --minutes 10 [--seed N] [--arbiter etcd]`: the soak, as `make soak` runs it."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from ..demo.playbook import PlaybookError
from ..world import launch
from ..world.places import REPOSITORY, Places
from ..world.preflight import NotPossibleError, provide
from ..world.remote import LabError
from .soak import soak, table
from .stage import stage

SEEDS = 2**32


def main(arguments: Sequence[str] | None = None) -> int:
    """0 when nothing was ever served twice and everything was in service again after every round."""
    parser = argparse.ArgumentParser(description="random faults on a lab, for as long as asked")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(SEEDS))
    parser.add_argument("--arbiter", default="witness", choices=("witness", "etcd"))
    parser.add_argument("--profile", choices=("fast", "normal", "vm"), help="default: normal, with etcd vm")
    parser.add_argument("--lab-dir", type=Path, default=REPOSITORY / ".lab-soak")
    options = parser.parse_args(arguments)
    again = f"make soak MINUTES={options.minutes:g} SEED={options.seed} ARBITER={options.arbiter}"
    wish = launch.Wish(witness=options.arbiter == "witness", etcd=options.arbiter == "etcd", profile=options.profile)
    say(f"Soak for {options.minutes:g} minutes, profile {wish.timing}; again: {again}")
    try:
        provide({"ip": "iproute2"})
        with stage(Places(options.lab_dir.resolve()), wish) as scene:
            rounds = soak(scene, minutes=options.minutes, seed=options.seed, arbiter=options.arbiter, say=say)
            faults = scene.new_faults()
    except (NotPossibleError, LabError, PlaybookError, AssertionError) as error:
        say(f"soak: {error}")
        say(f"Again: {again}")
        return 1
    for line in table(rounds):
        say(line)
    double_s = sum(one.episode.double_s for one in rounds)
    disk_s = sum(one.episode.thaw_disk_s for one in rounds)
    say(f"{len(rounds)} rounds, seed {options.seed}: double service {double_s:.3f} s.")
    say(f"The disk was on two nodes after a thaw for {disk_s:.3f} s.")
    if double_s or disk_s:
        for fault in faults:
            say(f"  {fault}")
        return 1
    say("Everything is in service.")
    return 0


def say(line: str) -> None:
    """One line on standard output, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
