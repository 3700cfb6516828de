# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""``holdfast prepare``: compiles the modules of the package once, for the Python that runs it.

The result is a second zip beside the package with the sources and what became of them; ``start`` says when it is used.
"""

from __future__ import annotations

import importlib.util
import io
import marshal
import zipfile
from pathlib import Path

from ..errors import HoldfastError
from ..start import SEAL_BYTES, beside, origin, seal
from ..store.disk import RealDisk, put_durably
from .package import Package

_UNCHECKED = (1).to_bytes(4, "little")
"""Compiled from a source that is known by its hash and not looked at again (PEP 552). The seal vouches for both."""


class PrepareError(HoldfastError):
    """The compiled modules could not be written. The package runs without them."""


def prepare(package: Package, *, check: bool) -> bool:
    """The package starts from compiled modules; whether it did not before.

    With ``check`` nothing is done.

    Raises:
        PrepareError: there is no package, or its folder cannot be written.
    """
    if package.archive is None:
        raise PrepareError("there is no package to prepare: the sources run as they are")
    changed = origin(str(package.archive)) == str(package.archive)
    if changed and not check:
        try:
            put_durably(RealDisk(), Path(beside(str(package.archive))), compiled(package.archive))
        except OSError as error:
            raise PrepareError(f"the compiled modules cannot be written: {error}") from None
    return changed


def compiled(package: Path) -> bytes:
    """The zip with the package's sources and compiled modules, under its seal."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(package) as sources, zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sources.namelist():
            source = sources.read(name)
            archive.writestr(name, source)
            if name.endswith(".py"):
                archive.writestr(f"{name}c", _module(source, str(package / name)))
        # Room for the seal, where a zip file has its comment.
        archive.comment = bytes(SEAL_BYTES)
    content = buffer.getvalue()[:-SEAL_BYTES]
    return content + seal(str(package), content)


def _module(source: bytes, path: str) -> bytes:
    """The content of a .pyc file."""
    code = compile(source, path, "exec", dont_inherit=True)
    return importlib.util.MAGIC_NUMBER + _UNCHECKED + importlib.util.source_hash(source) + marshal.dumps(code)
