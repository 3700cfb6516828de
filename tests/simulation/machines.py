# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machines of the simulation: what really runs on each, apart from what any monitor believes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from holdfast.core.values.events import Resource, Step, StepDone
from holdfast.core.values.facts import Facts, IpFacts, State, VolumeFacts, WebFacts
from holdfast.core.values.messages import Register
from holdfast.core.values.model import Binding, Hierarchy, Ip, Site, Volume
from holdfast_sim.clocks import Clock

SICKNESSES = ("fail", "fail_late", "hang")
"""How an operation may go wrong: without any effect; with its effect, but an error all the same; far too late."""


@dataclass(slots=True)
class Computer:
    """One server: which resources are on, and the disk that outlives its monitor.

    ``sick`` maps (operation, tag) to one of SICKNESSES. ``off`` from the loss of power until it is started again.
    ``disk_s`` is how long a write may take. ``paused``: everything on it stands still, as when a virtual machine is
    stunned; ``thawed_s`` is when that ended last, and ``deferred`` what was due meanwhile.
    ``tampered``: somebody else than the monitor switched something on or off, by hand or as its guard. ``lan`` are
    addresses through whose card no client is reached: it is "silent" or "unplugged".
    """

    name: str
    boots: int = 1
    off: bool = False
    paused: bool = False
    shutting_down: bool = False
    tampered: bool = False
    thawed_s: float = -1e9
    on: set[str] = field(default_factory=set)
    registers: dict[str, Register] = field(default_factory=dict)
    recorded_boot_id: str | None = None
    agreed: str = ""
    vouched: frozenset[str] = frozenset()
    sick: dict[tuple[str, str], str] = field(default_factory=dict)
    lan: dict[str, str] = field(default_factory=dict)
    disk_s: float = 0.005
    clock: Clock = field(default_factory=Clock)
    deferred: list[Callable[[], None]] = field(default_factory=list)

    @property
    def boot_id(self) -> str:
        """Changes with every reboot."""
        return f"{self.name}-boot{self.boots}"

    def power_off(self) -> None:
        """Everything is off; the disk is as it was. Whatever runs next is another boot."""
        self.boots += 1
        self.off = True
        self.paused = self.shutting_down = False
        self.deferred.clear()
        self.on.clear()

    def wipe(self) -> None:
        """The disk is another one, with nothing on it."""
        self.registers, self.agreed, self.vouched, self.recorded_boot_id = {}, "", frozenset(), None

    def heal(self) -> None:
        """Every operation works again."""
        self.sick.clear()
        self.lan.clear()
        self.disk_s = 0.005

    def execute(self, step: Step) -> StepDone:
        """The step's effect took place, and this is its outcome."""
        tag = step.resource.tag
        sick = self.sick.get((step.operation, tag)) if self.sick else None
        if sick == "fail":
            return StepDone(id=step.id, error=f"{step.operation} does not work")
        self.change(step)
        if sick == "fail_late":
            return StepDone(id=step.id, error=f"{step.operation} broke off")
        if step.operation in ("verify", "check") and tag not in self.on:
            return StepDone(id=step.id, error=f"{tag} does not answer")
        lan = self.lan.get(tag, "") if self.lan else ""
        if step.operation == "check" and lan:
            return StepDone(id=step.id, error=f"the network of {self.name} is {lan}", network=True)
        state: State = ("partial" if lan == "unplugged" else "up") if tag in self.on else "down"
        facts = _facts(step.resource, state, lan) if step.operation == "inspect" else None
        return StepDone(id=step.id, state=state if step.operation == "observe" else None, facts=facts)

    def change(self, step: Step) -> None:
        """What the step does to the machine was done."""
        if step.operation == "start" or (step.operation == "prepare" and isinstance(step.resource, Hierarchy)):
            self.on.add(step.resource.tag)
        elif step.operation in ("stop", "fence"):
            self.on.discard(step.resource.tag)


def _facts(resource: Resource, state: State, lan: str) -> Facts:
    match resource:
        case Ip():
            silent = "nobody answers" if lan == "silent" else ""
            return IpFacts(state=state, interface_up=lan != "unplugged", answered_by=None, silent=silent)
        case Volume():
            return VolumeFacts(state=state, visible=True, online=state == "up", holder=None, letter_used_by=None)
        case Hierarchy():
            binding = Binding(protocol="http", ip="10.0.0.1", port=80)
            site = Site(name=resource.site, kind="web", content="C:\\www", app_pool="x", bindings=(binding,))
            return WebFacts(
                state=state,
                site=site,
                autostart=False,
                services={"W3SVC": "running"},
                certificates={},
                content_present=True,
            )
