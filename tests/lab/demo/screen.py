# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the demonstration writes: steps with their durations; colour only on a terminal that wants it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TextIO

BOLD, DIM, GREEN, RED, PLAIN = "\033[1m", "\033[2m", "\033[32m", "\033[31m", "\033[0m"
CLEAR_LINE = "\r\033[K"


def wants_colour(out: TextIO, environment: Mapping[str, str]) -> bool:
    """Whether to colour. Source: no-color.org: any value of NO_COLOR but the empty one says no."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


@dataclass(slots=True)
class Screen:
    """A stream of lines; on a terminal the last line shows what is being done right now."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    colour: bool = field(init=False)
    live: bool = field(init=False)
    steps: int = 0

    def __post_init__(self) -> None:
        self.colour = wants_colour(self.out, os.environ)
        self.live = self.out.isatty() and os.environ.get("TERM") != "dumb"

    def say(self, text: str = "", *, style: str = PLAIN) -> None:
        """One line, in this style where there is colour."""
        painted = f"{style}{text}{PLAIN}" if self.colour and style != PLAIN and text else text
        self.out.write((CLEAR_LINE if self.live else "") + painted + "\n")
        self.out.flush()

    def now(self, text: str) -> None:
        """On a terminal the last line says what is being done; elsewhere nothing is written."""
        if self.live:
            width = shutil.get_terminal_size().columns - 1
            self.out.write(CLEAR_LINE + f"  {text}"[:width])
            self.out.flush()

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """A step with its number and title before, and its duration after it."""
        self.steps += 1
        self.say()
        self.say(f"{self.steps}. {title}", style=BOLD)
        start_s = time.monotonic()
        try:
            yield
        except BaseException:
            self.say(f"   failed after {time.monotonic() - start_s:.1f} s", style=RED)
            raise
        self.say(f"   done in {time.monotonic() - start_s:.1f} s", style=DIM)
