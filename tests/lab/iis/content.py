# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which file answers a URL path of a site."""

from __future__ import annotations

import mimetypes
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from ..surface.paths import Drives, PathError, expand
from .config import Site

DEFAULT_DOCUMENTS = ("index.html", "iisstart.htm")
HIDDEN = ("web.config", "bin", "app_data")
"""What IIS's request filtering never gives out (hiddenSegments)."""

Value = TypeVar("Value")


def longest(table: Mapping[str, Value], path: str) -> tuple[str, Value] | None:
    """The entry of the longest URL path that ``path`` is at or below, without regard to letter case."""
    lower = path.lower()
    fits = [key for key in table if key == "/" or lower == key.lower() or lower.startswith(key.lower() + "/")]
    best = max(fits, key=len, default=None)
    return None if best is None else (best, table[best])


def find_file(drives: Drives, site: Site, url_path: str) -> Path | None:
    """The file, or None when there is none. A folder answers with its default document."""
    # HTTP.sys takes a backslash for a slash.
    path = unquote(url_path, errors="replace").replace("\\", "/")
    found = longest(site.folders, path)
    names = [name for name in path.split("/") if name]
    if found is None or {".", ".."} & set(names) or {name.lower() for name in names} & set(HIDDEN):
        return None
    below = path[len(found[0].rstrip("/")) :].strip("/").replace("/", "\\")
    folder = expand(found[1]).rstrip("\\")
    try:
        file = drives.local(f"{folder}\\{below}")
        if file.is_dir():
            documents = (drives.local(f"{folder}\\{below}\\{name}") for name in DEFAULT_DOCUMENTS)
            file = next((document for document in documents if document.is_file()), file)
    except PathError:
        return None
    return file if file.is_file() else None


def configuration_is_broken(drives: Drives, site: Site) -> bool:
    """Whether the web.config in the site's home folder is no XML, which IIS answers with 500.19 to everything."""
    home = site.folders.get("/")
    if home is None:
        return False
    try:
        ET.parse(drives.local(expand(home).rstrip("\\") + "\\web.config"))
    except (OSError, PathError):
        return False
    except ET.ParseError:
        return True
    return False


def content_type(file: Path) -> str:
    """The media type of the file, by its suffix."""
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"
