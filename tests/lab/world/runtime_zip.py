# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's stand-in for Windows' embeddable Python: a zip with a `python.exe` that runs this checkout's Python.

The bytes depend on nothing but this file, so the role that installs it sees no change on a second run.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

RUNTIME_ID = "python-lab-1"
_FIXED_TIME = (2020, 1, 1, 0, 0, 0)
_UNIX = 3
_EXECUTABLE = 0o100755
_PLAIN = 0o100644

_PYTHON_EXE = """#!/bin/sh
# The lab's python.exe: the checkout's own Python. Every process on a lab node has these two variables.
PYTHONPATH="$HOLDFAST_LAB_ROOT/.build/python"
export PYTHONPATH
exec "$HOLDFAST_LAB_PYTHON" "$@"
"""

_NOTE = f"""{RUNTIME_ID}
Stands in for the embeddable package of Python for Windows. Only for the lab.
"""


def write_runtime_zip(path: Path) -> None:
    """The zip is there, with the same bytes every time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_STORED) as archive:
        for name, text, mode in (
            ("python.exe", _PYTHON_EXE, _EXECUTABLE),
            ("runtime.txt", _NOTE, _PLAIN),
        ):
            entry = zipfile.ZipInfo(name, date_time=_FIXED_TIME)
            entry.create_system = _UNIX
            entry.external_attr = mode << 16
            archive.writestr(entry, text)
