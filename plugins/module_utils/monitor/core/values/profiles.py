# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Timers. Everything is derived from the profile; nothing is adjusted in silence.

Source of the numbers: measured and simulated for take/own/fence (docs/decisions/0007-timers.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .events import Operation, Resource
from .model import Ip, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """All in seconds.

    ``heartbeat_s`` between heartbeats on a path; ``suspect_s`` of silence on all paths makes a node suspect, and
    on one path takes that path down; ``dead_s`` of silence makes it dead for what people are shown;
    ``resend_s`` between repetitions of an unanswered question; ``observe_s`` between looks at our own resources.
    """

    heartbeat_s: float
    suspect_s: float
    dead_s: float
    resend_s: float
    observe_s: float


TIMERS: Mapping[Profile, Timers] = {
    "fast": Timers(heartbeat_s=0.25, suspect_s=0.8, dead_s=2.5, resend_s=0.25, observe_s=5.0),
    "normal": Timers(heartbeat_s=0.25, suspect_s=1.0, dead_s=4.0, resend_s=0.25, observe_s=5.0),
    "vm": Timers(heartbeat_s=0.5, suspect_s=2.0, dead_s=8.0, resend_s=0.5, observe_s=5.0),
}

STEP_TIMEOUT_S: Mapping[Operation, float] = {
    "observe": 10.0,
    "inspect": 15.0,
    "prepare": 30.0,
    "start": 30.0,
    "stop": 30.0,
    "verify": 15.0,
}
"""How long the core waits for a step; the drain time is added for stop. IIS itself gives a worker process 90 s
to shut down (applicationPools/processModel shutdownTimeLimit), which a site stop does not wait for."""

ADDRESS_TIMEOUT_S = 10.0
"""How long the core waits for any step on an address: it is one call to the system, and a look for its neighbours."""


def step_timeout_s(operation: Operation, resource: Resource) -> float:
    """Seconds after which a step is given up, without its drain time."""
    return ADDRESS_TIMEOUT_S if isinstance(resource, Ip) else STEP_TIMEOUT_S[operation]
