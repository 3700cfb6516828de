# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""`make bench-switchover`: the outage that a client sees in a planned move, beside the floor of this machine.

One lab, one client, one way of measuring: first a bare script moves the address between the two nodes (floor.py),
then Holdfast moves a site with content on each node's own disk, then one with a shared disk.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from holdfast_lab.client.load import load
from holdfast_lab.demo.playbook import PlaybookError, run_playbook
from holdfast_lab.oracle.intervals import handovers
from holdfast_lab.oracle.recording import recording
from holdfast_lab.world import launch
from holdfast_lab.world.calls import call
from holdfast_lab.world.places import REPOSITORY, Places
from holdfast_lab.world.preflight import NotPossibleError, provide
from holdfast_lab.world.remote import Lab, LabError

from . import floor
from .numbers import Row, doubts, look, phase_table, row, table, together, verdict

MOVES = 12
PAUSE_S = 0.5
"""Between two moves; also the time around a move in which its outage is looked for, half on each side."""

EVERY_MS = 2.0
TIMEOUT_MS = 500.0
"""Below the second after which TCP tries again to connect: a request in the outage must fail, not come late."""

SITES = (("docs", "10.77.0.114", "site, content on own disk"), ("shop", "10.77.0.113", "site with a shared disk"))
FLOOR_ADDRESS = "10.77.0.113"


def main(arguments: Sequence[str] | None = None) -> int:
    """The numbers are on standard output; 0 even when the goal was missed or nothing can be said: machines differ."""
    parser = argparse.ArgumentParser(description="measure the outage of a planned move")
    parser.add_argument("--moves", type=int, default=MOVES, help="moves per row, at least 10 for a fair median")
    parser.add_argument("--lab-dir", type=Path, default=REPOSITORY / ".lab-bench")
    options = parser.parse_args(arguments)
    try:
        provide({"ip": "iproute2"})
        with launch.running(Places(options.lab_dir.resolve()), launch.Wish()) as lab:
            bench(lab, moves=options.moves)
    except (NotPossibleError, LabError, PlaybookError) as error:
        print(f"bench-switchover: {error}", file=sys.stderr)
        return 1
    return 0


def bench(lab: Lab, *, moves: int) -> None:
    """All rows were measured in this lab and printed. The floor is measured before and after: machines drift."""
    half = (moves + 1) // 2
    say(f"Load of this machine now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    before = bare_floor(lab, half, "before")
    say("Set-up: playbooks/site.yml ...")
    run_playbook("site.yml", inventory=lab.inventory)
    rows, phases = [], []
    for tag, address, name in SITES:
        say(f"{tag}: {moves} moves by Holdfast ...")
        one, answers = measure(lab, tag=tag, address=address, name=name, moves=moves)
        rows.append(one)
        phases.append((name, answers))
    call(lab, "n1", "out_of_service", {"tags": ["shop"], "timeout_s": 60})
    for node in floor.NODES:
        # A monitor takes an address away that it guards and that somebody else adds: it must not see this one.
        lab.fault("hang_service", node=node)
    after = bare_floor(lab, half, "after")
    floor_row = together("floor: bare script", before, after)
    say("")
    say(f"Outage seen by a client that asks every {EVERY_MS:g} ms, in milliseconds")
    for line in table(floor_row, rows):
        say(line)
    for name, answers in phases:
        say("")
        say(f"Phases of a move, {name}: median")
        for line in phase_table(answers):
            say(line)
    say("")
    for line in verdict(floor_row, rows[0], doubts(before, after, rows)):
        say(line)


def bare_floor(lab: Lab, moves: int, when: str) -> Row:
    """The floor as it is now; the address is in service nowhere."""
    say(f"Floor, {when}: {moves} moves of {FLOOR_ADDRESS} by hand ...")
    return row(
        f"floor, {when}",
        floor.measure(
            lab, address=FLOOR_ADDRESS, moves=moves, pause_s=PAUSE_S, every_ms=EVERY_MS, timeout_ms=TIMEOUT_MS
        ),
    )


def measure(lab: Lab, *, tag: str, address: str, name: str, moves: int) -> tuple[Row, list[dict[str, Any]]]:
    """Outages that the client saw of so many moves of this site, to and fro, and the monitor's own account of them.

    Raises:
        LabError: a move was refused, did not move, or something was seen on two nodes at once.
    """
    answers: list[dict[str, Any]] = []
    disk = str(lab.generated()["lab_disk_id"])
    with (
        recording(lab, addresses=[address], disks=[disk]) as watched,
        load(lab, f"http://{address}/", every_ms=EVERY_MS, timeout_ms=TIMEOUT_MS) as asked,
    ):
        target = holder(lab, tag)
        for _unused in range(moves):
            time.sleep(PAUSE_S)
            target = "n1" if target == "n2" else "n2"
            [move] = call(lab, target, "in_service", {"tags": [tag], "node": target, "timeout_s": 60})["moves"]
            answers.append(move)
            if move["outcome"] != "moved":
                raise LabError(f"{tag} was not moved to {target}: {move['outcome']}")
        time.sleep(PAUSE_S)
    if faults := watched.faults():
        raise LabError(f"{tag}: " + "; ".join(faults))
    seen = handovers(watched.addresses(), subject=address)
    if len(seen) != moves:
        raise LabError(f"{tag}: {moves} moves were done, the oracle saw {len(seen)}")
    looks = [look(asked, one, reach_s=PAUSE_S / 2) for one in seen]
    return row(name, looks), answers


def holder(lab: Lab, tag: str) -> str:
    """The node that has the group of this site now.

    Raises:
        LabError: none has.
    """
    for group in call(lab, "n1", "cluster_info", {})["groups"]:
        if group["holder"] and any(hierarchy["tag"] == tag for hierarchy in group["hierarchies"]):
            return str(group["holder"])
    raise LabError(f"{tag} is in service nowhere; see the status of the cluster")


def say(line: str) -> None:
    """One line on standard output, at once."""
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
