# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bad cable, with socket pairs in the place of interfaces."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from holdfast_lab.world.wire import Direction, Wire

FRAMES = [b"one", b"two", b"three"]


class Ends:
    """What a machine sends into the cable, and what the switch gets out of it."""

    def __init__(self) -> None:
        self.machine, self.inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.outer, self.switch = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        for one in (self.inner, self.switch):
            one.setblocking(False)

    def direction(self, *, cut: bool = False, loss: float = 0.0, delay_s: float = 0.0) -> Direction:
        return Direction(source=self.inner, target=self.outer, cut=cut, loss=loss, delay_s=delay_s, jitter_s=0.0)

    def arrived(self) -> list[bytes]:
        found = []
        while True:
            try:
                found.append(self.switch.recv(100))
            except BlockingIOError:
                return found


@pytest.fixture
def ends() -> Iterator[Ends]:
    made = Ends()
    yield made
    for one in (made.machine, made.inner, made.outer, made.switch):
        one.close()


def push(ends: Ends, direction: Direction, *, now_s: float = 0.0) -> Wire:
    wire = Wire(directions=[direction], chance=random.Random(7))
    for frame in FRAMES:
        ends.machine.send(frame)
    wire.take_in(direction, now_s)
    return wire


def test_a_good_cable_passes_every_frame_at_once_and_in_order(ends: Ends) -> None:
    wire = push(ends, ends.direction())
    assert ends.arrived() == FRAMES
    assert wire.wait_s(0.0) is None


def test_a_slow_cable_passes_frames_when_they_are_due(ends: Ends) -> None:
    wire = push(ends, ends.direction(delay_s=0.5), now_s=10.0)
    wire.give_out(10.4)
    assert ends.arrived() == []
    assert wire.wait_s(10.4) == pytest.approx(0.1)
    wire.give_out(10.5)
    assert ends.arrived() == FRAMES


def test_a_cut_direction_passes_nothing(ends: Ends) -> None:
    wire = push(ends, ends.direction(cut=True))
    wire.give_out(1e9)
    assert ends.arrived() == []


def test_a_lossy_cable_loses_about_its_share(ends: Ends) -> None:
    direction = ends.direction(loss=0.3)
    wire = Wire(directions=[direction], chance=random.Random(7))
    count = 0
    for _unused in range(400):
        ends.machine.send(b"frame")
        wire.take_in(direction, 0.0)
        count += len(ends.arrived())
    assert 240 <= count <= 320


def test_a_cut_for_one_peer_lets_the_frames_of_all_others_through(ends: Ends) -> None:
    peer, other, header = b"\x02HF\x01\x00\x0c", b"\x02HF\x01\x00\x15", bytes(10)
    frames = [header + to + sender + b"payload" for to, sender in ((peer, other), (other, peer), (other, other))]
    direction = replace(ends.direction(cut=True), only=peer)
    for frame in frames:
        ends.machine.send(frame)
    Wire(directions=[direction], chance=random.Random(7)).take_in(direction, 0.0)
    assert ends.arrived() == frames[2:]
