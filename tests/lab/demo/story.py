# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The demonstration, in order: build, set up, look, move there and back, cut the power, ask why, tear down."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..client.load import Load, load
from ..oracle.recording import Recording, recording
from ..world import launch
from ..world.places import REPOSITORY, Places
from ..world.preflight import NotPossibleError
from ..world.remote import Lab, LabError
from . import words
from .playbook import Event, PlaybookError, Run, run_playbook
from .screen import BOLD, GREEN, RED, Screen

SHOP = "10.77.0.113"
URL = f"http://{SHOP}/"
SITE = "shop"
EVERY_MS = 5.0
TIMEOUT_MS = 500.0
QUIET_S = 1.0
"""Seconds of load before anything happens, and after everything has."""

FAILOVER_S = 20.0
"""Within this time the other node has to answer."""

TRY_NEXT = (
    ("make lab-up", "the same lab, kept running until make lab-down"),
    (
        ".venv/bin/ansible-playbook -i inventory/lab playbooks/site.yml",
        "set it up with the playbooks, then run it again: changed=0",
    ),
    ("make bench-switchover", "the outage of a move, measured against the floor of this machine"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen from outside while things happened; ``order`` is who has to have answered."""

    order: list[str]
    moves: list[Run]
    asked: Load
    watched: Recording


def tell(places: Places) -> int:
    """The story was told and nothing of the lab is left; 0 when all went well."""
    screen = Screen()
    start_s = time.monotonic()
    screen.say("Holdfast: one web site, two nodes, and nobody notices when it moves.", style=BOLD)
    try:
        with ended_by_terminate():
            good = play(screen, places)
    except (PlaybookError, LabError, NotPossibleError) as error:
        screen.say(str(error), style=RED)
        return 1
    except KeyboardInterrupt:
        screen.say("Interrupted; the lab is gone.")
        return 130
    screen.say()
    screen.say(f"All in {time.monotonic() - start_s:.0f} s. The lab is gone. Try next:", style=BOLD)
    for command, what in TRY_NEXT:
        screen.say(f"   {command:<65} {what}")
    return 0 if good else 1


def play(screen: Screen, places: Places) -> bool:
    """Whether the promise was kept, after everything was shown and torn down."""
    with laboratory(screen, places) as lab:
        with screen.step("Set up IIS, the address, the disk and the cluster (playbooks/site.yml over WinRM)"):
            show_parts(screen, run_playbook("site.yml", told=follow(screen)))
        with screen.step("Look at the cluster (playbooks/status.yml)"):
            show_messages(screen, run_playbook("status.yml", told=follow(screen)))
        with screen.step(f"Move the shop to n2 and back while a client asks {1000 / EVERY_MS:.0f} times a second"):
            moved = move_there_and_back(screen, lab)
        good = show(screen, moved)
        with screen.step("Cut the power of n1, which serves the shop, and give no command"):
            survived = cut_the_power(lab)
        good = show(screen, survived) and good
        with screen.step("Ask why (playbooks/explain.yml)"):
            show_messages(screen, run_playbook("explain.yml", variables={"tag": SITE}, told=follow(screen)))
        return good


@contextmanager
def laboratory(screen: Screen, places: Places) -> Iterator[Lab]:
    """A lab for the time of the block; it is gone afterwards, whatever happens."""
    with screen.step("Build two nodes, a witness, a client and three networks in namespaces of this machine"):
        lab = launch.up(places, launch.Wish(witness=True, leashed=True))
    try:
        yield lab
    finally:
        with screen.step("Tear everything down"):
            launch.down(places)


def move_there_and_back(screen: Screen, lab: Lab) -> Seen:
    """The shop was on n2 and is on n1 again."""
    moves = []
    with watched(lab) as (seen, asked):
        for node in ("n2", "n1"):
            screen.say(f"   playbooks/switchover.yml: {SITE} to {node}")
            moves.append(run_playbook("switchover.yml", variables=wanted(node), told=follow(screen)))
    return Seen(order=["n1", "n2", "n1"], moves=moves, asked=asked, watched=seen)


def cut_the_power(lab: Lab) -> Seen:
    """The shop is on n2, which took it over by itself, and n1 is off."""
    with watched(lab) as (seen, asked):
        lab.fault("power_off", node="n1")
        deadline_s = time.monotonic() + FAILOVER_S
        while time.monotonic() < deadline_s and asked.read()[-1].node != "n2":
            time.sleep(QUIET_S / 10)
    return Seen(order=["n1", "n2"], moves=[], asked=asked, watched=seen)


@contextmanager
def watched(lab: Lab) -> Iterator[tuple[Recording, Load]]:
    """The shop's address and disk are watched and it is asked for all the time, a while before and after as well."""
    disk = str(lab.generated()["lab_disk_id"])
    with (
        recording(lab, addresses=[SHOP], disks=[disk]) as seen,
        load(lab, URL, every_ms=EVERY_MS, timeout_ms=TIMEOUT_MS) as asked,
    ):
        time.sleep(QUIET_S)
        yield seen, asked
        time.sleep(QUIET_S)


def wanted(node: str) -> dict[str, str]:
    """The variables of playbooks/switchover.yml."""
    return {"tag": SITE, "node": node}


def show(screen: Screen, seen: Seen) -> bool:
    """Everything that was seen is on the screen; whether the promise was kept."""
    start_s = seen.asked.samples[0].start_s if seen.asked.samples else seen.watched.start_s
    summary = seen.asked.summary
    screen.say()
    screen.say(f"What the client saw at {URL}", style=BOLD)
    for line in (*words.client_lines(summary), *words.spell_lines(summary, start_s=start_s)):
        screen.say(line)
    for run in seen.moves:
        for move in run.moves:
            screen.say()
            screen.say("The phases of the move", style=BOLD)
            for line in words.move_lines(move):
                screen.say(line)
    faults = seen.watched.faults()
    screen.say()
    screen.say("What was seen from outside the nodes", style=BOLD)
    for what, held in (("the address", seen.watched.addresses()), ("the disk", seen.watched.disks())):
        for line in words.oracle_lines(what, held, start_s=start_s):
            screen.say(line)
    for line in words.verdict_lines(faults):
        screen.say(line, style=RED if faults else GREEN)
    as_told = [spell.node for spell in summary.spells] == seen.order
    if not as_told:
        screen.say(f"   The client did not see {', '.join(seen.order)} answer in this order.", style=RED)
    return as_told and not faults


def show_parts(screen: Screen, run: Run) -> None:
    """One line per role of the playbook, and the recap."""
    for part in run.parts:
        screen.say(words.part_line(part))
    for host, counts in run.hosts.items():
        screen.say(f"   {host}: {counts.get('ok', 0)} ok, {counts.get('changed', 0)} changed")


def show_messages(screen: Screen, run: Run) -> None:
    """What the playbook said, as the first node said it: the others see the same."""
    for line in run.messages[0].splitlines() if run.messages else ():
        screen.say(f"   {line}")


def follow(screen: Screen) -> Follower:
    """Shows the running task on the last line of a terminal."""
    return Follower(screen)


@dataclass(frozen=True, slots=True)
class Follower:
    """Told of every event of a playbook."""

    screen: Screen

    def __call__(self, event: Event) -> None:
        """A task that begins is shown."""
        if event["event"] == "task":
            self.screen.now(f"{event['role'] or 'playbook'}: {event['task']}")


@contextmanager
def ended_by_terminate() -> Iterator[None]:
    """SIGTERM ends the story as Ctrl-C does: with everything torn down."""

    def interrupt(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, former)


if __name__ == "__main__":
    sys.exit(tell(Places(REPOSITORY / ".lab")))
