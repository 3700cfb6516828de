# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of a member of etcd."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from holdfast_lab.etcd.certificates import Certificates

PROGRAM = "etcd"
PACKAGE = "etcd-server"


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Where a member is reached: by clients and by the other members, on one address."""

    name: str
    address: str
    client_port: int = 2379
    peer_port: int = 2380

    def client_url(self, *, secure: bool = False) -> str:
        """What goes into the arbiter's ``endpoints``."""
        return f"{'https' if secure else 'http'}://{self.address}:{self.client_port}"

    @property
    def peer_url(self) -> str:
        """Members talk to each other without TLS here: the network between them is the lab's."""
        return f"http://{self.address}:{self.peer_port}"


def command(
    member: Member,
    members: Sequence[Member],
    folder: Path,
    *,
    token: str,
    certificates: Certificates | None = None,
    token_ttl_s: int = 300,
) -> list[str]:
    """Runs this member of a new cluster, with its data in ``folder``. ``token`` sets clusters apart."""
    client_url = member.client_url(secure=certificates is not None)
    options = {
        "name": member.name,
        "data-dir": str(folder / member.name),
        "listen-client-urls": client_url,
        "advertise-client-urls": client_url,
        "listen-peer-urls": member.peer_url,
        "initial-advertise-peer-urls": member.peer_url,
        "initial-cluster": ",".join(f"{one.name}={one.peer_url}" for one in members),
        "initial-cluster-token": token,
        "initial-cluster-state": "new",
        "heartbeat-interval": "100",
        "election-timeout": "1000",
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "5m",
        "auth-token-ttl": str(token_ttl_s),
        "enable-v2": "false",
        "logger": "zap",
        "log-level": "warn",
    }
    if certificates is not None:
        options |= {
            "cert-file": str(certificates.server),
            "key-file": str(certificates.server_key),
            "trusted-ca-file": str(certificates.authority),
            "client-cert-auth": "true",
        }
    return [PROGRAM, *(f"--{name}={value}" for name, value in options.items())]
