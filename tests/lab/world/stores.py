# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's etcd: one member per machine of role "store", plain HTTP, on both comm-path networks."""

from __future__ import annotations

from collections.abc import Sequence

from .places import Places
from .preflight import find
from .topology import HEARTBEAT_A, HEARTBEAT_B, Machine

CLIENT_PORT = 2379
PEER_PORT = 2380
PACKAGE = {"etcd": "etcd-server"}
ELECTION_MS = 1000
HEARTBEAT_MS = 100


def program(places: Places, member: Machine, members: Sequence[Machine]) -> tuple[str, ...]:
    """The command line of this member; its data outlives a power cut.

    Members talk to each other over the first network; clients use any member at any of its addresses.
    """
    peers = [f"{one.name}=http://{HEARTBEAT_A.address(one.host)}:{PEER_PORT}" for one in members]
    own_peer = f"http://{HEARTBEAT_A.address(member.host)}:{PEER_PORT}"
    own_client = ",".join(
        f"http://{network.address(member.host)}:{CLIENT_PORT}" for network in (HEARTBEAT_A, HEARTBEAT_B)
    )
    return (
        find("etcd") or "etcd",
        *("--name", member.name, "--data-dir", str(places.store(member.name))),
        *("--initial-cluster", ",".join(peers), "--initial-cluster-token", "holdfast-lab"),
        *("--initial-advertise-peer-urls", own_peer, "--listen-peer-urls", own_peer),
        *("--advertise-client-urls", own_client, "--listen-client-urls", own_client),
        *("--election-timeout", str(ELECTION_MS), "--heartbeat-interval", str(HEARTBEAT_MS)),
        *("--logger", "zap", "--log-level", "warn"),
    )


def endpoints(members: Sequence[Machine]) -> list[str]:
    """One URL per member, on the two networks in turn: no single network takes all of them away."""
    networks = (HEARTBEAT_A, HEARTBEAT_B)
    return [f"http://{networks[number % 2].address(one.host)}:{CLIENT_PORT}" for number, one in enumerate(members)]
