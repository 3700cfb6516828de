# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A node that missed a change of the configuration takes it over from one that has it.

Rule: only a configuration that descends from ours replaces ours, and only one that has us; nothing is merged. What was
changed on both sides is a conflict, which is shown, and settled by whoever describes the cluster anew. The change is
put off while something it concerns runs here: the rules are those of describing (``description.alterations``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import StateError
from ..cluster.peer import NEVER_S
from ..description.alterations import check_alterations
from ..description.settings import read_config
from ..values.events import Adopt, Note
from ..values.graph import groups_of
from ..values.lineage import Lineage, relation
from ..values.messages import ConfigAnswer, ConfigQuestion
from ..values.model import Config, as_data

if TYPE_CHECKING:
    from .machine import Machine

SETTLE_S = 5.0
"""A playbook describes a change to all nodes within seconds: only a node that was left out has to catch up."""
ASK_S = 2.0
SETTLE_IT = "describe the cluster to all nodes again (playbook site.yml); nothing is merged by itself"


@dataclass(slots=True, kw_only=True)
class Other:
    """A peer with another configuration: since when, when it is asked next, and what it said."""

    digest: str
    since_s: float
    due_s: float
    lineage: Lineage | None = None
    config: Config | None = None
    trouble: str = ""
    told: str = ""


class CatchingUp:
    """``lineage`` is that of the configuration in force."""

    def __init__(self, machine: Machine) -> None:
        self.lineage: Lineage | None = None
        self._machine = machine
        self._others: dict[str, Other] = {}
        self._again_s = NEVER_S

    def configured(self, config: Config, lineage: Lineage | None) -> None:
        """This is the configuration in force now; without a lineage it was made out of the one before."""
        if lineage is not None and lineage.digest == config.digest:
            self.lineage = lineage
        elif self.lineage is None:
            self.lineage = Lineage(digest=config.digest)
        else:
            self.lineage = self.lineage.followed_by(config.digest)
        self._others = {}

    def tick(self) -> None:
        """Peers with another configuration are asked for it, and the newest that may be taken over is."""
        machine, differing = self._machine, self._differing()
        if not differing and not self._others:
            return
        self._others = {peer.name: self._other(peer.name, peer.config_digest) for peer in differing}
        for name, other in self._others.items():
            if machine.now_s >= other.due_s and self.lineage is not None:
                other.due_s = machine.now_s + ASK_S
                machine.send(name, ConfigQuestion(lineage=self.lineage))
        self._take_over()

    def deadline_s(self) -> float | None:
        """When a peer is asked next."""
        return min(other.due_s for other in self._others.values()) if self._others else None

    def heard(self, peer: str, message: ConfigQuestion | ConfigAnswer) -> None:
        """The peer compares its configuration with ours."""
        if isinstance(message, ConfigQuestion):
            self._asked(peer, message)
        else:
            self._answered(peer, message)

    def rows(self) -> dict[str, dict[str, Any]]:
        """By peer, how its configuration stands to ours, and what is to be done."""
        return {name: self._row(name, other) for name, other in self._others.items()}

    @property
    def version(self) -> int:
        """How often the configuration was changed; 0 before there is one."""
        return self.lineage.version if self.lineage is not None else 0

    @property
    def conflict(self) -> bool:
        """Whether people have to decide which configuration counts."""
        return any(row["state"] == "conflict" for row in self.rows().values())

    # -- questions and answers --------------------------------------------------------------------------

    def _asked(self, peer: str, question: ConfigQuestion) -> None:
        """The peer is told ours, and given it when it descends from its own."""
        machine = self._machine
        if self.lineage is None or machine.config is None:
            return
        older = relation(question.lineage, self.lineage) == "older"
        config = as_data(machine.config) if older else None
        machine.send(peer, ConfigAnswer(lineage=self.lineage, config=config))

    def _answered(self, peer: str, answer: ConfigAnswer) -> None:
        """The peer has told which configuration it has."""
        other = self._others.get(peer)
        if other is None or answer.lineage.digest != other.digest:
            return
        other.lineage, other.config, other.trouble = answer.lineage, None, ""
        if answer.config is not None:
            try:
                other.config = read_config(answer.config)
            except StateError as error:
                other.trouble = f"what {peer} sent is no configuration for this version ({error})"
                return
            other.trouble = self._unfit(peer, other.config, answer.lineage)

    # -- how others stand to us -------------------------------------------------------------------------

    def _differing(self) -> list[Any]:
        machine = self._machine
        if self.lineage is None:
            return []
        same = ("", self.lineage.digest)
        others = [peer for peer in machine.membership.peers.values() if peer.config_digest not in same]
        return [peer for peer in others if machine.membership.alive(peer.name, machine.now_s)]

    def _other(self, name: str, digest: str) -> Other:
        known = self._others.get(name)
        if known is not None and known.digest == digest:
            return known
        now_s = self._machine.now_s
        return Other(digest=digest, since_s=now_s, due_s=now_s + SETTLE_S)

    def _unfit(self, peer: str, config: Config, lineage: Lineage) -> str:
        machine = self._machine
        if config.digest != lineage.digest:
            return f"the configuration that {peer} sent is not {lineage.digest}"
        if machine.node not in config.cluster.nodes:
            return f"{machine.node} is no node of the cluster any more, says {peer}: stop service Holdfast here"
        return ""

    def _row(self, name: str, other: Other) -> dict[str, Any]:
        if self.lineage is None or other.lineage is None:
            return {"state": "unknown", "version": None, "text": ""}
        node, how = self._machine.node, relation(self.lineage, other.lineage)
        mine, theirs = self.lineage.version, other.lineage.version
        text = other.trouble
        if how == "conflict":
            text = f"the configurations of {node} (version {mine}) and {name} (version {theirs}) were both changed: "
            text += SETTLE_IT
        elif how == "older" and not text:
            waits = "; ".join(self._against(other)) if other.config is not None else ""
            text = f"{name} has a newer configuration (version {theirs}), which {node} takes over"
            text += f" later: {waits}" if waits else ""
        elif how == "newer":
            text = f"{name} has an older configuration (version {theirs}; here {mine}), and catches up by itself"
        return {"state": how, "version": theirs, "text": text}

    # -- taking over ------------------------------------------------------------------------------------

    def _take_over(self) -> None:
        machine = self._machine
        ready = [o for o in self._others.values() if o.config is not None and o.lineage is not None and not o.trouble]
        newest = max(ready, key=lambda o: o.lineage.version if o.lineage else 0, default=None)
        for name, other in self._others.items():
            self._note(name, other)
        if newest is None or newest.config is None or newest.lineage is None or machine.now_s < self._again_s:
            return
        if not self._against(newest):
            self._again_s = machine.now_s + SETTLE_S
            machine.emit(Adopt(config=newest.config, lineage=newest.lineage, over=machine.digest))

    def _against(self, other: Other) -> list[str]:
        """What stands against taking the configuration over now."""
        machine, after = self._machine, other.config
        if after is None or machine.config is None:
            return []
        here = {tag: machine.node for g in machine.groups.values() if g.maybe_on for tag in g.group.tags}
        problems = [problem.message for problem in check_alterations(machine.config, after, here)]
        old, new = groups_of(machine.config), groups_of(after)
        moving = [name for name in machine.busy() if old.get(name) != new.get(name)]
        return problems + [f"{name} is on the move" for name in moving]

    def _note(self, name: str, other: Other) -> None:
        """Each thing to know about the peer's configuration is noted once."""
        row = self._row(name, other)
        if row["text"] and row["text"] != other.told:
            other.told = row["text"]
            fields = {"node": name, "relation": row["state"], "version": row["version"]}
            self._machine.emit(Note(kind="configuration", group="", text=row["text"], fields=fields))
