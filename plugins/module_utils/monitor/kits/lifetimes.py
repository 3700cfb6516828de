# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Addresses live as long as their permits: the system takes them off by itself when nobody renews them."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..core.values.model import Ip
from ..surface import FOREVER_S
from .kit import Context


class Lifetimes:
    """Remembers until when each address was made to live; used by one thread at a time.

    Lifetimes are whole seconds: what is left of a permit, rounded down, may end before what was set last.
    """

    def __init__(self) -> None:
        self._ends: dict[str, float] = {}

    def refresh(self, ips: Iterable[Ip], ctx: Context) -> None:
        """The addresses that are up here live for what is left of their permits, and none less than before.

        None is added. With less than a second left an address is let go with its permit. Blocks; one call to the
        system for all addresses with the same time left.
        """
        now_s = ctx.surface.monotonic_s()
        by_lifetime: dict[int, list[Ip]] = {}
        for ip in ips:
            left_s = ctx.permit_s(ip.tag)
            lifetime_s = FOREVER_S if left_s is None else int(left_s)
            if lifetime_s >= 1 and self._prolongs(ip, _end_s(lifetime_s, now_s)):
                by_lifetime.setdefault(lifetime_s, []).append(ip)
        for lifetime_s, alike in by_lifetime.items():
            ctx.surface.renew_addresses(addresses=[ip.address for ip in alike], lifetime_s=lifetime_s)
            self._ends.update(dict.fromkeys((ip.tag for ip in alike), _end_s(lifetime_s, now_s)))

    def _prolongs(self, ip: Ip, end_s: float) -> bool:
        """One that lived for ever, by another arbiter, does so no more."""
        known_s = self._ends.get(ip.tag, -math.inf)
        return end_s > known_s or math.isinf(known_s)


def _end_s(lifetime_s: int, now_s: float) -> float:
    return math.inf if lifetime_s == FOREVER_S else now_s + lifetime_s
