# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The first moments of the service, in which a permit may be running out: first the processor, then everything else."""

from __future__ import annotations

import contextlib
from functools import partial

from .. import paths
from ..errors import SurfaceError
from ..surface import open_surface


def run(version: str) -> int:
    """The service ran until it was stopped; the exit code."""
    surface = open_surface()
    with contextlib.suppress(SurfaceError):
        surface.raise_priority(highest=False)
    # Late: loading it is most of the work of a start.
    from .main import body

    surface.run_service(name=paths.SERVICE, main=partial(body, surface, version))
    return 0
