# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which package this is, and that it is whole: the zip lies in a folder named after its own SHA-256."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path

from .. import __version__
from ..errors import HoldfastError

NAME = "holdfast.pyz"
NAME_DIGITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """``archive`` is None when the sources run as they are, which happens in development only."""

    version: str
    sha256: str = ""
    archive: Path | None = None


class PackageError(HoldfastError):
    """The package is not the one that was installed; nothing of it is to run."""


def archive_of(spec: ModuleSpec | None) -> Path | None:
    """The zip that a module comes from, compiled or not; None when it was loaded from a folder."""
    archive = getattr(spec.loader, "archive", None) if spec is not None else None
    return Path(archive).with_name(NAME) if archive else None


def verified(archive: Path | None) -> Package:
    """The package, proved whole.

    Raises:
        PackageError: its content does not have the name of its folder.
    """
    if archive is None:
        return Package(version=__version__)
    try:
        sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    except OSError as error:
        raise PackageError(f"the package cannot be read: {error}") from None
    named = archive.resolve().parent.name
    if named != sha256[:NAME_DIGITS]:
        raise PackageError(
            f"the package {archive} was changed: its SHA-256 begins with {sha256[:NAME_DIGITS]}, its folder is named "
            f"{named!r}. It does not run. Install it again with role monitor."
        )
    return Package(version=f"{__version__}+{sha256[:NAME_DIGITS]}", sha256=sha256, archive=archive)
