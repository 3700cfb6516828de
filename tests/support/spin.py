# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks the models in docs/model exhaustively with spin: `make model` all of it, tests/model what takes a minute.

Every case says what spin has to come to: no error in any reachable state, or, with a mistake planted, two nodes that
serve at once.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MODELS = Path(__file__).resolve().parents[2] / "docs" / "model"
MEMORY_MB = 8_000
DEPTH = 400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A model with its -D options. ``mistake``: spin has to find it; without one there is nothing to find."""

    model: str
    name: str
    options: str
    mistake: bool = False
    smoke: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What spin came to. ``violated`` is the property, empty when all reachable states were good."""

    violated: str
    complete: bool
    states: int
    seconds: float


NO_CRASH = "CRASHES=0 WITNESS_CRASHES=0"
WITNESS, REGISTER = "permits_witness", "permits_register"


def _clean(model: str, name: str, options: str, *, smoke: bool = False) -> Case:
    return Case(model=model, name=name, options=options, smoke=smoke)


def _mistake(model: str, name: str, options: str, *, smoke: bool = True) -> Case:
    return Case(model=model, name=name, options=options, mistake=True, smoke=smoke)


CASES = (
    _clean(WITNESS, "2 nodes", f"EPOCHS=2 {NO_CRASH}", smoke=True),
    _clean(WITNESS, "2 nodes, restarts", "EPOCHS=2 CRASHES=1 WITNESS_CRASHES=1"),
    _clean(WITNESS, "3 nodes, two claim", f"NODES=3 CLAIMANTS=2 EPOCHS=2 PROMPT TAKEN_ONLY {NO_CRASH}"),
    _mistake(WITNESS, "no margin", f"EPOCHS=2 OWN=2 TAKE=2 {NO_CRASH}"),
    _mistake(
        WITNESS, "counted from the answer", f"EPOCHS=2 COUNTED_FROM_THE_ANSWER LATE_VERDICTS {NO_CRASH}", smoke=False
    ),
    _mistake(WITNESS, "vote forgotten at restart", "EPOCHS=2 FORGETS_AT_RESTART CRASHES=1 WITNESS_CRASHES=1"),
    _mistake(WITNESS, "released before the stop", f"EPOCHS=2 RELEASED_BEFORE_THE_STOP {NO_CRASH}"),
    _mistake(WITNESS, "own promise ignored", f"EPOCHS=2 OWN_PROMISE_IGNORED {NO_CRASH}"),
    _mistake(WITNESS, "holder by hearsay", f"EPOCHS=3 HEARSAY {NO_CRASH}", smoke=False),
    _mistake(WITNESS, "told before the stop", "EPOCHS=2 TOLD_BEFORE_THE_STOP CRASHES=1 WITNESS_CRASHES=0", smoke=False),
    _clean(REGISTER, "2 nodes", "EPOCHS=2 CRASHES=0", smoke=True),
    _clean(REGISTER, "2 nodes, restarts", "EPOCHS=2 CRASHES=1"),
    _mistake(REGISTER, "no margin", "EPOCHS=2 CRASHES=0 OWN=2 TAKE=2"),
    _mistake(REGISTER, "counted from the answer", "EPOCHS=2 CRASHES=0 COUNTED_FROM_THE_ANSWER"),
    _mistake(REGISTER, "watch forgotten at restart", "EPOCHS=2 CRASHES=1 FORGETS_AT_RESTART"),
    _mistake(REGISTER, "released before the stop", "EPOCHS=2 CRASHES=0 RELEASED_BEFORE_THE_STOP"),
    _mistake(REGISTER, "taken without its record", "EPOCHS=2 CRASHES=0 TAKEN_WITHOUT_ITS_RECORD"),
)


def check(case: Case) -> Outcome:
    """What spin comes to in this case.

    Raises:
        RuntimeError: spin or the compiler says that the model itself is wrong.
    """
    defines = [f"-D{option}" for option in case.options.split()]
    # A counterexample is found soonest breadth first; states without one take less memory depth first. Where little is
    # searched, the compiler is what takes time.
    search = ["-DBFS", "-O1"] if case.mistake else ["-O2"]
    with tempfile.TemporaryDirectory(prefix="holdfast-model-") as folder:
        _run(["spin", "-a", *defines, str(MODELS / f"{case.model}.pml")], folder)
        flags = ["-w", "-DSAFETY", "-DNOREDUCE", "-DHC4", f"-DMEMLIM={MEMORY_MB}", *search]
        _run(["gcc", *flags, "-o", "pan", "pan.c"], folder)
        began_s = time.monotonic()
        text = _run(["./pan", f"-m{DEPTH}"], folder)
        return _outcome(text, time.monotonic() - began_s)


def _run(command: list[str], folder: str) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode or "Error:" in ran.stdout:
        raise RuntimeError(f"{' '.join(command)}: {ran.stdout[-2000:]}{ran.stderr[-2000:]}")
    return ran.stdout


def _outcome(text: str, seconds: float) -> Outcome:
    violated = re.search(r"assertion violated (.*) \(at depth", text)
    states = re.search(r"(\d+) states, stored", text)
    if states is None:
        raise RuntimeError(f"pan ended without a result: {text[-2000:]}")
    complete = "Search not completed" not in text and "max search depth" not in text
    return Outcome(
        violated=violated[1] if violated else "", complete=complete, states=int(states[1]), seconds=round(seconds, 1)
    )


def good(case: Case, outcome: Outcome) -> bool:
    """Whether this is what had to come out."""
    if case.mistake:
        return "serving" in outcome.violated
    return not outcome.violated and outcome.complete


def main() -> int:
    """All cases, one after another; 0 when every one came out as it had to."""
    if shutil.which("spin") is None:
        sys.stdout.write("spin is missing: run `make packages`\n")
        return 1
    bad = 0
    for case in CASES:
        outcome = check(case)
        verdict = outcome.violated or "no error"
        right = good(case, outcome)
        bad += not right
        sys.stdout.write(
            f"{'ok ' if right else 'BAD'} {case.model:17} {case.name:32} {outcome.states:>12,} states "
            f"{outcome.seconds:>7.1f} s   {verdict}\n"
        )
        sys.stdout.flush()
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
