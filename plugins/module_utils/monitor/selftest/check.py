# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a check of the surface is, and what it is given to play with.

Rule: a check acts on scratch objects only, removes them whatever happens, and says what it measured. It calls the
surface as the monitor does, so the same checks are the contract that every implementation is tested against.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..errors import HoldfastError, NotThereError
from ..surface import Surface

Outcome = Literal["proved", "failed", "not asked"]


class CheckFailedError(HoldfastError):
    """The surface did not keep what a primitive promises; the text says what was expected and what was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchAddress:
    """An address nobody uses, on an interface of this machine."""

    interface: str
    address: str
    prefix_length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ScratchDisk:
    """A disk whose content may be touched (one file is written and removed), and a free drive letter."""

    disk: str
    letter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scratch:
    """What the checks may use. None: not given, so what needs it is not asked."""

    port: int
    address: ScratchAddress | None = None
    neighbour: str | None = None
    disk: ScratchDisk | None = None
    certificate: str | None = None
    iis: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """``run`` proves what ``promise`` says of the primitives, and gives what it measured.

    ``source``: where the promise comes from. ``needs``: the option that was not given, or None when it may run.
    """

    primitives: str
    promise: str
    source: str
    run: Callable[[Surface, Scratch], str]
    needs: Callable[[Scratch], str | None] = lambda _scratch: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a check ended. ``told``: what it measured, why it failed, or what to give for it to be asked."""

    check: Check
    outcome: Outcome
    told: str
    seconds: float


def run_check(check: Check, surface: Surface, scratch: Scratch) -> Result:
    """The check's result; an error of the surface or of the check is a failure, any other is raised."""
    missing = check.needs(scratch)
    if missing is not None:
        return Result(check=check, outcome="not asked", told=f"give {missing}", seconds=0.0)
    began_s = time.perf_counter()
    outcome: Outcome = "proved"
    try:
        told = check.run(surface, scratch)
    except (HoldfastError, OSError) as error:
        outcome, told = "failed", str(error)
    return Result(check=check, outcome=outcome, told=told, seconds=time.perf_counter() - began_s)


def expect(held: bool, otherwise: str) -> None:
    """The condition holds, or the check has failed with this text."""
    if not held:
        raise CheckFailedError(otherwise)


def expect_not_there(doing: str, act: Callable[[], object]) -> None:
    """The call was refused because what it names does not exist, or the check has failed."""
    try:
        act()
    except NotThereError:
        return
    raise CheckFailedError(f"{doing} was not refused as NotThereError")


def milliseconds(act: Callable[[], object]) -> float:
    """How long the call took."""
    began_s = time.perf_counter()
    act()
    return (time.perf_counter() - began_s) * 1000


def within(seconds: float, reached: Callable[[], bool], otherwise: Callable[[], str]) -> float:
    """How many seconds it took until the condition held; a failure when it did not in time."""
    began_s = time.perf_counter()
    while not reached():
        expect(time.perf_counter() - began_s < seconds, otherwise())
        time.sleep(0.02)
    return time.perf_counter() - began_s
