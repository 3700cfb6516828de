# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The command ``holdfast selftest``: its options, its table, its exit code."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Iterator, Sequence

from ..surface import Surface, open_surface
from .catalogue import CHECKS, ELSEWHERE
from .check import Result, Scratch, ScratchAddress, ScratchDisk, run_check

PORT = 47431
"""Of the scratch site on loopback; below Windows' dynamic ports, which begin at 49152 (RFC 6335)."""

WIDTH = 110
DONE, FAILED, WRONG_OPTIONS = 0, 1, 2

_EXPLANATION = (
    "Without options only what needs nothing of yours is tried: reading, and a scratch web site on a loopback port. "
    "Run it as an administrator, on a node that serves nothing at the time."
)


class _OptionError(Exception):
    """The options do not fit together; the text says what to write."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The parser knows the options of the self-test."""
    parser.description = _EXPLANATION
    add = parser.add_argument
    add("--interface", metavar="NAME", help="network card for a scratch address, as Windows names it")
    add("--address", metavar="IP/LENGTH", help="a free address of that card's network; it comes and goes twice")
    add("--neighbour", metavar="IP", help="a machine of that network that answers, such as the gateway")
    add("--disk", metavar="ID", help="UniqueId (Get-Disk) of an offline disk that nobody uses; one file is written")
    add("--letter", metavar="X:", help="a free drive letter for that disk")
    add("--certificate", metavar="THUMBPRINT", help="of store MY, with its key, to be bound to the scratch site")
    add("--port", metavar="NUMBER", type=int, default=PORT, help=f"of the scratch site, {PORT} when not given")
    add("--without-iis", action="store_true", help="leave IIS out")
    add("--json", action="store_true", help="the results as JSON")


def main(given: argparse.Namespace | None = None, surface: Surface | None = None) -> int:
    """Every check ran and the table was printed; 0: none failed, 1: at least one did, 2: the options are wrong."""
    if given is None:
        parser = argparse.ArgumentParser(prog="holdfast selftest")
        add_arguments(parser)
        given = parser.parse_args([])
    try:
        scratch = scratch_of(given)
    except _OptionError as error:
        sys.stdout.write(f"holdfast selftest: {error}\n")
        return WRONG_OPTIONS
    machine = surface or open_surface()
    results = []
    for check in CHECKS:
        results.append(run_check(check, machine, scratch))
        if not given.json:
            _print(_lines_of(results[-1]))
    _print([_as_json(results)] if given.json else _summary(results))
    return FAILED if any(result.outcome == "failed" for result in results) else DONE


def scratch_of(given: argparse.Namespace) -> Scratch:
    """The scratch objects that the options name.

    Raises:
        _OptionError: an option is there without the one it belongs to, or cannot be read.
    """
    for one, other in (("interface", "address"), ("address", "interface"), ("disk", "letter"), ("letter", "disk")):
        if getattr(given, one) and not getattr(given, other):
            raise _OptionError(f"--{one} needs --{other} beside it")
    if given.neighbour and not given.interface:
        raise _OptionError("--neighbour needs --interface and --address beside it")
    return Scratch(
        port=given.port,
        address=_scratch_address(given) if given.address else None,
        neighbour=given.neighbour,
        disk=ScratchDisk(disk=given.disk, letter=given.letter) if given.disk else None,
        certificate=given.certificate,
        iis=not given.without_iis,
    )


def _scratch_address(given: argparse.Namespace) -> ScratchAddress:
    address, slash, length = given.address.partition("/")
    if not slash or not length.isdecimal():
        raise _OptionError(f"--address {given.address} has no prefix length; write it like 10.0.0.250/24")
    return ScratchAddress(interface=given.interface, address=address, prefix_length=int(length))


def _lines_of(result: Result) -> Iterator[str]:
    check = result.check
    took = f"{result.seconds:.2f} s" if result.outcome != "not asked" else ""
    yield f"{result.outcome:<10}{took:>8}  {check.primitives}"
    for text in (check.promise, result.told, f"source: {check.source}"):
        yield from textwrap.wrap(text, WIDTH, initial_indent=" " * 20, subsequent_indent=" " * 22)


def _summary(results: Sequence[Result]) -> Iterator[str]:
    for primitive, proof in ELSEWHERE.items():
        yield f"{'not asked':<20}{primitive}"
        yield f"{'':<20}{proof}"
    counts = dict.fromkeys(("proved", "failed", "not asked"), 0)
    for result in results:
        counts[result.outcome] += 1
    yield ""
    yield ", ".join(f"{count} {outcome}" for outcome, count in counts.items())


def _as_json(results: Sequence[Result]) -> str:
    rows = [
        {
            "primitives": result.check.primitives,
            "promise": result.check.promise,
            "outcome": result.outcome,
            "told": result.told,
            "seconds": round(result.seconds, 3),
            "source": result.check.source,
        }
        for result in results
    ]
    return json.dumps(rows, indent=1)


def _print(lines: Iterator[str] | Sequence[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
