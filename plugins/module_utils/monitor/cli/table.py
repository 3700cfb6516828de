# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Columns and colours for a terminal. Pure: text in, text out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Colour = Literal["good", "bad", "warn", "dim", "bold", "plain"]
CODES: Mapping[Colour, str] = {"good": "32", "bad": "31;1", "warn": "33", "dim": "2", "bold": "1", "plain": ""}


@dataclass(frozen=True, slots=True)
class Cell:
    """A text and how it is shown."""

    text: str
    colour: Colour = "plain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paint:
    """Colours, or none of them."""

    on: bool

    def __call__(self, text: str, colour: Colour) -> str:
        """The text in the colour."""
        code = CODES[colour]
        return f"\x1b[{code}m{text}\x1b[0m" if self.on and code and text else text


def table(rows: Sequence[Sequence[Cell]], paint: Paint, *, indent: int = 2, head: Sequence[str] = ()) -> list[str]:
    """Lines with the columns aligned, two blanks between them, nothing after the last."""
    titled = [[Cell(title, "dim") for title in head], *rows] if head else list(rows)
    widths = [max((len(row[i].text) for row in titled if i < len(row)), default=0) for i in range(_columns(titled))]
    return [" " * indent + _line(row, widths, paint) for row in titled]


def seconds(value: float) -> str:
    """A duration in the unit people think in: 12 ms, 1.25 s, 3 min, 2 h, 5 d."""
    if value < 1.0:
        return f"{value * 1000:.0f} ms" if value >= 0.01 else f"{value * 1000:.1f} ms"
    for limit, size, unit in ((120.0, 1.0, "s"), (7200.0, 60.0, "min"), (172800.0, 3600.0, "h")):
        if value < limit:
            shown = f"{value / size:.2f}" if unit == "s" and value < 10 else f"{value / size:.0f}"
            return f"{shown} {unit}"
    return f"{value / 86400.0:.0f} d"


def _columns(rows: Sequence[Sequence[Cell]]) -> int:
    return max((len(row) for row in rows), default=0)


def _line(row: Sequence[Cell], widths: Sequence[int], paint: Paint) -> str:
    parts = [paint(cell.text, cell.colour) + " " * (widths[i] - len(cell.text)) for i, cell in enumerate(row)]
    return "  ".join(parts).rstrip()
