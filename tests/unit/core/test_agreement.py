# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From one arbiter to another while groups run: docs/decisions/0012-arbiters.md."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from holdfast.core.cluster.agreement import OTHER, Heard, agreed_now, remembered
from holdfast.core.values.model import (
    Arbiter,
    Cluster,
    CommPath,
    Config,
    Etcd,
    Hierarchy,
    Ip,
    Lan,
    Manual,
    Share,
    Witness,
    identity,
)

WITNESS = Witness(name="w1", addresses={"path-a": "10.77.1.21"}, port=7431)
ETCD = Etcd(endpoints=("https://e1:2379", "https://e2:2379", "https://e3:2379"), prefix="/holdfast/web")
SAME = Heard(arbiter="witness w1", fresh=True, whole=True)


def test_an_arbiter_may_change_its_addresses_and_stays_the_same() -> None:
    assert identity(WITNESS) == identity(replace(WITNESS, addresses={"path-b": "10.77.2.21"}, port=9))
    assert identity(ETCD) == identity(replace(ETCD, endpoints=ETCD.endpoints[:2]))


def test_each_arbiter_is_another_than_every_other() -> None:
    arbiters: list[Arbiter] = [
        Manual(),
        WITNESS,
        replace(WITNESS, name="w2"),
        ETCD,
        replace(ETCD, prefix="/other"),
        Share(path="\\\\files\\a"),
        Share(path="\\\\files\\b"),
        Lan(targets=("10.77.0.1",)),
    ]
    assert len({identity(arbiter) for arbiter in arbiters}) == len(arbiters)


def test_the_arbiter_counts_when_every_node_has_it() -> None:
    assert agreed_now("", WITNESS, [SAME, SAME]) == "witness w1"


@pytest.mark.parametrize("before", ["", OTHER])
@pytest.mark.parametrize(
    "peer",
    [
        replace(SAME, arbiter="witness w2"),
        replace(SAME, arbiter=""),
        replace(SAME, fresh=False),
        replace(SAME, whole=False),
    ],
)
def test_one_node_that_may_have_another_arbiter_keeps_ours_from_counting(peer: Heard, before: str) -> None:
    assert agreed_now(before, WITNESS, [SAME, peer]) == before


def test_what_was_agreed_is_not_undone_by_a_node_that_falls_silent_or_changes_later() -> None:
    assert agreed_now("witness w1", WITNESS, [replace(SAME, arbiter="witness w2", fresh=False)]) == "witness w1"


def test_an_agreement_on_another_arbiter_is_forgotten_and_that_there_was_one_is_not() -> None:
    assert remembered("witness w1", ETCD) == OTHER
    assert remembered(OTHER, WITNESS) == OTHER
    assert remembered("", WITNESS) == ""
    assert agreed_now("witness w1", ETCD, [SAME]) == OTHER


def test_manual_needs_an_agreement_only_after_another_arbiter() -> None:
    stranger = replace(SAME, fresh=False)
    assert agreed_now("", Manual(), [stranger]) == "manual"
    assert agreed_now(OTHER, Manual(), [stranger]) == OTHER
    assert agreed_now(OTHER, Manual(), [replace(SAME, arbiter="manual")]) == "manual"


def test_nodes_vote_about_the_same_while_only_the_arbiter_the_profile_or_priorities_differ() -> None:
    both = {"n1": 1, "n2": 2}
    path = CommPath(name="a", addresses={"n1": "10.0.0.1", "n2": "10.0.0.2"})
    cluster = Cluster(name="web", arbiter=WITNESS, profile="normal", comm_port=7430, comm_paths=(path,))
    ip = Ip(tag="ip", address="192.0.2.1", prefix_length=24, interfaces={}, priorities=both)
    site = Hierarchy(tag="shop", kind="web", site="shop", priorities=both, drain_s=0, depends_on=("ip",))
    config = Config(cluster=cluster, ips=(ip,), hierarchies=(site,))

    for other in (
        replace(config, cluster=replace(cluster, arbiter=ETCD, profile="vm")),
        replace(config, hierarchies=(replace(site, drain_s=5, priorities={"n1": 2, "n2": 1}),)),
    ):
        assert other.ground == config.ground
        assert other.digest != config.digest
    third = CommPath(name="a", addresses={**path.addresses, "n3": "10.0.0.3"})
    for other in (
        replace(config, cluster=replace(cluster, comm_paths=(third,))),
        replace(config, hierarchies=(replace(site, depends_on=()),)),
        replace(config, hierarchies=()),
    ):
        assert other.ground != config.ground


# -- every order in which nodes may change the arbiter, with every delay and repetition of their messages --------------


@dataclass(frozen=True)
class Message:
    """A heartbeat: the arbiter of its sender, and the newest change of each node that the sender had heard of."""

    sender: int
    arbiter: str
    heard: tuple[int, ...]


@dataclass(frozen=True)
class Node:
    """``heard`` has its own number of changes at its own place; ``peers`` is what each said last."""

    arbiter: str
    agreed: str
    heard: tuple[int, ...]
    peers: tuple[Heard, ...]


@dataclass(frozen=True)
class World:
    """Whatever was sent may arrive at any time and any number of times."""

    nodes: tuple[Node, ...]
    sent: frozenset[Message]


FORMS: dict[str, Arbiter] = {"witness w1": WITNESS, "manual": Manual()}
OLD, NEW = FORMS


def test_no_node_lives_by_the_old_arbiter_while_another_takes_by_the_new() -> None:
    """All that two nodes can get into with two changes each: there, back again, or crosswise."""
    worlds = explore(nodes=2, changes=2, trusting=False)
    assert not any(split(world) for world in worlds)
    assert any({node.agreed for node in world.nodes} == {NEW} for world in worlds), "the change can be completed"


def test_nor_do_three_nodes_on_any_of_many_ways() -> None:
    assert not any(split(world) for world in wander(nodes=3, changes=2, trusting=False))


def test_heartbeats_from_before_the_change_would_split_the_cluster() -> None:
    """The checks above can fail: believing what a peer said before it heard of our change is enough."""
    assert any(split(world) for world in explore(nodes=2, changes=2, trusting=True))
    assert any(split(world) for world in wander(nodes=3, changes=2, trusting=True))


def split(world: World) -> bool:
    counting = {node.agreed for node in world.nodes if node.agreed == node.arbiter}
    return len(counting) > 1


def beginning(nodes: int) -> World:
    silent = Heard(arbiter="", fresh=False, whole=True)
    first = Node(arbiter=OLD, agreed=OLD, heard=(0,) * nodes, peers=(silent,) * nodes)
    return World(nodes=(first,) * nodes, sent=frozenset(sent_by(first, at) for at in range(nodes)))


def explore(*, nodes: int, changes: int, trusting: bool) -> set[World]:
    """Every world that can be reached; ``trusting`` nodes take old heartbeats for new ones."""
    start = beginning(nodes)
    found, todo = {start}, [start]
    while todo:
        for world in steps(todo.pop(), changes=changes, trusting=trusting):
            if world not in found:
                found.add(world)
                todo.append(world)
    return found


def wander(*, nodes: int, changes: int, trusting: bool) -> Iterator[World]:
    """The worlds on two hundred ways of thirty steps, always the same ones."""
    chance = Random(3)
    for _way in range(200):
        world = beginning(nodes)
        for _step in range(30):
            world = chance.choice(list(steps(world, changes=changes, trusting=trusting)))
            yield world


def steps(world: World, *, changes: int, trusting: bool) -> Iterator[World]:
    for at, node in enumerate(world.nodes):
        if node.heard[at] < changes:
            yield then(world, at, changed(node, at))
        for message in world.sent:
            if message.sender != at:
                yield then(world, at, told(node, at, message, trusting=trusting))


def then(world: World, at: int, node: Node) -> World:
    return World(nodes=put(world.nodes, at, node), sent=world.sent | {sent_by(node, at)})


def sent_by(node: Node, at: int) -> Message:
    return Message(sender=at, arbiter=node.arbiter, heard=node.heard)


def changed(node: Node, at: int) -> Node:
    arbiter = NEW if node.arbiter == OLD else OLD
    return Node(
        arbiter=arbiter,
        agreed=remembered(node.agreed, FORMS[arbiter]),
        heard=put(node.heard, at, node.heard[at] + 1),
        peers=tuple(replace(peer, fresh=False) for peer in node.peers),
    )


def told(node: Node, at: int, message: Message, *, trusting: bool) -> Node:
    fresh = trusting or message.heard[at] == node.heard[at]
    peers = put(node.peers, message.sender, Heard(arbiter=message.arbiter, fresh=fresh, whole=True))
    heard = put(node.heard, message.sender, max(node.heard[message.sender], message.heard[message.sender]))
    others = [peer for place, peer in enumerate(peers) if place != at]
    return Node(
        arbiter=node.arbiter,
        agreed=agreed_now(node.agreed, FORMS[node.arbiter], others),
        heard=heard,
        peers=peers,
    )


def put(row: tuple[Any, ...], place: int, value: Any) -> tuple[Any, ...]:
    return (*row[:place], value, *row[place + 1 :])
