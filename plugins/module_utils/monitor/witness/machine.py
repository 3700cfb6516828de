# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What the witness runs on: Windows, through the surface, or Linux with systemd, where it needs none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .. import paths
from ..surface import Surface, open_surface


class Machine:
    """``surface`` is None on Linux."""

    def __init__(self) -> None:
        windows = sys.platform == "win32" or "HOLDFAST_SURFACE" in os.environ
        self.surface: Surface | None = open_surface() if windows else None

    @property
    def settings(self) -> str:
        """Where the configuration lies unless another place is named."""
        return paths.DATA + r"\witness.json" if self.surface else "/etc/holdfast/witness.json"

    def local(self, path: str) -> Path:
        """The path as this process can open it."""
        return self.surface.local_path(path) if self.surface else Path(path)
