# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Timers. Everything is derived from the profile; nothing is adjusted in silence.

Source of the numbers: measured and simulated for take/own/fence (docs/decisions/0007-timers.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .events import Operation, Resource
from .lease import Lease
from .model import Ip, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Timers:
    """All in seconds.

    ``heartbeat_s`` between heartbeats on a path; ``suspect_s`` of silence on all paths makes a node suspect, and
    on one path takes that path down; ``dead_s`` of silence makes it dead for what people are shown;
    ``resend_s`` between repetitions of an unanswered question; ``observe_s`` between looks at our own resources.
    ``renew_s`` between renewals of the lease; ``own_s`` is how long a renewal is trusted, from when it was sent;
    ``fence_s`` is the bound for being off when it runs out, ``take_s`` after how long without renewals a vote may be
    given to another; the light ones are for groups without a volume.
    """

    heartbeat_s: float
    suspect_s: float
    dead_s: float
    resend_s: float
    observe_s: float
    renew_s: float
    own_s: float
    fence_light_s: float
    fence_s: float
    take_light_s: float
    take_s: float

    @property
    def lease(self) -> Lease:
        """What is asked of voters."""
        return Lease(light_s=self.take_light_s, full_s=self.take_s)


TIMERS: Mapping[Profile, Timers] = {
    "fast": Timers(
        heartbeat_s=0.2,
        suspect_s=0.8,
        dead_s=2.2,
        resend_s=0.25,
        observe_s=5.0,
        renew_s=0.25,
        own_s=1.2,
        fence_light_s=0.3,
        fence_s=0.7,
        take_light_s=1.7,
        take_s=2.1,
    ),
    "normal": Timers(
        heartbeat_s=0.25,
        suspect_s=1.0,
        dead_s=4.0,
        resend_s=0.25,
        observe_s=5.0,
        renew_s=0.4,
        own_s=2.2,
        fence_light_s=0.4,
        fence_s=1.1,
        take_light_s=2.9,
        take_s=3.6,
    ),
    "vm": Timers(
        heartbeat_s=0.5,
        suspect_s=2.0,
        dead_s=8.0,
        resend_s=0.5,
        observe_s=5.0,
        renew_s=0.5,
        own_s=6.0,
        fence_light_s=0.6,
        fence_s=1.5,
        take_light_s=7.0,
        take_s=7.9,
    ),
}

RATE_ERROR = 0.01
"""By how much the clock of one machine may run too fast or too slow; NTP slews by 0.05 % at most (RFC 5905)."""
GUARD_S = 0.1
"""Within which the guard notices that a permit has run out."""
TAKE_MAX_S = max(timers.take_s for timers in TIMERS.values())
"""A voter that has just started does not know what it promised before; it waits for the longest that there is."""


def unsafe(timers: Timers) -> str:
    """Why an owner could still serve when its votes are given to another; empty when it cannot.

    The owner counts from when it asked, the voter from when it answered, each by its own clock.
    """
    for fence_s, take_s in ((timers.fence_light_s, timers.take_light_s), (timers.fence_s, timers.take_s)):
        off_s = timers.own_s * (1 + RATE_ERROR) + GUARD_S + fence_s
        if off_s > take_s * (1 - RATE_ERROR):
            return (
                f"own {timers.own_s:g} s, guard {GUARD_S:g} s and fence {fence_s:g} s take up to {off_s:.2f} s, "
                f"and the vote may be given to another after {take_s * (1 - RATE_ERROR):.2f} s"
            )
    return ""


STEP_TIMEOUT_S: Mapping[Operation, float] = {
    "observe": 10.0,
    "inspect": 15.0,
    "prepare": 30.0,
    "start": 30.0,
    "stop": 30.0,
    "fence": 30.0,
    "verify": 15.0,
    "check": 15.0,
}
"""How long the core waits for a step; the drain time is added for stop. IIS itself gives a worker process 90 s
to shut down (applicationPools/processModel shutdownTimeLimit), which a site stop does not wait for."""

ADDRESS_TIMEOUT_S = 10.0
"""How long the core waits for any step on an address: it is one call to the system, and a look for its neighbours."""


def step_timeout_s(operation: Operation, resource: Resource) -> float:
    """Seconds after which a step is given up, without its drain time."""
    return ADDRESS_TIMEOUT_S if isinstance(resource, Ip) else STEP_TIMEOUT_S[operation]
