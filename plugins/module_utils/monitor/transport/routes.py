# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which connections a node should have, read from the cluster's description. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..core.values.model import Cluster

Key = tuple[str, str]
"""Peer and comm path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One comm path to one peer. Of a pair, the node whose name sorts first dials; the other listens."""

    peer: str
    path: str
    local: str
    remote: str
    port: int
    dials: bool
    cluster: str

    @property
    def key(self) -> Key:
        """What tells this route from the others of the node."""
        return self.peer, self.path


def routes(node: str, cluster: Cluster) -> Mapping[Key, Route]:
    """The routes of the node; none when the cluster does not name it."""
    found = (
        Route(
            peer=peer,
            path=path.name,
            local=path.addresses[node],
            remote=address,
            port=cluster.comm_port,
            dials=node < peer,
            cluster=cluster.name,
        )
        for path in cluster.comm_paths
        if node in path.addresses
        for peer, address in path.addresses.items()
        if peer != node
    )
    return {route.key: route for route in found}
