# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""One monitor per node: whoever writes the state files has their folder to itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from typing import BinaryIO

from .. import paths
from ..errors import StateError, SurfaceError
from ..surface import Surface

LOCK = paths.STATE + r"\lock"
IN_USE = 32
PATIENCE_S = 3.0
"""How long a monitor that is being replaced may take to be gone."""
_PAUSE_S = 0.05


@contextlib.contextmanager
def alone(surface: Surface, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Nobody else writes the state files meanwhile. The system takes the lock back from a process that dies.

    Raises:
        StateError: another monitor has them.
    """
    surface.local_path(paths.STATE).mkdir(parents=True, exist_ok=True)
    with _lock(surface, surface.monotonic_s() + patience_s):
        yield


def _lock(surface: Surface, deadline_s: float) -> BinaryIO:
    while True:
        try:
            return surface.exclusive_file(path=LOCK)
        except SurfaceError as error:
            if error.code != IN_USE:
                raise
            if surface.monotonic_s() >= deadline_s:
                raise StateError(
                    f"another monitor of this node runs already: it has {LOCK} open. Only service {paths.SERVICE} "
                    "runs it; end the other process, and start the service"
                ) from None
        time.sleep(_PAUSE_S)
