# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The command ``holdfast``. Here only what every start needs: a call from a playbook must begin quickly."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from ..errors import HoldfastError
from .package import archive_of, verified

REFUSED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; the exit code: 0 done, 1 refused or failed, 2 not understood."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        package = verified(archive_of(__spec__))
        if words == ["call"]:
            from .call import call

            return call()
        if words == ["service"]:
            from ..service.begin import run

            return run(package.version)
        if words == ["guard"]:
            from ..guard.service import run as guard

            return guard()
        if words[:1] == ["witness"]:
            from ..witness.command import main as witness

            return witness(words[1:], package.version)
        from .people import run_command

        return run_command(words, package)
    except (HoldfastError, RuntimeError) as error:
        sys.stderr.write(f"holdfast: {error}\n")
        return REFUSED
