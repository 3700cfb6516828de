# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which programs of this PID namespace use files below a folder: what keeps Windows from locking a volume."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def users_of(folder: Path) -> list[str]:
    """One text per program with an open file, or its current folder, at or below ``folder``.

    Source: proc_pid_fd(5). Programs that end while we look are left out.
    """
    top = os.path.realpath(folder)
    return [
        f"{_name_of(process)} (process {process}) uses {os.path.relpath(used, top)}"
        for process in os.listdir("/proc")
        if process.isdigit() and (used := _used_by(process, top))
    ]


def _used_by(process: str, top: str) -> str | None:
    links = [f"/proc/{process}/cwd"]
    with suppress(OSError):
        links += [f"/proc/{process}/fd/{number}" for number in os.listdir(f"/proc/{process}/fd")]
    for link in links:
        with suppress(OSError):
            target = os.readlink(link)
            if target == top or target.startswith(top + "/"):
                return target
    return None


def _name_of(process: str) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip()
    return "a program"
