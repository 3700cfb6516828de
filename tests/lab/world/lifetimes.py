# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses with a lifetime on a machine that is paused: a paused kernel counts no seconds, so they wait too.

Source: ip-address(8), valid_lft; rtnetlink(7), ifa_cacheinfo.
"""

from __future__ import annotations

from ..surface import netlink
from ..surface.netlink import LinkAddress

LEAST_S = 1
"""A lifetime of no whole second would be no lifetime at all."""


def hold() -> list[LinkAddress]:
    """No address of this thread's network namespace runs out; those that would have, as they were."""
    held = [one for one in netlink.addresses() if one.lifetime_s != netlink.FOREVER_S]
    for one in held:
        netlink.add(index=one.index, address=one.address, label=one.label, lifetime_s=netlink.FOREVER_S)
    return held


def let_go(held: list[LinkAddress]) -> None:
    """The lifetimes go on with what was left of them."""
    for one in held:
        left_s = max(LEAST_S, one.lifetime_s)
        netlink.add(index=one.index, address=one.address, label=one.label, lifetime_s=left_s)
