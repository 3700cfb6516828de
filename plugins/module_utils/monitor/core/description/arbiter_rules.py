# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What the arbiter needs of the rest: of the timers, of the switchable addresses, of the machines.

Problems refuse a description. Warnings do not: they name what is safe and yet less than people may think they have.
Source: docs/arbiters.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..values.model import Arbiter, Cluster, Etcd, Ip, Lan, Manual, Profile, Share, Witness
from ..values.problems import Problem, found
from ..values.profiles import TIMERS, Timers, unsafe
from . import rulebook as rule
from .reading import Located

SILENCE_MAX_S: Mapping[str, float] = {"etcd": 4.0}
"""For how long an arbiter that is well may give no answer: an etcd that chooses a new leader, 3.4 s as measured."""


def check_arbiter(draft: Located[Cluster] | None, ips: Iterable[Located[Ip]]) -> list[Problem]:
    """The profile's timers are safe and leave the arbiter its time; lan does not ask a switchable address."""
    if draft is None:
        return []
    cluster = draft.value
    problems = check_timers(cluster.profile, TIMERS[cluster.profile], cluster.arbiter, path=f"{draft.path}.profile")
    if isinstance(cluster.arbiter, Lan):
        problems += _switchable_targets(cluster.arbiter, draft.path, ips)
    return problems


def check_timers(profile: Profile, timers: Timers, arbiter: Arbiter, *, path: str) -> list[Problem]:
    """Whoever loses its permit is off in time, and an arbiter that is well answers before that."""
    problems = []
    if reason := unsafe(timers):
        message = f"profile {profile} is not safe: {reason}."
        cure = f"Write one of {', '.join(name for name in TIMERS if not unsafe(TIMERS[name]))}."
        problems.append(found(rule.TIMERS_SAFE, path=path, value=profile, message=message, cure=cure))
    silence_s = SILENCE_MAX_S.get(arbiter.kind, 0.0)
    if timers.own_s < silence_s:
        message = (
            f"with profile {profile} a permit lasts {timers.own_s:g} s, and {arbiter.kind} may be silent for "
            f"{silence_s:g} s while it chooses a new leader: groups would hang on the other nodes alone."
        )
        enough = [name for name, other in TIMERS.items() if other.own_s >= silence_s]
        cure = f"Write profile: {' or '.join(enough)}, or choose a witness."
        problems.append(found(rule.ARBITER_TIME, path=path, value=profile, message=message, cure=cure))
    return problems


def check_pings(ips: Iterable[Located[Ip]], nodes: Sequence[str]) -> list[Problem]:
    """What is pinged to test a card is no switchable address, and spare cards belong to nodes where those are known."""
    drafts = list(ips)
    tags = {draft.value.address: draft.value.tag for draft in drafts if draft.value.address}
    problems = []
    for draft in drafts:
        for index, target in enumerate(draft.value.ping):
            if target in tags:
                message = f"{target} is the switchable address of {tags[target]}, which may be on this very node."
                cure = "Write the clients' gateway, or another machine that is always on."
                place = f"{draft.path}.ping[{index}]"
                problems.append(found(rule.PING_TARGET, path=place, value=target, message=message, cure=cure))
        for node in draft.value.spare:
            if nodes and node not in nodes:
                message = f"'{node}' is not a node of the cluster."
                cure = f"Known here: {', '.join(nodes)}."
                place = f"{draft.path}.spare.{node}"
                problems.append(found(rule.SPARE_CARD, path=place, value=node, message=message, cure=cure))
    return problems


def arbiter_warnings(cluster: Cluster) -> list[str]:
    """What people should know of the arbiter they chose."""
    match cluster.arbiter:
        case Manual():
            return ["arbiter manual: no group moves by itself when its node dies; a command has to move it."]
        case Witness() as witness:
            return _witness_warnings(cluster, witness)
        case Etcd() as etcd:
            return _etcd_warnings(cluster, etcd)
        case Share() as share:
            server = share.path.lstrip("\\").partition("\\")[0]
            return [_on_node(f"share {share.path}", server)] if server.lower() in _machines(cluster) else []
        case Lan():
            return ["arbiter lan: nodes that reach a target but not each other may both serve (accept_weaker)."]


def _witness_warnings(cluster: Cluster, witness: Witness) -> list[str]:
    machines = _machines(cluster)
    warnings = [
        _on_node(f"witness {witness.name} ({path}: {address})", machines[address])
        for path, address in witness.addresses.items()
        if address in machines
    ]
    if len(witness.addresses) == 1:
        path = next(iter(witness.addresses))
        warnings.append(f"witness {witness.name} is reached over {path} alone: when that path breaks, no node has it.")
    return warnings


def _etcd_warnings(cluster: Cluster, etcd: Etcd) -> list[str]:
    machines = _machines(cluster)
    hosts = [endpoint.partition("://")[2].rpartition(":")[0].strip("[]").lower() for endpoint in etcd.endpoints]
    warnings = [_on_node(f"etcd member {host}", machines[host]) for host in hosts if host in machines]
    count = len(etcd.endpoints)
    if count % 2 == 0:
        outlives = (count - 1) // 2
        warnings.append(
            f"etcd has {count} members and outlives the loss of {outlives}, no more than {count - 1} would."
        )
    if etcd.endpoints and etcd.endpoints[0].startswith("http:"):
        warnings.append("etcd is spoken to without TLS: whoever reaches its port can move groups.")
    if etcd.any_version:
        warnings.append("etcd may be of any version (any_version): some acknowledge what they have lost.")
    return warnings


def _on_node(what: str, node: str) -> str:
    return f"{what} is on node {node}: when that machine dies both are gone. A machine that serves nothing is better."


def _machines(cluster: Cluster) -> dict[str, str]:
    """Names and addresses of the nodes, and whose they are."""
    names = {node.lower(): node for node in cluster.nodes}
    return names | {address: node for path in cluster.comm_paths for node, address in path.addresses.items()}


def _switchable_targets(lan: Lan, path: str, ips: Iterable[Located[Ip]]) -> list[Problem]:
    tags = {ip.value.address: ip.value.tag for ip in ips}
    problems = []
    for index, target in enumerate(lan.targets):
        if target in tags:
            message = f"{target} is the switchable address of {tags[target]}: the node that has it would answer itself."
            cure = "Write the clients' gateway, or another machine that answers while their network works."
            place = f"{path}.arbiter.targets[{index}]"
            problems.append(found(rule.LAN_TARGET, path=place, value=target, message=message, cure=cure))
    return problems
