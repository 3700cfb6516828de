# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Reading the cluster: its nodes, and the comm paths that connect them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import cast

from ..values.model import Cluster, CommPath, Profile
from ..values.problems import Problem, found
from . import rulebook as rule
from .arbiter_settings import arbiter_of
from .fields import NODE_NAME, ip_text, name_of
from .reading import Located, Reader, each, shown
from .recovery_settings import recovery_of

PROFILES = ("normal", "fast", "vm")
COMM_PORT = 7430
_CLUSTER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,62}")
_PATH_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")


def draft_cluster(data: object, path: str, problems: list[Problem], *, stored: bool = False) -> Located[Cluster] | None:
    """The cluster as far as it can be read; None when there is nothing to read.

    The stored form has no prefix lengths: that its networks are apart was checked when it was written.
    """
    if not isinstance(data, Mapping) or not data:
        given = "missing" if data is None else ("empty" if data in ({}, "", []) else f"{shown(data)}, not a mapping")
        cure = "Describe the cluster with name, arbiter and comm_paths."
        problems.append(found(rule.CLUSTER_THERE, path=path, value=data, message=f"the cluster is {given}.", cure=cure))
        return None
    known = ("name", "arbiter", "profile", "comm_port", "comm_paths", "recovery")
    reader = Reader(data, path=path, known=known, problems=problems)
    comm_paths = tuple(draft.value for draft in _comm_paths(reader, problems))
    name = name_of(reader, "name", pattern=_CLUSTER_NAME, rule=rule.CLUSTER_NAME, cure="Write for example web.")
    cluster = Cluster(
        name=name,
        arbiter=arbiter_of(reader, cluster=name, comm_paths=comm_paths, stored=stored),
        profile=cast(Profile, reader.choice("profile", options=PROFILES, rule=rule.PROFILE_KNOWN, default="normal")),
        comm_port=reader.integer("comm_port", low=1, high=65535, rule=rule.COMM_PORT, default=COMM_PORT),
        comm_paths=comm_paths,
        recovery=recovery_of(reader),
    )
    _check_names(cluster, reader)
    _check_addresses(cluster, reader, networks_too=not stored)
    return Located(path=path, value=cluster, sound=reader.sound)


def _comm_paths(reader: Reader, problems: list[Problem]) -> list[Located[CommPath]]:
    paths = reader.sequence("comm_paths", cure="Write a list of comm paths, each with name and addresses.")
    drafts = each(paths, reader.at("comm_paths"), problems, _comm_path)
    if reader.raw("comm_paths") is None or (isinstance(reader.raw("comm_paths"), (list, tuple)) and len(paths) < 2):
        there = "is only one comm path" if len(paths) == 1 else "are no comm paths"
        message = f"there {there}; the nodes need at least two."
        cure = "Add a comm path over another network: one broken cable or switch must not separate the nodes."
        reader.report(rule.TWO_COMM_PATHS, "comm_paths", reader.raw("comm_paths"), message, cure)
    return drafts


def _comm_path(data: Mapping[object, object], path: str, problems: list[Problem]) -> Located[CommPath]:
    reader = Reader(data, path=path, known=("name", "addresses", "prefix_length"), problems=problems)
    if reader.has("prefix_length"):
        reader.integer("prefix_length", low=1, high=128, rule=rule.PREFIX_LENGTH)
    name = name_of(reader, "name", pattern=_PATH_NAME, rule=rule.COMM_PATH_NAME, cure="Write for example path-a.")
    addresses = reader.mapping("addresses", cure="Write one line per node: its name and its address on this network.")
    inner = Reader(dict(addresses), path=reader.at("addresses"), known=tuple(addresses), problems=problems)
    for node in addresses:
        inner.matching(
            node,
            node,
            pattern=NODE_NAME,
            rule=rule.NODE_NAME,
            cure="Rename the host in the inventory (ansible_host keeps its address).",
        )
    texts = {node: ip_text(inner, node, rule.COMM_ADDRESS_IS_IP) for node in addresses}
    return Located(path=path, value=CommPath(name=name, addresses=texts), sound=reader.sound)


def _check_names(cluster: Cluster, reader: Reader) -> None:
    """No two comm paths have the same name."""
    names: dict[str, int] = {}
    for index, comm_path in enumerate(cluster.comm_paths):
        first = names.setdefault(comm_path.name.lower(), index)
        if comm_path.name and first != index:
            message = f"the name {shown(comm_path.name)} is used by comm_paths[{first}] already."
            key = f"comm_paths[{index}].name"
            reader.report(rule.COMM_PATH_NAME, key, comm_path.name, message, "Give each comm path its own name.")


def _check_addresses(cluster: Cluster, reader: Reader, *, networks_too: bool) -> None:
    """Every address is used once, and no node has two comm paths in one network."""
    owners: dict[str, str] = {}
    networks: dict[tuple[str, str], int] = {}
    for index, comm_path in enumerate(cluster.comm_paths):
        for node, address in comm_path.addresses.items():
            key = f"comm_paths[{index}].addresses.{node}"
            if address in owners:
                message = f"{address} is the address of {owners[address]} already."
                cure = "Write the address that this node has on this network."
                reader.report(rule.COMM_ADDRESS_ONCE, key, address, message, cure)
            elif address:
                owners[address] = f"{node} on comm_paths[{index}]"
                if networks_too:
                    _check_network(reader, networks, node, address, index)


def _check_network(reader: Reader, networks: dict[tuple[str, str], int], node: str, address: str, index: int) -> None:
    network = str(ipaddress.ip_network(f"{address}/{_comm_prefix(reader, index, address)}", strict=False))
    first = networks.setdefault((node, network), index)
    if first != index:
        message = f"{address} is in the network {network}, and so is {node}'s address on comm_paths[{first}]."
        cure = "Use a second network; if both networks are smaller than that, write prefix_length on both paths."
        key = f"comm_paths[{index}].addresses.{node}"
        reader.report(rule.COMM_NETWORKS_APART, key, address, message, cure)


def _comm_prefix(reader: Reader, index: int, address: str) -> int:
    """The written prefix length of this comm path; else /24 and /64, the usual sizes of one LAN segment."""
    written = [path for path in reader.sequence("comm_paths", cure="") if isinstance(path, Mapping)][index]
    length = written.get("prefix_length")
    high = 128 if ":" in address else 32
    if isinstance(length, int) and 1 <= length <= high:
        return int(length)
    return 64 if high == 128 else 24
