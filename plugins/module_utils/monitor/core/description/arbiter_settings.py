# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Reading the arbiter: a word for ``manual``, a mapping by its kind for the others.

Source: docs/arbiters.md for what each of them needs to decide safely.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..values.model import Arbiter, CommPath, Etcd, Lan, Manual, Share, Witness
from . import rulebook as rule
from .fields import NODE_NAME, ip_list, ip_text, name_of
from .reading import Reader, meant, shown

WITNESS_PORT = 7431
ETCD_MEMBERS_MIN = 3
_ENDPOINT = re.compile(r"https?://(\[[0-9a-f:.]+\]|[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?):[0-9]{1,5}")
_PREFIX = re.compile(r"(/[A-Za-z0-9._-]+)+")
_UNC = re.compile(r"\\\\[^\\/:*?\"<>|\s]+\\[^\\/:*?\"<>|]+(\\[^\\/:*?\"<>|]+)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """What the arbiter is to fit into. ``stored``: it was judged when it was written."""

    cluster: str
    comm_paths: Sequence[CommPath]
    stored: bool

    @property
    def nodes(self) -> list[str]:
        return sorted({node for path in self.comm_paths for node in path.addresses})


def arbiter_of(outer: Reader, *, cluster: str, comm_paths: Sequence[CommPath], stored: bool) -> Arbiter:
    """The arbiter that is written; ``manual`` when none is, and after a problem of its kind."""
    written = outer.raw("arbiter")
    if not isinstance(written, Mapping):
        return _word(outer, written)
    kind = written.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        message = f"the arbiter's kind is {shown(kind)}." if kind is not None else "the arbiter has no kind."
        outer.report(rule.ARBITER_KNOWN, "arbiter.kind", kind, message, meant(kind, tuple(_KINDS)))
        return Manual()
    keys, read = _KINDS[kind]
    place = _Place(cluster=cluster, comm_paths=comm_paths, stored=stored)
    return read(outer.within("arbiter", written, ("kind", *keys)), place)


def _word(outer: Reader, written: object) -> Arbiter:
    """``manual`` needs nothing more than its name."""
    if written is not None and written != "manual":
        known = isinstance(written, str) and written in _KINDS
        message = f"arbiter {shown(written)} is " + ("only the kind of one." if known else "not known.")
        keys = ", ".join(_KINDS[written][0]) if known and isinstance(written, str) else ""
        cure = f"Write a mapping: kind: {written}, and {keys}." if known else meant(written, tuple(_KINDS))
        outer.report(rule.ARBITER_KNOWN, "arbiter", written, message, cure)
    return Manual()


def _manual(_reader: Reader, _place: _Place) -> Arbiter:
    return Manual()


def _witness(reader: Reader, place: _Place) -> Arbiter:
    cure = "Write the witness's inventory hostname, for example w1."
    name = name_of(reader, "name", pattern=NODE_NAME, rule=rule.WITNESS_NAME, cure=cure)
    if name.lower() in (node.lower() for node in place.nodes):
        message = f"the witness has the name of node {name}."
        cure = "Put it on a third machine, under that machine's inventory hostname."
        reader.report(rule.WITNESS_NAME, "name", name, message, cure)
    port = reader.integer("port", low=1, high=65535, rule=rule.ARBITER_PORT, default=WITNESS_PORT)
    return Witness(name=name, addresses=_addresses(reader, place), port=port)


def _addresses(reader: Reader, place: _Place) -> dict[str, str]:
    paths = [path.name for path in place.comm_paths]
    cure = "Write one line per comm path that leads to it: the path's name and the witness's address there."
    written = reader.mapping("addresses", cure=cure)
    if not written and isinstance(reader.raw("addresses"), Mapping):
        reader.report(rule.WITNESS_PATH, "addresses", {}, "the witness has no address.", cure)
    inner = reader.within("addresses", written, tuple(written))
    addresses: dict[str, str] = {}
    for path in written:
        if path not in paths:
            message = f"{shown(path)} is not a comm path of the cluster."
            inner.report(rule.WITNESS_PATH, path, path, message, meant(path, paths))
        address = ip_text(inner, path, rule.COMM_ADDRESS_IS_IP)
        if address and address in addresses.values():
            message = f"{address} is the witness's address on two comm paths."
            inner.report(rule.WITNESS_ADDRESS, path, address, message, "Write the address that it has on this network.")
        addresses[path] = address
    return addresses


def _etcd(reader: Reader, place: _Place) -> Arbiter:
    endpoints = _endpoints(reader)
    prefix = reader.text("prefix", default=f"/holdfast/{place.cluster}")
    cure = f"Write for example /holdfast/{place.cluster or 'web'}."
    user = reader.text("user", default="")
    if user and any(endpoint.startswith("http:") for endpoint in endpoints):
        message = f"the password of {user} would go over the network in clear."
        reader.report(rule.ETCD_PASSWORD, "user", user, message, "Let every member speak https, or leave user out.")
    return Etcd(
        endpoints=tuple(endpoints),
        prefix=reader.matching("prefix", prefix, pattern=_PREFIX, rule=rule.ETCD_PREFIX, cure=cure),
        user=user,
        any_version=reader.boolean("any_version", default=False),
    )


def _endpoints(reader: Reader) -> list[str]:
    cure = "Write the client URL of every member, for example https://etcd1.example.com:2379."
    if not reader.has("endpoints"):
        reader.report(rule.ETCD_MEMBERS, "endpoints", None, "endpoints are missing.", cure)
        return []
    written = reader.sequence("endpoints", cure=cure)
    endpoints: list[str] = []
    for index, endpoint in enumerate(written):
        here = f"endpoints[{index}]"
        if not isinstance(endpoint, str) or not _ENDPOINT.fullmatch(endpoint):
            message = f"endpoint {shown(endpoint)} is not a scheme, a host and a port."
            reader.report(rule.ETCD_ENDPOINT, here, endpoint, message, cure)
        elif endpoint in endpoints:
            reader.report(
                rule.ETCD_ENDPOINT, here, endpoint, f"{endpoint} stands here twice.", "Write each member once."
            )
        else:
            endpoints.append(endpoint)
    if 0 < len(written) < ETCD_MEMBERS_MIN or written == []:
        message = (
            f"etcd has {len(written)} {'member' if len(written) == 1 else 'members'}; it needs {ETCD_MEMBERS_MIN}."
        )
        cure = "Name every member of an etcd of three or five, or choose another arbiter, for example a witness."
        reader.report(rule.ETCD_MEMBERS, "endpoints", written, message, cure)
    if len({endpoint.partition(":")[0] for endpoint in endpoints}) > 1:
        message = "some endpoints are https and some are http."
        reader.report(rule.ETCD_SCHEME, "endpoints", endpoints, message, "Let every member speak https.")
    return endpoints


def _share(reader: Reader, _place: _Place) -> Arbiter:
    cure = r"Write for example \\files\holdfast\web, a folder on a machine that is no node."
    path = reader.text("path", cure=cure)
    return Share(path=reader.matching("path", path, pattern=_UNC, rule=rule.SHARE_UNC, cure=cure))


def _lan(reader: Reader, place: _Place) -> Arbiter:
    targets = ip_list(reader, "targets", rule.LAN_TARGET)
    own = {address: node for path in place.comm_paths for node, address in path.addresses.items()}
    for index, target in enumerate(targets):
        if target in own:
            message = f"{target} is the comm-path address of {own[target]}."
            cure = "Write the clients' gateway, or another machine that answers while their network works."
            reader.report(rule.LAN_TARGET, f"targets[{index}]", target, message, cure)
    if not reader.sequence("targets", cure="") and not isinstance(reader.raw("targets"), (str, Mapping)):
        cure = "Write at least one: the clients' gateway."
        reader.report(rule.LAN_TARGET, "targets", reader.raw("targets"), "there are no targets.", cure)
    if len(place.nodes) > 2:
        message = f"the cluster has {len(place.nodes)} nodes: {', '.join(place.nodes)}."
        reader.report(rule.LAN_TWO_NODES, "kind", "lan", message, "Choose a witness or an etcd.")
    if not place.stored and reader.raw("accept_weaker") is not True:
        message = "lan is weaker than a vote: nodes that are cut from each other may both serve."
        cure = "Choose a witness (any third machine will do), or write accept_weaker: true to say that this is meant."
        reader.report(rule.LAN_CONSENT, "accept_weaker", reader.raw("accept_weaker"), message, cure)
    return Lan(targets=tuple(targets))


_Reading = Callable[[Reader, _Place], Arbiter]
_KINDS: Mapping[str, tuple[tuple[str, ...], _Reading]] = {
    "manual": ((), _manual),
    "witness": (("name", "addresses", "port"), _witness),
    "etcd": (("endpoints", "prefix", "user", "any_version"), _etcd),
    "share": (("path",), _share),
    "lan": (("targets", "accept_weaker"), _lan),
}
"""The keys of each kind besides ``kind``, and what reads them."""
