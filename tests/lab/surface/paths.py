# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows paths of a node as files of its folder: ``C:`` is ``<node>/C``, ``X:`` the link ``<node>/X`` while mounted.

Names match without regard to letter case, as on NTFS, and keep the case they were made with.
"""

from __future__ import annotations

import ntpath
import os
import re
from dataclasses import dataclass
from pathlib import Path

NOWHERE = Path("/proc/no-such-drive")
"""Nothing is there and nothing can be made there: what a path on a missing drive leads to."""

_VARIABLES = {"systemdrive": "C:", "systemroot": r"C:\Windows", "windir": r"C:\Windows"}
_VARIABLE = re.compile(r"%(\w+)%")
_ABSOLUTE = re.compile(r"[A-Za-z]:(\\|$)")
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')


class PathError(Exception):
    """The path cannot be one of a file on this node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drives:
    """The drives of one node, as they are at the moment of asking."""

    root: Path

    def local(self, windows: str) -> Path:
        """Where the file is, or would be made. On a drive that is missing: below NOWHERE. Raises PathError."""
        drive, _, rest = normal(windows).partition(":\\")
        names = rest.split("\\") if rest else []
        here = self.root / drive
        if not here.is_dir():
            return NOWHERE.joinpath(drive, *names)
        exact = here.joinpath(*names)
        if os.path.lexists(exact):
            return exact
        for index, name in enumerate(names):
            child = _child(here, name)
            if child is None:
                return here.joinpath(*names[index:])
            here = child
        return here


def normal(windows: str) -> str:
    """The absolute path with backslashes, no dots in it, a capital drive letter. Raises PathError."""
    text = windows.replace("/", "\\")
    if text.startswith("\\\\"):
        raise PathError(f"{windows!r}: the lab has no network shares")
    if not _ABSOLUTE.match(text):
        raise PathError(f"{windows!r} is not an absolute path; write one like C:\\folder\\file")
    path = ntpath.normpath(text if len(text) > len("C:") else text + "\\")
    if bad := _FORBIDDEN.search(path, 2):
        raise PathError(f"{windows!r}: a file name on Windows cannot contain {bad[0]!r}")
    return path[0].upper() + path[1:]


def expand(text: str) -> str:
    """The text with the system's own variables filled in; others stay, as on Windows."""
    return _VARIABLE.sub(lambda found: _VARIABLES.get(found[1].lower(), found[0]), text)


def _child(folder: Path, name: str) -> Path | None:
    if os.path.lexists(folder / name):
        return folder / name
    try:
        present = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return next((folder / one for one in sorted(present) if one.lower() == name.lower()), None)
