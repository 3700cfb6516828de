# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Where each message of a peer goes, once it is known to be the peer's and new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..values.events import Received
from ..values.messages import (
    Answer,
    Ask,
    ConfigAnswer,
    ConfigQuestion,
    Forward,
    Heartbeat,
    Look,
    News,
    Report,
    Seen,
)
from .routing import on_answer, on_ask, on_look

if TYPE_CHECKING:
    from .machine import Machine


def receive(machine: Machine, event: Received) -> None:
    """The message has reached whom it concerns; copies and strangers' are dropped."""
    peer = event.peer
    if not machine.membership.accept(peer, event.path, event.envelope, machine.now_s):
        return
    if peer in machine.vouched:
        machine.vouched.discard(peer)
        machine.leasing.limit()
    message = event.envelope.message
    match message:
        case Heartbeat():
            machine.leasing.stale = True
        case News():
            machine.telling.heard(peer, event.envelope, message)
        case Look():
            g = machine.touch(machine.groups.get(message.group))
            on_look(g, peer, message, machine)
        case Ask():
            g = machine.touch(machine.groups.get(message.group))
            on_ask(g, peer, message, machine)
        case Answer() | Seen():
            g = machine.touch(machine.groups.get(message.group))
            on_answer(g, peer, message)
        case Forward():
            machine.desk.forwarded(peer, message, machine.now_s)
        case Report():
            machine.desk.reported(peer, message)
        case ConfigQuestion() | ConfigAnswer():
            machine.catching_up.heard(peer, message)
