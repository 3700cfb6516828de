# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The monitor as one file: the same sources give the same bytes on every control host.

Files are stored, not deflated, because zlib's output differs between its versions; names are sorted, times and
permissions fixed.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ..module_utils import monitor

_MAIN = b"""# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

import sys

from holdfast_start import origin

sys.path[0] = origin(sys.path[0])

from holdfast.cli import main

raise SystemExit(main(sys.argv[1:]))
"""
_DATE = (1980, 1, 1, 0, 0, 0)  # the first that a zip file can hold
_UNIX, _PLAIN_FILE = 3, 0o100644 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The monitor's zip file, ``holdfast.pyz``."""

    data: bytes
    version: str

    @property
    def sha256(self) -> str:
        """Its SHA-256 in hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def id(self) -> str:
        """The name of its folder on a node."""
        return self.sha256[:16]


def build(source: Path | None = None) -> Package:
    """The package of the monitor in this collection, or of the one in ``source``."""
    folder = source or Path(str(monitor.__file__)).parent
    files = {f"holdfast/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in _sources(folder)}
    top = {"__main__.py": _MAIN, "holdfast_start.py": files["holdfast/start.py"]}
    return Package(data=zipped({**files, **top}), version=monitor.__version__)


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip file that depends on nothing but the names and contents of the files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr = _UNIX, _PLAIN_FILE
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def _sources(folder: Path) -> list[Path]:
    """The files of the package; what Python left behind is none of it."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts and path.suffix != ".pyc")
