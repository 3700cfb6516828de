# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows paths of a node, resolved to files in the node's folder.

``C:`` is DIR/C, another letter DIR/<LETTER> (a symlink while its volume is mounted). Components match without
regard to letter case, as on NTFS, and keep the case they were created with.
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_VARIABLE = re.compile(r"%([^%]+)%")
_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')


class PathError(Exception):
    """The path cannot exist on this node; the text is what a Windows user would read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drives:
    """The drives of one node and the variables that its paths may use."""

    root: Path
    variables: Mapping[str, str]

    def expand(self, text: str) -> str:
        """The text with %Name% replaced, names without regard to case; unknown ones stay, as Windows does."""
        lowered = {name.lower(): value for name, value in self.variables.items()}
        return _VARIABLE.sub(lambda match: lowered.get(match[1].lower(), match[0]), text)

    def normal(self, windows: str) -> str:
        """The absolute path with backslashes, without a trailing one. Raises PathError when it is not absolute."""
        text = windows.replace("/", "\\")
        if text.startswith("\\\\?\\"):
            text = text[4:]
        if text.startswith("\\\\"):
            raise PathError(f"'{windows}': the lab has no network shares")
        if not re.match(r"^[A-Za-z]:(\\|$)", text):
            raise PathError(f"'{windows}' is not an absolute path; write one like C:\\folder\\file")
        normal = ntpath.normpath(text if len(text) > 2 else text + "\\")
        if bad := _FORBIDDEN.search(normal[2:]):
            raise PathError(f"'{windows}': the character {bad[0]!r} is not allowed in a Windows file name")
        return normal[0].upper() + normal[1:]

    def local(self, windows: str) -> Path:
        """Where the file is, or would be, in the node's folder."""
        normal = self.normal(windows)
        here = self.root / normal[0]
        parts = [part for part in normal[3:].split("\\") if part]
        exact = here.joinpath(*parts)
        if exact.exists() or exact.is_symlink():
            return exact
        for index, part in enumerate(parts):
            found = _child(here, part)
            if found is None:
                return here.joinpath(*parts[index:])
            here = found
        return here

    def creatable(self, windows: str) -> Path:
        """Like ``local``, and the drive is there. Raises PathError when it is not mounted."""
        letter = self.normal(windows)[0]
        if not (self.root / letter).is_dir():
            raise PathError(f"Cannot find drive. A drive with the name '{letter}' does not exist.")
        return self.local(windows)

    def windows(self, local: Path) -> str:
        """The Windows path of a file in the node's folder."""
        letter, *parts = local.relative_to(self.root).parts
        return letter + ":\\" + "\\".join(parts)


def _child(folder: Path, name: str) -> Path | None:
    exact = folder / name
    if exact.exists() or exact.is_symlink():
        return exact
    try:
        entries = list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return None
    lowered = name.lower()
    return next((entry for entry in entries if entry.name.lower() == lowered), None)
