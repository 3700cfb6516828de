# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a node's applicationHost.config is, and how it is changed: whole or not at all, one writer at a time."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from .configuration import Change, ConfigurationError, apply_changes
from .locks import locked
from .paths import Drives

FOLDER = r"C:\Windows\System32\inetsrv\config"
NAME = "applicationHost.config"
FILE_NOT_FOUND = 0x80070002


def effective_file(drives: Drives) -> Path:
    """The file IIS reads: the one redirection.config leads to when that is on. Raises ConfigurationError.

    Source: learn.microsoft.com/en-us/iis/configuration/configurationredirection. The lab follows local folders only.
    """
    redirection = drives.local(rf"{FOLDER}\redirection.config")
    folder = FOLDER
    if redirection.is_file():
        try:
            element = ET.fromstring(redirection.read_bytes()).find("configurationRedirection")
        except ET.ParseError as error:
            raise ConfigurationError(f"redirection.config is not well-formed XML: {error}") from error
        if element is not None and element.get("enabled", "false") == "true":
            folder = element.get("path", "")
    return drives.local(rf"{folder}\{NAME}")


def read_effective(drives: Drives) -> bytes:
    """The text of the effective file. Raises ConfigurationError when there is none."""
    file = effective_file(drives)
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(f"{NAME} does not exist: IIS is not installed", FILE_NOT_FOUND) from error


def commit(drives: Drives, private: Path, changes: Sequence[Change]) -> bool:
    """All the changes are on disk; the answer is whether any was needed. Raises ConfigurationError."""
    with locked(private / "config.lock"):
        before = read_effective(drives)
        after = apply_changes(before, changes)
        if after == before:
            return False
        file = effective_file(drives)
        temporary = file.with_name(f".{NAME}.new")
        temporary.write_bytes(after)
        os.chmod(temporary, file.stat().st_mode & 0o777)
        temporary.replace(file)
    return True
