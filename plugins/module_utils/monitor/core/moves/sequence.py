# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""In which order the resources of a group start and stop, and the run of such an order.

Stop: addresses, then sites, then volumes: as long as the address is there, a request that the stopped site no longer
takes would be answered by any site that listens on all addresses. A site that is to drain keeps its address while its
requests end. Start: volumes, sites, then addresses, so that the first client that reaches the address finds the site
listening; a site counts as in service only when its address is up too. IIS takes
bindings of addresses that are away, because HTTP.sys registers URL prefixes, not sockets (unconfirmed; the self-test
looks). A site without a volume can even be started while its group is elsewhere: that is ``prepare``.
Source: guide chapter 5, "Recovery Operations": address in service, volume unlocked, site started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..values.events import Do, Operation, Resource, Step, StepDone
from ..values.facts import Facts, State
from ..values.graph import Group
from ..values.messages import PhaseTime
from ..values.model import Hierarchy, Ip, Volume
from ..values.profiles import step_timeout_s

Stage = tuple[tuple[Operation, Resource], ...]
"""Steps that may run at once."""


def every(group: Group, operation: Operation) -> tuple[Stage, ...]:
    """One stage: the operation on every resource of the group."""
    return (tuple((operation, resource) for resource in group.resources),)


def start_stages(resources: Sequence[Resource], *, prepared: frozenset[str] = frozenset()) -> tuple[Stage, ...]:
    """The stages that bring the resources up, verification through the address last.

    Sites that are ``prepared`` listen already; that they do is looked at while the addresses come up.
    """
    listening = [r for r in resources if isinstance(r, Hierarchy) and r.tag in prepared]
    return _stages(
        [("start", r) for r in resources if isinstance(r, Volume)],
        [("start", r) for r in resources if isinstance(r, Hierarchy) and r not in listening],
        [("start", r) for r in resources if isinstance(r, Ip) or r in listening],
        [("verify", r) for r in resources if not isinstance(r, Volume)],
    )


def stop_stages(resources: Sequence[Resource]) -> tuple[Stage, ...]:
    """The stages that take the resources down: first whatever drains, then addresses, sites, volumes."""
    draining = [r for r in resources if isinstance(r, Hierarchy) and r.drain_s > 0]
    return _stages(
        [("stop", r) for r in draining],
        [("stop", r) for r in resources if isinstance(r, Ip)],
        [("stop", r) for r in resources if isinstance(r, Hierarchy) and r not in draining],
        [("stop", r) for r in resources if isinstance(r, Volume)],
    )


def fence_stages(resources: Sequence[Resource]) -> tuple[Stage, ...]:
    """The stages that take the resources off hard and fast: what others may have first, work in flight or not."""
    return _stages(
        [("fence", r) for r in resources if isinstance(r, Ip)],
        [("fence", r) for r in resources if isinstance(r, Volume)],
        [("fence", r) for r in resources if isinstance(r, Hierarchy)],
    )


def prepare_stages(resources: Sequence[Resource]) -> tuple[Stage, ...]:
    """What can be done on the target while the group still runs elsewhere."""
    volumes = {r.tag for r in resources if isinstance(r, Volume)}
    free = [r for r in resources if isinstance(r, Hierarchy) and not volumes & set(r.depends_on)]
    return _stages([("prepare", r) for r in free])


def prepared_by(stages: Sequence[Stage]) -> frozenset[str]:
    """The tags of what these stages prepare."""
    return frozenset(resource.tag for stage in stages for operation, resource in stage if operation == "prepare")


def _stages(*stages: list[tuple[Operation, Resource]]) -> tuple[Stage, ...]:
    return tuple(tuple(stage) for stage in stages if stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The step that ended a run. Not ``confirmed``: it never answered, so nothing is known of its resource.

    ``network``: no card of this node reaches the clients.
    """

    operation: Operation
    tag: str
    error: str
    confirmed: bool
    network: bool = False

    @property
    def text(self) -> str:
        """What failed, for people."""
        return f"{self.operation} of {self.tag} failed: {self.error}"


class Run:
    """Executes stages one after another; the steps of a stage at once. A failed stage is finished, then all ends."""

    def __init__(self, *, group: str, node: str, stages: Sequence[Stage], ids: Iterator[int], now_s: float) -> None:
        self.failure: Failure | None = None
        self.phases: list[PhaseTime] = []
        self.states: dict[str, State] = {}
        self.facts: dict[str, Facts] = {}
        self.began_s = now_s
        self._group = group
        self._node = node
        self._left = list(stages)
        self._ids = ids
        self._open: dict[int, tuple[Step, float]] = {}

    @property
    def waits(self) -> bool:
        """Whether a step is running."""
        return bool(self._open)

    @property
    def finished(self) -> bool:
        """Nothing is running and nothing will be."""
        return not self._open and (self.failure is not None or not self._left)

    def advance(self, now_s: float) -> list[Do]:
        """The steps to begin now; none while a stage is running or when the run is over."""
        if self._open or self.failure is not None or not self._left:
            return []
        stage = self._left.pop(0)
        steps = [self._step(operation, resource) for operation, resource in stage]
        self._open = {step.id: (step, now_s) for step in steps}
        return [Do(step=step) for step in steps]

    def done(self, event: StepDone, now_s: float) -> bool:
        """Takes a step's outcome; false when the step is not ours (or was given up as late)."""
        if event.id not in self._open:
            return False
        step, began_s = self._open.pop(event.id)
        if event.state is not None:
            self.states[step.resource.tag] = event.state
        if event.facts is not None:
            self.facts[step.resource.tag] = event.facts
        if event.error:
            self._fail(step, event.error, confirmed=True, network=event.network)
        self.phases.append(
            PhaseTime(
                name=step.operation,
                node=self._node,
                resource=step.resource.tag,
                start_s=round(began_s - self.began_s, 6),
                seconds=round(now_s - began_s, 6),
            )
        )
        return True

    def deadline_s(self) -> float | None:
        """When the next running step is late."""
        return min((began_s + step.timeout_s for step, began_s in self._open.values()), default=None)

    def expire(self, now_s: float) -> None:
        """Steps that are late by now are given up, unconfirmed."""
        for id_, (step, began_s) in list(self._open.items()):
            if now_s >= began_s + step.timeout_s:
                del self._open[id_]
                self._fail(step, f"no answer within {step.timeout_s:g} s", confirmed=False)

    def _step(self, operation: Operation, resource: Resource) -> Step:
        drain_s = resource.drain_s if operation == "stop" and isinstance(resource, Hierarchy) else 0.0
        return Step(
            id=next(self._ids),
            group=self._group,
            operation=operation,
            resource=resource,
            timeout_s=step_timeout_s(operation, resource) + drain_s,
            drain_s=drain_s,
        )

    def _fail(self, step: Step, error: str, *, confirmed: bool, network: bool = False) -> None:
        if self.failure is None or not confirmed:
            tag = step.resource.tag
            self.failure = Failure(operation=step.operation, tag=tag, error=error, confirmed=confirmed, network=network)


def outage_s(stopped: Sequence[PhaseTime], started: Sequence[PhaseTime]) -> float:
    """Seconds without service as the two nodes know them: from the first stop to the last start.

    What lies on the wire between them is not in it; the lab's clients measure that.
    """
    down = sum_span(phase for phase in stopped if phase.name == "stop")
    up = sum_span(phase for phase in started if phase.name == "start")
    return round(down + up, 6)


def one_after_another(stopped: Sequence[PhaseTime], started: Sequence[PhaseTime]) -> list[PhaseTime]:
    """Both nodes' phases on one time line that begins with the first stop; the way between them counts as nothing."""
    offset_s = max((phase.start_s + phase.seconds for phase in stopped), default=0.0)
    return [*stopped, *(replace(phase, start_s=round(phase.start_s + offset_s, 6)) for phase in started)]


def sum_span(phases: Iterator[PhaseTime]) -> float:
    """Seconds from the start of the first phase to the end of the last; 0 without phases."""
    spans = [(phase.start_s, phase.start_s + phase.seconds) for phase in phases]
    return max(end for _unused, end in spans) - min(start for start, _unused in spans) if spans else 0.0


def expected(stages: Sequence[Stage], node: str, durations: Mapping[str, float]) -> list[dict[str, str | float | None]]:
    """The stages as rows of a plan, with the seconds each took last time (None: never done here)."""
    return [
        {
            "name": operation,
            "node": node,
            "resource": resource.tag,
            "expected_s": durations.get(f"{operation} {resource.tag}"),
        }
        for stage in stages
        for operation, resource in stage
    ]


def phase_rows(phases: Sequence[PhaseTime]) -> list[dict[str, Any]]:
    """Phases as plain data for people and playbooks."""
    return [
        {"name": p.name, "node": p.node, "resource": p.resource, "start_s": p.start_s, "seconds": p.seconds}
        for p in phases
    ]


def failure_text(failure: Failure | None) -> str:
    """The failure's text; empty without one."""
    return failure.text if failure else ""
