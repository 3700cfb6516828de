# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of one machine: it began at some number of its own and may run too fast or too slow."""

from __future__ import annotations

NEVER_EARLY_S = 1e-9
"""Added to every wait, so that rounding does not ring an alarm before its time."""


class Clock:
    """Monotonic seconds of one machine; the world's own are called real."""

    def __init__(self, offset_s: float = 0.0) -> None:
        self._local_s = offset_s
        self._real_s = 0.0
        self.rate = 1.0

    def read(self, real_s: float) -> float:
        """What the machine's clock shows at this real time."""
        return self._local_s + (real_s - self._real_s) * self.rate

    def wait_s(self, until_s: float, real_s: float) -> float:
        """Real seconds until the clock shows so much; never negative."""
        left_s = until_s - self.read(real_s)
        return left_s / self.rate + NEVER_EARLY_S if left_s > 0 else 0.0

    def drift(self, rate: float, real_s: float) -> None:
        """From now on the clock runs at this rate."""
        self._local_s, self._real_s, self.rate = self.read(real_s), real_s, rate
