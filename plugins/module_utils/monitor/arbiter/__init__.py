# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The node's side of the arbiter: one client per kind, all behind ``ArbiterPort``."""

from __future__ import annotations

from ..core.values.model import Etcd, Manual, Share, Witness
from .port import ArbiterPort, Surroundings

__all__ = ["ArbiterPort", "Surroundings", "open_arbiter"]


def open_arbiter(around: Surroundings) -> ArbiterPort | None:
    """The client of the arbiter that the cluster has; None when moves are by command only."""
    arbiter = around.config.cluster.arbiter
    # Imported late: a kind that is not in use costs nothing, its libraries least of all.
    if isinstance(arbiter, Manual):
        return None
    if isinstance(arbiter, Witness):
        from .witness import WitnessClient

        return WitnessClient(arbiter, around)
    if isinstance(arbiter, Etcd):
        from .etcd import open_etcd

        return open_etcd(arbiter, around)
    if isinstance(arbiter, Share):
        from .share import open_share

        return open_share(arbiter, around)
    from .lan import LanClient

    return LanClient(arbiter, around)
