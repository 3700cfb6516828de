# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""How long a comm path waits for what. All in seconds; none is left to the operating system's keepalive."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.values.model import Profile
from ..core.values.profiles import TIMERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The deadlines of comm paths.

    ``silence_s`` without a byte ends a connection, so that one that leads nowhere is replaced by a new one;
    the core has called the path down before that. ``connect_s`` bounds the TCP connection (a lost SYN is
    repeated after 1 s at the earliest, RFC 6298 section 2.1: to ask anew is as quick). ``greet_s`` bounds
    TLS and the greetings. ``redial_s`` and ``redial_s_max`` bound the pause between two attempts.
    ``rebind_s`` is the pause between attempts to listen, ``relisten_s`` the time without any caller after
    which a listener is made anew. ``identity_s`` is how long a new connection waits for the certificate
    files before it goes on with those it knows.
    """

    silence_s: float
    connect_s: float = 1.0
    greet_s: float = 2.0
    redial_s: float = 0.1
    redial_s_max: float = 1.0
    rebind_s: float = 0.5
    relisten_s: float = 10.0
    identity_s: float = 0.5


def timing(profile: Profile) -> Timing:
    """The deadlines under a profile: a connection has twice the silence that takes its path down."""
    return Timing(silence_s=2 * TIMERS[profile].suspect_s)
