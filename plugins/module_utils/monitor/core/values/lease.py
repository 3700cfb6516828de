# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""For how long a vote is exclusive."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Seconds since the vote was given, by the voter's clock.

    ``light_s`` for groups without a volume, ``full_s`` for the others, which take longer to be off.
    """

    light_s: float
    full_s: float
