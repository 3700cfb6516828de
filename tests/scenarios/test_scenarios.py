# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every story in tests/scenarios/*.txt goes as it is written.

A file is a title, then blocks: lines of the story, a line of four dashes, what happened. After a change that is meant,
`pytest tests/scenarios --rewrite` writes the files anew; read the difference before you commit it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from holdfast_sim.theatre import Theatre

STORIES = sorted(Path(__file__).parent.glob("*.txt"))


def perform(text: str) -> str:
    """The story's text with what happened written anew."""
    theatre = Theatre()
    lines: list[str] = []
    happening = False
    pending: list[str] = []
    for line in text.splitlines():
        if line == "----":
            happening = True
            lines += ["----", *(said for word in pending for said in theatre.play(word))]
            pending = []
        elif not line.strip():
            happening = False
            lines.append("")
        elif not happening:
            lines.append(line)
            if not line.startswith("#"):
                pending.append(line)
    return "\n".join(lines).rstrip("\n") + "\n"


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_the_story_goes_as_written(path: Path, request: pytest.FixtureRequest) -> None:
    """What happens on the simulated cluster is what the file says."""
    written = path.read_text()
    happened = perform(written)
    if request.config.getoption("--rewrite"):
        path.write_text(happened)
    assert happened == written


def test_there_are_stories() -> None:
    """The folder is not empty, so the test above tests something."""
    assert len(STORIES) >= 15
