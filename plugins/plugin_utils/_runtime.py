# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A Windows Python in one zip file: the embeddable package of python.org and wheels, ready to be unpacked.

The embeddable package looks for modules only where its ``._pth`` file says. ``import site`` there makes it read
``Lib\\site-packages`` and the ``.pth`` files in it, which pywin32 needs to find its libraries.
Sources: docs.python.org/3/using/windows.html (the embeddable package, finding modules), PEP 427 (wheels).
"""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

_SITE_PACKAGES = "Lib/site-packages/"
_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX, _FILE = 3, 0o100755 << 16
_PTH = re.compile(r"python3(\d+)\._pth")
_WHEEL = re.compile(r"[^-]+-[^-]+(-\d[^-]*)?-(?P<python>[^-]+)-(?P<abi>[^-]+)-(?P<platform>[^-]+)\.whl")
_DATA = re.compile(r"[^/]+\.data/(purelib|platlib)/(?P<rest>.+)")


class RuntimeFault(Exception):  # noqa: N818 - it is the text of a failed task
    """The runtime cannot be made of these files; the text says what to do."""


def assemble(embeddable: Path, wheels: Sequence[Path]) -> bytes:
    """The zip file of the runtime; the same inputs give the same bytes on one control host.

    Raises:
        RuntimeFault: a file is not what it should be.
    """
    files = _embeddable(embeddable)
    pth = next(name for name in files if _PTH.fullmatch(name))
    minor = int(str(_PTH.sub(r"\1", pth)))
    files[pth] = _with_site(files[pth])
    for wheel in wheels:
        _refuse_foreign(wheel, minor)
        files.update(_wheel(wheel))
    names = [path.name for path in (embeddable, *wheels)]
    files["holdfast-runtime.txt"] = "".join(f"{name}\r\n" for name in names).encode("ascii")
    return _zipped(files)


def sha256(data: bytes) -> str:
    """The SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def _embeddable(path: Path) -> dict[str, bytes]:
    files = _read(path)
    if "python.exe" not in files or not any(_PTH.fullmatch(name) for name in files):
        raise RuntimeFault(
            f"{path} is not an embeddable package of Python 3: there is no python.exe with a python3*._pth at its top. "
            "Take python-3.x.y-embed-amd64.zip from www.python.org/downloads/windows."
        )
    return files


def _with_site(pth: bytes) -> bytes:
    """The same file with ``import site`` switched on."""
    lines = [
        line for line in pth.decode("utf-8-sig").splitlines() if line.strip() not in ("import site", "#import site")
    ]
    return "".join(f"{line}\r\n" for line in [*lines, "import site"]).encode("ascii")


def _refuse_foreign(wheel: Path, minor: int) -> None:
    """The wheel runs on 64 bit Windows with this Python."""
    tags = _WHEEL.fullmatch(wheel.name)
    if not tags:
        raise RuntimeFault(f"{wheel} has no name that a wheel has. Fetch wheels with pip download.")
    pythons, abi = tags["python"].split("."), tags["abi"]
    own = f"cp3{minor}"
    stable = abi == "abi3" and any(int(python[3:] or 0) <= minor for python in pythons if python.startswith("cp3"))
    if tags["platform"] not in ("any", "win_amd64") or not (own in pythons or "py3" in pythons or stable):
        raise RuntimeFault(
            f"{wheel.name} is not for CPython 3.{minor} on 64 bit Windows. Fetch it with "
            f"pip download --only-binary=:all: --platform win_amd64 --python-version 3.{minor}."
        )


def _wheel(path: Path) -> dict[str, bytes]:
    """The files of the wheel where they belong; scripts and headers are left out."""
    files = {}
    for name, data in _read(path).items():
        moved = _DATA.fullmatch(name)
        if moved:
            files[_SITE_PACKAGES + moved["rest"]] = data
        elif not name.partition("/")[0].endswith(".data"):
            files[_SITE_PACKAGES + name] = data
    return files


def _read(path: Path) -> dict[str, bytes]:
    """All files of the zip file by name. Names that lead out of it are refused."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.is_dir()]
            wrong = next(
                (name for name in names if name.startswith("/") or ".." in name.split("/") or "\\" in name), None
            )
            if wrong is not None:
                raise RuntimeFault(f"{path} has a file {wrong!r}, whose name leads out of it. It cannot be trusted.")
            return {name: archive.read(name) for name in names}
    except (OSError, zipfile.BadZipFile) as error:
        raise RuntimeFault(f"{path} cannot be read as a zip file: {error}") from None


def _zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _DATE)
            entry.create_system, entry.external_attr, entry.compress_type = _UNIX, _FILE, zipfile.ZIP_DEFLATED
            archive.writestr(entry, files[name])
    return buffer.getvalue()
