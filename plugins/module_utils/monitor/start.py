# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Where the modules of the package come from: out of the zip with compiled modules beside it, or out of the package.

This stands at the top of the package under a name of its own and imports nothing of it, because it decides where the
rest is imported from. Compiled modules are used when they are whole and were made of this package; without them, and
for another Python, everything runs as well from its sources, and starts later.
"""

from __future__ import annotations

import hashlib
import os
import sys

SEAL_BYTES = 64
"""The end of the zip with compiled modules: SHA-256 of the package's folder name and of all bytes before."""


def beside(package: str) -> str:
    """The path of the compiled modules for this Python, beside the package ``...\\holdfast.pyz``."""
    return f"{package.removesuffix('.pyz')}.{sys.implementation.cache_tag}.pyz"


def seal(package: str, content: bytes) -> bytes:
    """What stands at the end of the compiled modules of this package, whose folder is named after its hash."""
    folder = os.path.basename(os.path.dirname(os.path.abspath(package)))
    return hashlib.sha256(folder.encode() + content).hexdigest().encode()


def origin(package: str) -> str:
    """The zip to import modules from."""
    compiled = beside(package)
    try:
        with open(compiled, "rb") as file:
            found = file.read()
    except OSError:
        return package
    whole = found[-SEAL_BYTES:] == seal(package, found[:-SEAL_BYTES])
    return compiled if whole else package
