# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The arbiter's law on a store of records: the same answers as the acceptor's, and what a store adds to go wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from holdfast.core.cluster.acceptor import Acceptor
from holdfast.core.cluster.observed import POLL_S, RACES_MAX, REGISTERS_MAX, ObservedArbiter
from holdfast.core.cluster.ownership import take
from holdfast.core.values.arbitration import Claim, Question, Renewal, Verdict
from holdfast.core.values.events import Consulted
from holdfast.core.values.history import History, Incident
from holdfast.core.values.lease import Lease
from holdfast.core.values.messages import Register
from holdfast.core.values.profiles import TAKE_MAX_S
from holdfast.core.values.records import Answer, Operation, Presence, Read, Stored, Swap, presence_key, register_key

LEASE = Lease(light_s=2.0, full_s=3.0)
AFTER_START_S = TAKE_MAX_S + 1.0


@dataclass
class Store:
    """A linearizable store: what is carried out takes effect at once."""

    revision: int = 0
    records: dict[str, Stored] = field(default_factory=dict)
    swaps: list[Swap] = field(default_factory=list)

    def carry_out(self, operation: Operation) -> Answer:
        if isinstance(operation, Read):
            return self.read(operation.since)
        self.swaps.append(operation)
        if any(self.expected(key) != put.expected for key, put in operation.puts.items()):
            return self.read(0)
        self.revision += 1
        self.records |= {key: Stored(revision=self.revision, record=put.record) for key, put in operation.puts.items()}
        return self.read(operation.since, done=True)

    def read(self, since: int, *, done: bool = False) -> Answer:
        changed = {key: stored for key, stored in self.records.items() if stored.revision > since}
        return Answer(revision=self.revision, records=changed, complete=since == 0, done=done)

    def expected(self, key: str) -> int:
        return self.records[key].revision if key in self.records else 0

    def register(self, group: str) -> Register:
        record = self.records[register_key(group)].record if register_key(group) in self.records else Register()
        assert isinstance(record, Register)
        return record

    def presence(self, node: str) -> Presence:
        record = self.records[presence_key(node)].record
        assert isinstance(record, Presence)
        return record


class Node:
    """A node that asks, with a store that answers at once unless the test carries out operations by hand."""

    def __init__(self, name: str, store: Store, incarnation: int = 1, nodes: tuple[str, ...] = ()) -> None:
        self.name = name
        self.store = store
        self.incarnation = incarnation
        self.arbiter = ObservedArbiter(node=name, nodes=nodes)
        self.number = 0

    def ask(self, question: Question, now_s: float) -> Verdict:
        outcome = self.consult(question, now_s)
        assert outcome.verdict is not None, outcome.error
        return outcome.verdict

    def consult(self, question: Question, now_s: float) -> Consulted:
        self.number += 1
        self.arbiter.ask(self.number, question)
        found = self.work_off(now_s)
        assert [outcome.number for outcome in found] == [self.number]
        return found[0]

    def work_off(self, now_s: float) -> list[Consulted]:
        found: list[Consulted] = []
        for _round in range(200):
            operation = self.arbiter.operation(now_s)
            found += self.arbiter.outcomes()
            if operation is None:
                return found
            self.arbiter.answered(self.store.carry_out(operation), now_s)
        raise AssertionError("there is always one more operation")

    def look(self, now_s: float) -> None:
        """What is in the store is seen now, as a watch would."""
        self.arbiter.noticed(self.store.read(0), now_s)

    def renewal(
        self, registers: Mapping[str, Register] | None = None, *, since: int = 0, version: int = 0, lease: Lease = LEASE
    ) -> Renewal:
        return Renewal(
            node=self.name,
            incarnation=self.incarnation,
            lease=lease,
            since=since,
            version=version,
            registers=registers or {},
        )

    def claim(self, group: str, epoch: int, *, consent_of: str | None = None, volume: bool = True) -> Claim:
        return Claim(
            node=self.name,
            incarnation=self.incarnation,
            lease=LEASE,
            group=group,
            epoch=epoch,
            volume=volume,
            consent_of=consent_of,
        )


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def nodes(store: Store) -> tuple[Node, Node]:
    """n1 holds shop and docs at epoch 1; both nodes have watched the store since time 0."""
    first, second = Node("n1", store), Node("n2", store)
    held = {group: take(epoch=1, node="n1", out=frozenset()) for group in ("shop", "docs")}
    for node in (first, second):
        node.work_off(0.0)
    first.ask(first.renewal(held, version=1), 0.0)
    second.ask(second.renewal(), 0.0)
    return first, second


# -- renewals ---------------------------------------------------------------------------------------


def test_what_a_renewal_tells_is_in_the_store_before_it_is_acknowledged(store: Store) -> None:
    node = Node("n1", store)
    held = take(epoch=3, node="n1", out=frozenset())
    node.work_off(0.0)
    node.number += 1
    node.arbiter.ask(1, node.renewal({"shop": held}, version=7))

    operation = node.arbiter.operation(0.0)
    assert operation is not None
    assert node.arbiter.outcomes() == []
    node.arbiter.answered(store.carry_out(operation), 0.1)

    assert store.register("shop") == held
    assert [outcome.verdict.version for outcome in node.arbiter.outcomes() if outcome.verdict] == [7]


def test_a_renewal_that_tells_nothing_writes_one_record_however_many_groups_there_are(store: Store) -> None:
    node = Node("n1", store)
    held = {f"g{number}": take(epoch=1, node="n1", out=frozenset()) for number in range(1000)}

    assert node.ask(node.renewal(held, version=1), 0.0).version == 1
    assert len(store.swaps) == 1000 // REGISTERS_MAX
    assert node.ask(node.renewal(since=1, version=1), 0.5).version == 1

    assert list(store.swaps[-1].puts) == ["node/n1"]
    assert len(store.swaps) == 1000 // REGISTERS_MAX + 1


def test_a_swap_fits_into_a_transaction_of_etcd(store: Store) -> None:
    node = Node("n1", store)
    node.ask(node.renewal({f"g{n}": take(epoch=1, node="n1", out=frozenset()) for n in range(300)}, version=1), 0.0)

    # One more for the read that comes with it; 128 is etcd's default --max-txn-ops.
    assert max(len(swap.puts) for swap in store.swaps) + 1 <= 128


def test_what_befell_a_group_is_not_kept_in_the_store(store: Store) -> None:
    """Up to 256 incidents for each of a hundred registers would be more than etcd takes in a request (1.5 MiB)."""
    node = Node("n1", store)
    held = take(epoch=1, node="n1", out=frozenset())
    eventful = replace(held, history=History(incidents=(Incident(number=1, kind="restart", node="n1"),)))

    assert node.ask(node.renewal({"shop": eventful}, version=1), 0.0).version == 1

    assert store.register("shop") == held


def test_a_renewal_says_what_is_not_the_nodes_any_more(store: Store, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    second.ask(second.claim("shop", 2), AFTER_START_S)

    verdict = first.ask(first.renewal(since=1, version=1), AFTER_START_S)

    assert verdict.registers == {"shop": store.register("shop")}
    assert store.register("shop").holder == "n2"


def test_a_longer_lease_announced_before_is_announced_until_it_has_passed(store: Store) -> None:
    node = Node("n1", store)
    node.ask(node.renewal(lease=Lease(light_s=7.0, full_s=7.5)), 0.0)
    node.ask(node.renewal(), 1.0)
    assert store.presence("n1").lease == Lease(light_s=6.0, full_s=6.5)

    node.ask(node.renewal(), 6.0)

    assert store.presence("n1").lease == LEASE


def test_a_new_run_of_the_monitor_announces_the_lease_of_the_one_before_until_it_has_passed(store: Store) -> None:
    Node("n1", store).ask(Node("n1", store).renewal(lease=Lease(light_s=7.0, full_s=7.5)), 0.0)
    again = Node("n1", store, incarnation=2)

    again.ask(again.renewal(), 100.0)

    assert store.presence("n1").lease == Lease(light_s=7.0, full_s=7.5)


def test_an_earlier_run_of_the_monitor_gets_no_vote(store: Store) -> None:
    old, new = Node("n1", store, incarnation=1), Node("n1", store, incarnation=2)
    old.ask(old.renewal(), 0.0)
    new.ask(new.renewal(), 0.1)

    verdict = old.ask(old.renewal(), 0.2)

    assert not verdict.renewed
    assert verdict.reason == "n1 was started again since"


def test_a_second_monitor_with_the_same_identity_is_told_of(store: Store) -> None:
    one = Node("n1", store)
    one.ask(one.renewal(), 0.0)
    twin = Node("n1", store)
    for _turn in range(2):
        twin.ask(twin.renewal(), 0.1)

    verdict = one.ask(one.renewal(), 0.2)

    assert not verdict.renewed
    assert "another monitor renews the lease of n1" in verdict.reason


def test_a_node_that_was_removed_gets_no_vote_even_when_all_others_are_gone(store: Store) -> None:
    third = Node("n3", store, nodes=("n1", "n2", "n3"))
    third.ask(third.renewal(), 0.0)
    first = Node("n1", store, nodes=("n1", "n2"))
    first.ask(first.renewal(), 1.0)

    again = Node("n3", store, incarnation=2, nodes=("n1", "n2", "n3"))
    for question in (again.renewal(), again.claim("shop", 1)):
        verdict = again.ask(question, AFTER_START_S)
        assert (verdict.granted, verdict.renewed) == (False, False)
        assert verdict.reason == "n3 is no node of the cluster any more, as n1 knows it"
    assert store.register("shop") == Register()


def test_a_node_that_was_removed_and_is_added_again_has_a_vote_when_one_of_the_others_knows_it(store: Store) -> None:
    third = Node("n3", store, nodes=("n1", "n3"))
    third.ask(third.renewal(), 0.0)
    Node("n1", store, nodes=("n1",)).ask(Node("n1", store).renewal(), 1.0)
    assert not third.ask(third.renewal(), 2.0).renewed

    knows = Node("n1", store, incarnation=2, nodes=("n1", "n3"))
    knows.ask(knows.renewal(), 3.0)

    # What it reads anyway, once a second.
    third.work_off(3.0 + POLL_S)
    assert third.ask(third.renewal(), 5.0).renewed
    assert store.presence("n3").removed_by is None


# -- claims -----------------------------------------------------------------------------------------


def test_nothing_is_taken_before_the_lease_has_run_out_by_the_challengers_own_watch(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    first.ask(first.renewal(since=1, version=1), AFTER_START_S)
    # The challenger hears of it only now: its watch begins now.
    seen_s = AFTER_START_S + 0.9
    second.ask(second.renewal(), seen_s)

    early = second.ask(second.claim("shop", 2), seen_s + LEASE.full_s - 0.1)
    late = second.ask(second.claim("shop", 2), seen_s + LEASE.full_s)

    assert (early.granted, early.reason) == (False, "n1 holds it at epoch 1, and its lease runs")
    assert late.granted


def test_a_group_without_a_volume_is_taken_sooner_and_the_others_no_sooner_for_it(nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    first.ask(first.renewal(since=1, version=1), AFTER_START_S)
    second.look(AFTER_START_S)
    now_s = AFTER_START_S + LEASE.light_s

    assert second.ask(second.claim("docs", 2, volume=False), now_s).granted
    assert not second.ask(second.claim("shop", 2), now_s).granted
    assert second.ask(second.claim("shop", 2), AFTER_START_S + LEASE.full_s).granted


def test_a_take_over_fences_whoever_was_believed_to_be_gone(store: Store, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    first.number += 1
    first.arbiter.ask(first.number, first.renewal(since=1, version=1))
    delayed = first.arbiter.operation(AFTER_START_S)
    assert isinstance(delayed, Swap)

    assert second.ask(second.claim("shop", 2), AFTER_START_S).granted
    assert store.presence("n1").fenced_by == "n2"
    answer = store.carry_out(delayed)
    first.arbiter.answered(answer, AFTER_START_S + 0.1)

    assert not answer.done
    assert first.arbiter.outcomes() == []
    [outcome] = first.work_off(AFTER_START_S + 0.1)
    assert outcome.verdict is not None
    assert list(outcome.verdict.registers) == ["shop"]
    assert store.presence("n1").fenced_by is None


def test_a_renewal_that_comes_in_first_makes_the_take_over_fail(store: Store, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    second.number += 1
    second.arbiter.ask(second.number, second.claim("shop", 2))
    delayed = second.arbiter.operation(AFTER_START_S)
    assert isinstance(delayed, Swap)
    first.ask(first.renewal(since=1, version=1), AFTER_START_S)

    second.arbiter.answered(store.carry_out(delayed), AFTER_START_S)
    [outcome] = second.work_off(AFTER_START_S)

    assert outcome.verdict is not None
    assert not outcome.verdict.granted
    assert store.register("shop").holder == "n1"


def test_a_hand_over_is_only_promised_and_fences_nobody(store: Store, nodes: tuple[Node, Node]) -> None:
    _first, second = nodes

    assert second.ask(second.claim("shop", 2, consent_of="n1"), AFTER_START_S).granted

    promised = store.register("shop")
    assert (promised.holder, promised.promised_to, promised.promised_epoch) == ("n1", "n2", 2)
    assert store.presence("n1").fenced_by is None


def test_claims_for_a_thousand_groups_go_out_a_hundred_at_a_time(store: Store) -> None:
    first, second = Node("n1", store), Node("n2", store)
    groups = [f"g{number}" for number in range(1000)]
    for node in (first, second):
        node.work_off(0.0)
    first.ask(first.renewal({group: take(epoch=1, node="n1", out=frozenset()) for group in groups}, version=1), 0.0)
    second.ask(second.renewal(), 0.0)
    before = len(store.swaps)

    for number, group in enumerate(groups):
        second.arbiter.ask(1000 + number, second.claim(group, 2))
    verdicts = [outcome.verdict for outcome in second.work_off(AFTER_START_S)]

    assert len(verdicts) == 1000
    assert all(verdict is not None and verdict.granted for verdict in verdicts)
    assert len(store.swaps) - before == 1000 // REGISTERS_MAX


# -- what can go wrong with a store ---------------------------------------------------------------------


def test_an_attempt_that_is_in_although_its_answer_was_lost_is_known_again(store: Store) -> None:
    node = Node("n1", store)
    node.work_off(0.0)
    node.arbiter.ask(1, node.renewal({"shop": take(epoch=1, node="n1", out=frozenset())}, version=1))
    swap = node.arbiter.operation(0.0)
    assert isinstance(swap, Swap)
    store.carry_out(swap)

    # The same swap again, at another member: it finds the records changed, by itself.
    node.arbiter.answered(store.carry_out(swap), 0.3)

    assert [outcome.verdict.version for outcome in node.arbiter.outcomes() if outcome.verdict] == [1]


def test_after_an_operation_of_unknown_outcome_everything_is_read_before_anything_is_written(store: Store) -> None:
    node = Node("n1", store)
    node.work_off(0.0)
    node.arbiter.ask(1, node.renewal())
    lost = node.arbiter.operation(0.0)
    assert isinstance(lost, Swap)

    node.arbiter.failed("no member answered")
    [outcome] = node.arbiter.outcomes()
    node.arbiter.ask(2, node.renewal())
    reading = node.arbiter.operation(0.5)
    assert reading == Read(since=0)
    node.arbiter.answered(store.carry_out(reading), 0.5)
    fresh = node.arbiter.operation(0.5)
    # The lost one arrives after all, just before.
    store.carry_out(lost)
    assert isinstance(fresh, Swap)
    node.arbiter.answered(store.carry_out(fresh), 0.6)

    assert (outcome.verdict, outcome.error) == (None, "no member answered")
    assert [outcome.number for outcome in node.work_off(0.6) if outcome.verdict] == [2]


def test_a_claim_that_was_lost_and_given_up_is_not_granted_later(store: Store, nodes: tuple[Node, Node]) -> None:
    _first, second = nodes
    second.number += 1
    second.arbiter.ask(second.number, second.claim("shop", 2))
    lost = second.arbiter.operation(AFTER_START_S)
    assert isinstance(lost, Swap)
    second.arbiter.failed("no member answered")
    second.arbiter.outcomes()

    second.ask(second.renewal(), AFTER_START_S)

    assert not store.carry_out(lost).done
    assert store.register("shop").holder == "n1"


def test_questions_are_given_up_when_others_are_always_faster(store: Store, nodes: tuple[Node, Node]) -> None:
    first, second = nodes
    second.number += 1
    second.arbiter.ask(second.number, second.claim("shop", 2, consent_of="n1"))
    for turn in range(RACES_MAX):
        swap = second.arbiter.operation(AFTER_START_S)
        assert isinstance(swap, Swap)
        out = {"shop": take(epoch=1, node="n1", out=frozenset({f"x{turn}"}))}
        stored = store.records[register_key("shop")]
        store.revision += 1
        store.records[register_key("shop")] = Stored(revision=store.revision, record=stored.record)
        assert first.ask(first.renewal(out, since=1, version=turn + 2), AFTER_START_S).renewed
        second.arbiter.answered(store.carry_out(swap), AFTER_START_S)

    [outcome] = second.arbiter.outcomes()
    assert outcome.verdict is None
    assert "changed the records first" in outcome.error


def test_a_store_that_lost_its_records_grants_nothing_until_the_longest_lease_has_passed(
    store: Store, nodes: tuple[Node, Node]
) -> None:
    first, second = nodes
    store.records.clear()
    now_s = AFTER_START_S + 100.0

    refused = second.ask(second.claim("shop", 2), now_s)
    told = first.ask(first.renewal(since=1, version=1), now_s)

    assert not refused.granted
    assert "does not know shop" in refused.reason
    # Whoever has something learns that it has to tell it again.
    assert told.version == 0
    assert second.ask(second.claim("shop", 2), now_s + TAKE_MAX_S).granted


def test_without_questions_the_store_is_read_every_second(store: Store) -> None:
    node = Node("n1", store)
    node.work_off(0.0)
    store.revision = 7

    assert node.arbiter.operation(POLL_S - 0.01) is None
    assert node.arbiter.operation(POLL_S) == Read(since=0)
    assert node.arbiter.operation(POLL_S) is None


def test_while_the_store_fails_it_is_tried_with_every_question_and_every_second(store: Store) -> None:
    node = Node("n1", store)
    assert node.arbiter.operation(0.0) == Read(since=0)
    node.arbiter.failed("nobody there")
    assert node.arbiter.operation(0.5) is None
    node.arbiter.ask(1, node.renewal())
    assert node.arbiter.operation(0.6) == Read(since=0)
    node.arbiter.failed("nobody there")

    assert [outcome.error for outcome in node.arbiter.outcomes()] == ["nobody there"]
    assert node.arbiter.operation(1.5) is None
    assert node.arbiter.operation(1.6) == Read(since=0)


# -- the acceptor's law -------------------------------------------------------------------------------


def random_question(chance: random.Random, node: Node, law: Acceptor, versions: dict[str, int]) -> Question:
    group = chance.choice(["shop", "docs", "mail"])
    known = law.registers.get(group, Register())
    epoch = max(known.epoch, known.promised_epoch) + chance.choice([0, 0, 1, 1, 1, 2])
    match chance.randrange(4):
        case 0:
            return node.renewal(since=versions[node.name], version=versions[node.name])
        case 1:
            since, versions[node.name] = versions[node.name], versions[node.name] + 1
            holder = chance.choice([node.name, node.name, None, "n1", "n2", "n3"])
            told = Register(
                epoch=max(0, epoch - chance.choice([0, 1])),
                revision=chance.randrange(3),
                holder=holder,
                promised_epoch=epoch + chance.choice([0, 0, 1]),
                promised_to=chance.choice([None, node.name]),
            )
            return node.renewal({group: told}, since=chance.choice([since, 0]), version=versions[node.name])
        case 2:
            return node.claim(group, epoch, volume=chance.random() < 0.5)
        case _:
            other = chance.choice(["n1", "n2", "n3"])
            return node.claim(group, epoch, consent_of=other if other != node.name else None)


@pytest.mark.parametrize("seed", range(10))
def test_with_a_store_that_answers_at_once_the_verdicts_are_the_acceptors(seed: int) -> None:
    chance = random.Random(seed)
    store, law, now_s = Store(), Acceptor(registers={}, now_s=0.0), 0.0
    nodes = [Node(name, store) for name in ("n1", "n2", "n3")]
    versions = {node.name: 0 for node in nodes}
    for node in nodes:
        node.work_off(0.0)

    for _turn in range(250):
        now_s += chance.choice([0.01, 0.3, 1.0, 2.5])
        node = chance.choice(nodes)
        question = random_question(chance, node, law, versions)
        expected = law.hear(question, now_s)
        found = node.ask(question, now_s)
        for other in nodes:
            other.look(now_s)

        assert found == expected, f"seed {seed}, {question}"
        assert {group: store.register(group) for group in law.registers} == law.registers


@pytest.mark.parametrize("seed", range(10))
def test_nothing_is_taken_from_a_node_whose_acknowledged_renewal_still_counts(seed: int) -> None:
    """Late, lost and repeated operations; each node has a clock of its own and sees only its own answers."""
    chance = random.Random(seed)
    store, now_s = Store(), 0.0
    nodes = [Node(name, store) for name in ("n1", "n2", "n3")]
    offset = {node.name: chance.uniform(0, 1e6) for node in nodes}
    trusted_s = {node.name: float("-inf") for node in nodes}
    sent: dict[int, float] = {}
    late: list[Swap] = []
    takes = 0

    for number in range(1500):
        now_s += chance.choice([0.05, 0.1, 0.3, 0.3, 1.0])
        node = chance.choice(nodes)
        clock_s = now_s + offset[node.name]
        if chance.random() < 0.1:
            # A node that is silent long enough to be taken for gone.
            now_s += 2.0
        register = store.register("shop")
        epoch = max(register.epoch, register.promised_epoch) + 1
        question: Question = node.renewal() if chance.random() < 0.6 else node.claim("shop", epoch)
        sent[number] = now_s
        node.arbiter.ask(number, question)
        operation = node.arbiter.operation(clock_s)
        now_s += chance.choice([0.0, 0.2, 1.0])
        while operation is not None:
            holder = store.register("shop").holder
            if chance.random() < 0.15:
                if isinstance(operation, Swap):
                    late.append(operation)
                node.arbiter.failed("lost")
                break
            copies = [late.pop(chance.randrange(len(late)))] if late and chance.random() < 0.5 else []
            answer = Answer(revision=0, records={}, complete=False)
            for swap in [*copies, operation]:
                answer = store.carry_out(swap)
                now = store.register("shop").holder
                if now != holder and holder is not None:
                    takes += 1
                    assert now_s >= trusted_s[holder], f"seed {seed}: {holder} still trusts its lease"
                holder = now
            now_s += chance.choice([0.0, 0.1])
            node.arbiter.answered(answer, now_s + offset[node.name])
            for outcome in node.arbiter.outcomes():
                if outcome.verdict is not None and outcome.verdict.renewed:
                    trusted_s[node.name] = max(trusted_s[node.name], sent[outcome.number] + LEASE.full_s)
            operation = node.arbiter.operation(now_s + offset[node.name])
        node.arbiter.outcomes()

    assert takes > 20
