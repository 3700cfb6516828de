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
from functools import cached_property
from typing import Any, Literal, Union

Kind = Literal["ip", "volume", "web"]
SiteKind = Literal["web"]
Profile = Literal["fast", "normal", "vm"]
VolumeDriver = Literal["shared_disk"]


ShutdownStrategy = Literal["switchover", "stay"]
Switchback = Literal["intelligent", "automatic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manual:
    """No arbiter: groups move by command only. Safe without any third machine."""

    kind: Literal["manual"] = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A third voter that serves nothing. ``addresses`` maps each comm path that leads to it to its address there."""

    name: str
    addresses: Mapping[str, str]
    port: int
    kind: Literal["witness"] = "witness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Etcd:
    """An etcd of at least three members, reached through its JSON gateway.

    ``endpoints`` are URLs; all https or all http. ``user`` is empty without authentication; its password and the
    certificates lie on the node, never here. ``any_version``: versions with known faults are used all the same.
    """

    endpoints: tuple[str, ...]
    prefix: str
    user: str = ""
    any_version: bool = False
    kind: Literal["etcd"] = "etcd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A file on an SMB share, written by compare-and-swap. ``path`` is the UNC path of its folder."""

    path: str
    kind: Literal["share"] = "share"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lan:
    """The clients' network decides between two nodes: ``targets`` must answer a ping, the holder's addresses must not.

    Weaker than a vote: two nodes that both reach a target but not each other, nor each other's addresses, both serve.
    """

    targets: tuple[str, ...]
    kind: Literal["lan"] = "lan"


Arbiter = Union[Manual, Witness, Etcd, Share, Lan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What is done by itself when a group fails. Source: guide chapters 1, 2 and 6.

    ``local``: stop and start here before moving. ``shutdown``: what a node that shuts down does with its groups.
    ``switchback``: whether a group returns by itself, after the preferred node was ready for ``stable_s``.
    ``restarts`` and ``failovers`` are allowed within ``window_s`` per group on all nodes together; whoever needs more
    is left as it is until a person looks. ``quick_check_s`` and ``deep_check_s`` lie between checks; 0 means never.
    """

    local: bool = True
    shutdown: ShutdownStrategy = "switchover"
    switchback: Switchback = "intelligent"
    stable_s: float = 600.0
    restarts: int = 3
    failovers: int = 3
    window_s: float = 1800.0
    quick_check_s: float = 5.0
    deep_check_s: float = 10.0
    guard_resets: bool = True


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
    recovery: Recovery = field(default_factory=Recovery)

    @property
    def nodes(self) -> tuple[str, ...]:
        """All node names, sorted."""
        return tuple(sorted({node for path in self.comm_paths for node in path.addresses}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ip:
    """A switchable address; ``interfaces`` maps each node to the connection alias it is put on there.

    ``ping`` are addresses of which at least one answers while the card's network works; empty: only its link counts.
    ``spare`` maps nodes to another card on the same subnet, used when the first fails (guide chapter 2, IP local
    recovery); no entry: none.
    """

    tag: str
    address: str
    prefix_length: int
    interfaces: Mapping[str, str]
    priorities: Mapping[str, int]
    ping: tuple[str, ...] = ()
    spare: Mapping[str, str] = field(default_factory=dict)


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
    """A protected site and the tags of the addresses and volumes it depends on (read from IIS).

    ``recovery`` are the keys of ``Recovery`` that are its own, and so its group's; the others are the cluster's.
    Source: guide chapter 2, step 3b (switchback), and chapter 6 (checks and local recovery, by resource).
    """

    tag: str
    kind: SiteKind
    site: str
    priorities: Mapping[str, int]
    drain_s: float
    depends_on: tuple[str, ...]
    recovery: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that is the same on all nodes. Two nodes agree when their ``digest`` is equal."""

    cluster: Cluster
    ips: tuple[Ip, ...] = field(default=())
    volumes: tuple[Volume, ...] = field(default=())
    hierarchies: tuple[Hierarchy, ...] = field(default=())

    @cached_property
    def digest(self) -> str:
        """The first 16 hexadecimal digits of the SHA-256 of the canonical JSON form."""
        return digest_of(as_data(self))

    @cached_property
    def ground(self) -> str:
        """Equal when nodes vote about the same: the same nodes, and the same groups of the same resources.

        Priorities, times, the profile and the arbiter are no part of it, so nodes that do not have the newest of
        those yet still count as voters for each other (docs/decisions/0012-arbiters.md).
        """
        edges = {hierarchy.tag: sorted(hierarchy.depends_on) for hierarchy in self.hierarchies}
        tags = [sorted(resource.tag for resource in kind) for kind in (self.ips, self.volumes)]
        return digest_of([self.cluster.nodes, tags, edges])


def identity(arbiter: Arbiter) -> str:
    """What makes it this arbiter and no other; the places at which it is reached may change without a new one."""
    if isinstance(arbiter, Witness):
        return f"witness {arbiter.name}"
    if isinstance(arbiter, Etcd):
        return f"etcd {arbiter.prefix}"
    if isinstance(arbiter, Share):
        return f"share {arbiter.path.lower()}"
    return arbiter.kind


def as_data(value: Any) -> dict[str, Any]:
    """The value as plain dictionaries, lists and scalars, fit for JSON."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(value)))
    return data


def digest_of(data: Any) -> str:
    """16 hexadecimal digits that are equal exactly when the data is (SHA-256 of canonical JSON, shortened)."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]
