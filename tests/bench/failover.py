# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make bench-failover`: seconds without service and seconds of double service, fault by fault, as clients saw them.

Two nodes and a witness; both sites, one with a shared disk and one without, are on the node that is hurt. Clients open
a new connection every 10 ms, on schedule, whatever became of the ones before. Oracles outside the nodes tell who had
which address and disk.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from holdfast_lab.demo.playbook import PlaybookError
from holdfast_lab.scene import ADDRESSES, Scene
from holdfast_lab.trials.catalogue import TRIALS
from holdfast_lab.trials.episode import Episode, play, settle
from holdfast_lab.trials.stage import stage
from holdfast_lab.world import launch
from holdfast_lab.world.places import REPOSITORY, Places
from holdfast_lab.world.preflight import NotPossibleError, provide
from holdfast_lab.world.remote import LabError
from holdfast_lab.world.seed import Profile

from .outages import Row, as_data, goals, table

RUNS = 7
PROFILES: tuple[Profile, ...] = ("normal", "fast")
FAULTS = ("power cut", "freeze", "link lost", "monitor killed", "site crashed", "site hung", "switchover")
NODE = "n1"


def main(arguments: Sequence[str] | None = None) -> int:
    """The table is on standard output, all figures in a file; 1 when something could not be measured."""
    options = parse(arguments)
    faults = [name.strip() for name in options.faults.split(",")]
    if unknown := [name for name in faults if name not in TRIALS]:
        print(f"bench-failover: no fault {unknown[0]!r}; there are: {', '.join(TRIALS)}", file=sys.stderr)
        return 1
    measured: dict[str, list[Row]] = {}
    try:
        provide({"ip": "iproute2"})
        for profile in options.profile.split(","):
            arbiter = {"witness": options.arbiter == "witness", "etcd": options.arbiter == "etcd"}
            wish = launch.Wish(**arbiter, profile=profile)
            with stage(Places(options.lab_dir.resolve()), wish) as scene:
                say(f"Profile {profile}; load of this machine now {os.getloadavg()[0]:.1f}")
                measured[profile] = [measure(scene, name, runs=options.runs) for name in faults]
    except (NotPossibleError, LabError, PlaybookError, AssertionError) as error:
        print(f"bench-failover: {error}", file=sys.stderr)
        return 1
    finally:
        report(measured, options.json)
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="measure what clients lose when something fails")
    parser.add_argument("--runs", type=int, default=RUNS, help="runs of each fault, at least 7 for a fair median")
    parser.add_argument("--profile", default=",".join(PROFILES), help="profiles, with commas between them")
    parser.add_argument("--faults", default=",".join(FAULTS), help="names of the trials catalogue, with commas")
    parser.add_argument("--arbiter", default="witness", choices=("witness", "etcd", "manual"))
    parser.add_argument("--json", type=Path, default=REPOSITORY / ".build" / "bench-failover.json")
    parser.add_argument("--lab-dir", type=Path, default=REPOSITORY / ".lab-failover")
    return parser.parse_args(arguments)


def measure(scene: Scene, name: str, *, runs: int) -> Row:
    """The fault was caused so many times, each time after both sites had been brought to the node that it hits."""
    trial = TRIALS[name]
    episodes: list[Episode] = []
    for number in range(runs):
        scene.bring(dict.fromkeys(ADDRESSES, NODE))
        settle(scene)
        time.sleep(trial.rest_s if number else 0.0)
        episode = play(scene, partial(trial.cause, scene, NODE), lasts=trial.lasts)
        episodes.append(episode)
        lost = ", ".join(f"{tag} {seconds:.2f} s" for tag, seconds in episode.fault.without_s.items())
        say(f"  {name} {number + 1}/{runs}: without service {lost}{'' if episode.back else ' (NOT BACK)'}")
    return Row(name=name, episodes=tuple(episodes))


def report(measured: dict[str, list[Row]], file: Path) -> None:
    """What was measured up to now is printed and written."""
    for profile, rows in measured.items():
        for line in ("", *table(profile, rows), *goals(profile, rows)):
            say(line)
    file.parent.mkdir(parents=True, exist_ok=True)
    data = {profile: [as_data(row) for row in rows] for profile, rows in measured.items()}
    file.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    say(f"All figures: {file}")


def say(line: str) -> None:
    """One line on standard output, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
