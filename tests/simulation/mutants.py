# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults planted in the core, one at a time, each as small as a slip of the pen: the explorer has to find all of them.

A fault is a piece of a module's text and what stands there instead. Some are planted in the simulation, where the
guard and the clocks are.

Not planted, because other laws cover for them: that a peer need not know that a group is ours (nobody serves before its
News are out, and who hears our heartbeats takes nothing), that an answer to a former run counts (it says that it has
none of our News), that an old run of a peer is believed (what it promised is durable, and what it orders is judged
anew), that another configuration does not matter (names of groups that mean something else are not drawn). Hearsay and
telling before the stop need three epochs: docs/model plants them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """``text``, which occurs once in the module, is replaced by ``fault``."""

    name: str
    module: str
    text: str
    fault: str


def _core(name: str, where: str, text: str, fault: str) -> Mutant:
    return Mutant(name=name, module=f"holdfast.core.{where}", text=text, fault=fault)


def _world(name: str, where: str, text: str, fault: str) -> Mutant:
    return Mutant(name=name, module=f"holdfast_sim.{where}", text=text, fault=fault)


MUTANTS = (
    # -- votes and permits
    _core(
        "the arbiter's vote counts from its answer",
        "cluster.permits",
        "            self.renewed_s = sent_s\n",
        "            self.renewed_s = now_s\n",
    ),
    _core(
        "a peer's vote counts from its answer",
        "cluster.peer",
        "echoed_s = sent_s if sent_s",
        "echoed_s = now_s if sent_s",
    ),
    _core(
        "a voter ignores whom it promised the group",
        "cluster.ownership",
        "(epoch == register.promised_epoch and register.promised_to != candidate)",
        "False",
    ),
    _core(
        "one peer is enough instead of all",
        "cluster.permits",
        "    return min(votes, default=NEVER_S)",
        "    return max(votes, default=NEVER_S)",
    ),
    _core(
        "the arbiter need not know that the group is ours",
        "cluster.permits",
        "knows = own.version >= backing.version > 0 and not backing.lost",
        "knows = True",
    ),
    _core(
        "a silent holder is replaced without the arbiter",
        "moves.election",
        "    if source is None:\n        return NO_ARBITER\n",
        "    if source is None:\n        return ''\n",
    ),
    _core(
        "the own promise is ignored",
        "moves.election",
        "if reason := objection(g.register, epoch=epoch, candidate=node, consent_of=source, lapsed=g.lapsed):",
        "if reason := '':",
    ),
    _core(
        "a voter ignores who holds the group",
        "cluster.acceptor",
        "holder not in (candidate, consent_of) and not lapsed(holder)",
        "False",
    ),
    _core(
        "a voter that restarts forgets its leases",
        "cluster.acceptor",
        "self._knowing_s = now_s + TAKE_MAX_S",
        "self._knowing_s = now_s",
    ),
    _world(
        "the witness forgets its registers at a restart",
        "arbiter",
        "Acceptor(registers=self.registers,",
        "Acceptor(registers={},",
    ),
    _core(
        "a promise to be asked for is a gift",
        "cluster.acceptor",
        "        if claim.consent_of is not None:\n",
        "        if False:\n",
    ),
    _core(
        "no margin between owning and taking",
        "values.profiles",
        "        own_s=1.2,\n",
        "        own_s=2.1,\n",
    ),
    _core(
        "a disk is waited for no longer than an address",
        "cluster.acceptor",
        "(known.full_until_s if volume else known.light_until_s)",
        "known.light_until_s",
    ),
    _core(
        "let go before the stop is confirmed",
        "moves.local",
        '        g.become("failed", f"the permit ran out, and {run.failure.text}")\n        return\n',
        '        g.become("failed", f"the permit ran out, and {run.failure.text}")\n',
    ),
    _core(
        "the end of a permit is not noticed", "node.leasing", "if NEVER_S < g.backing.until_s <= now_s:", "if False:"
    ),
    _world(
        "no guard",
        "guard",
        "        for tag in sorted(self.lapsed_s.keys() & self.computer.on):\n",
        "        for tag in ():\n",
    ),
    _world(
        "clocks run beyond the bound",
        "schedules",
        "CLOCKS = (0.99, 0.99, 1.0, 1.01, 1.01)",
        "CLOCKS = (0.8, 0.8, 1.0, 1.2, 1.2)",
    ),
    # -- messages
    _core(
        "the answer to a look passes for a grant",
        "moves.story",
        "if isinstance(question, Ask) != isinstance(message, Answer):",
        "if False:",
    ),
    # -- registers
    _core("nothing waits for the disk", "moves.group", "self.world.persist()", "pass"),
    _core(
        "a lower epoch is adopted",
        "cluster.ownership",
        "return (theirs.epoch, theirs.revision) > (mine.epoch, mine.revision)",
        "return (theirs.epoch, theirs.revision) != (mine.epoch, mine.revision)",
    ),
    # -- stopping and granting
    _core("a grant though the stop failed", "moves.handover", "if run.failure is None:", "if True:"),
    _core(
        "a stop that never answered counts as done",
        "moves.sequence",
        'self._fail(step, f"no answer',
        '(lambda *_, **__: None)(step, f"no answer',
    ),
    _core("the group goes back before it is stopped", "moves.takeover", "if undo.failure is not None:", "if False:"),
    _core("a finished stop is not waited for", "moves.sequence", "if self._open or self.failure", "if self.failure"),
    # -- taking over
    _core(
        "one grant of several is enough",
        "moves.story",
        "return not self._open()\n",
        "return bool(self.answers or self.lost)\n",
    ),
    _core(
        "a site starts before its volume",
        "moves.sequence",
        '[("start", r) for r in resources if isinstance(r, Volume)],',
        "",
    ),
    _core(
        "volumes go first",
        "moves.sequence",
        '[("stop", r) for r in draining],',
        '[("stop", r) for r in resources if isinstance(r, Volume)],',
    ),
    # -- what operators vouch for
    _core("a rebooted holder need not be heard", "moves.reboot", "if known.hears != world.incarnation:", "if False:"),
    _core(
        "an operator's word has no rank",
        "cluster.ownership",
        "return (next_epoch(registers) // VOUCHED + 1) * VOUCHED + rank * VOUCHED_BY",
        "return next_epoch(registers)",
    ),
    _core("two operators' words have one rank", "cluster.ownership", "* VOUCHED + rank * VOUCHED_BY", "* VOUCHED"),
    # -- commands and configurations
    _core(
        "a promise is forgotten when groups are joined",
        "cluster.ownership",
        "alike = len({r for r in known if r.promised_epoch > 0}) <= 1",
        "alike = True",
    ),
    _core("a node takes out what it does not hold", "moves.out_of_service", "if holder != g.world.node:", "if False:"),
    _core(
        "a torn group is started",
        "moves.local",
        "    if g.conflict:\n        g.refuse",
        "    if False:\n        g.refuse",
    ),
    _core("registers are not written", "node.keeping", "registers=dict(self._registers)", "registers={}"),
    _core("a rebooted holder serves at once", "node.machine", "recorded_boot_id != boot_id", "False"),
    _core("a rebooted holder hands over", "node.routing", "    elif g.suspended:\n", "    elif False:\n"),
    _core(
        "what is out of service is forgotten when the group moves",
        "cluster.ownership",
        "return Register(epoch=epoch, revision=revision, holder=node, promised_epoch=epoch, out=out)",
        "return Register(epoch=epoch, revision=revision, holder=node, promised_epoch=epoch)",
    ),
    _core("a node that does not answer has granted", "moves.election", "    if questions.lost:\n", "    if False:\n"),
    _core(
        "a node said to be off comes back unnoticed",
        "moves.election",
        "if back := [peer for peer in vouched if back_again(g, peer, order)]:",
        "if back := []:",
    ),
    # -- further slips
    _core(
        "ping instead of a vote",
        "moves.election",
        "            if claiming.verdict.granted:\n",
        "            if True:\n",
    ),
    _core(
        "a refusal passes for a grant",
        "moves.election",
        "refusals = [answer.reason for answer in answers.values() if not answer.granted]",
        "refusals = []",
    ),
    _core(
        "an epoch is used before it is durable",
        "moves.election",
        "        g.commit(take(epoch=epoch, node=node, out=out - set(order.tags)))\n",
        "        g.write(take(epoch=epoch, node=node, out=out - set(order.tags)))\n",
    ),
    _world(
        "the witness answers before its vote is durable",
        "arbiter",
        "        if self._writing:\n            self._writing[-1][1].append(reply)\n",
        "        if False:\n            self._writing[-1][1].append(reply)\n",
    ),
    _core(
        "a node that restarts forgets its leases",
        "cluster.membership",
        "light_until_s=now_s + TAKE_MAX_S,\n                full_until_s=now_s + TAKE_MAX_S,",
        "light_until_s=now_s,\n                full_until_s=now_s,",
    ),
    _core(
        "one epoch is granted twice",
        "cluster.acceptor",
        "    if reason := refusal(register, epoch=epoch, candidate=candidate):\n",
        '    if reason := "":\n',
    ),
    _world(
        "what cannot be switched off stays on",
        "guard",
        "            self.world.power_off(self.computer.name)\n",
        "            pass\n",
    ),
    _core(
        "the holder before a claim is forgotten",
        "cluster.ownership",
        "former = register.holder or register.former",
        "former = None",
    ),
)
