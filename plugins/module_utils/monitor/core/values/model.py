# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What is configured: the cluster, its resources and hierarchies, as frozen values.

Values here are valid already; ``settings`` makes them from what people write. What happens at run time
(events, actions, registers) is in ``events`` and ``ownership``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Kind = Literal["ip", "volume", "web"]
SiteKind = Literal["web"]
Arbiter = Literal["manual"]
Profile = Literal["fast", "normal", "vm"]
VolumeDriver = Literal["shared_disk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommPath:
    """One heartbeat network: its name and the address of each node on it."""

    name: str
    addresses: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The nodes and how they talk. Nodes are those named by the comm paths, in sorted order."""

    name: str
    arbiter: Arbiter
    profile: Profile
    comm_port: int
    comm_paths: tuple[CommPath, ...]

    @property
    def nodes(self) -> tuple[str, ...]:
        """All node names, sorted."""
        return tuple(sorted({node for path in self.comm_paths for node in path.addresses}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ip:
    """A switchable address; ``interfaces`` maps each node to the connection alias it is put on there."""

    tag: str
    address: str
    prefix_length: int
    interfaces: Mapping[str, str]
    priorities: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A content volume that one node at a time has; ``drive`` is a capital letter and a colon."""

    tag: str
    drive: str
    driver: VolumeDriver
    disk: str
    priorities: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """Where a site listens. ``certificate`` is a thumbprint in capitals, only for https."""

    protocol: Literal["http", "https"]
    ip: str
    port: int
    host: str = ""
    certificate: str | None = None
    sni: bool = False

    @property
    def information(self) -> str:
        """The form IIS keeps: ``IP:port:host``.

        Source: learn.microsoft.com/en-us/iis/configuration/system.applicationhost/sites/site/bindings/binding
        """
        return f"{f'[{self.ip}]' if ':' in self.ip else self.ip}:{self.port}:{self.host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A site as IIS is to have it, the same on every node."""

    name: str
    kind: SiteKind
    content: str
    app_pool: str
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hierarchy:
    """A protected site and the tags of the addresses and volumes it depends on (read from IIS)."""

    tag: str
    kind: SiteKind
    site: str
    priorities: Mapping[str, int]
    drain_s: float
    depends_on: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything that is the same on all nodes. Two nodes agree when their ``digest`` is equal."""

    cluster: Cluster
    ips: tuple[Ip, ...] = field(default=())
    volumes: tuple[Volume, ...] = field(default=())
    hierarchies: tuple[Hierarchy, ...] = field(default=())

    @property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the canonical JSON form."""
        return digest_of(as_data(self))


def as_data(value: Any) -> dict[str, Any]:
    """The value as plain dictionaries, lists and scalars, fit for JSON."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(value)))
    return data


def digest_of(data: Any) -> str:
    """16 hexadecimal digits that are equal exactly when the data is (SHA-256 of canonical JSON, shortened)."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
