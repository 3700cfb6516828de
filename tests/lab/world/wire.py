# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bad cable: passes frames between two interfaces, and loses, delays or stops them.

A process instead of the kernel's netem: netem is a module that many kernels of containers and small virtual
machines lack, and it cannot cut one direction. The price, some 0.1 ms per frame, is paid only on a bad cable.
Frames are passed on together with their offload header (PACKET_VNET_HDR), or checksums that the sender left
to its card would arrive unfinished.
"""

from __future__ import annotations

import argparse
import heapq
import random
import select
import socket
import sys
import time
from dataclasses import dataclass, field

SOL_PACKET = 263
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
ETH_P_ALL = 0x0003
FRAME_BYTES_MAX = 65536 + 32
TO, FROM = slice(10, 16), slice(16, 22)
"""Hardware addresses in a frame, behind the ten bytes of struct virtio_net_hdr (linux/virtio_net.h)."""

QUEUE_MAX = 10_000
"""Frames on the way at most; more are lost, as in any switch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """One direction of the cable and what is wrong with it; times in seconds."""

    source: socket.socket
    target: socket.socket
    cut: bool
    loss: float
    delay_s: float
    jitter_s: float
    only: bytes = b""
    """When given, all this happens to frames from and to this hardware address only."""

    def spares(self, frame: bytes) -> bool:
        """Whether the frame is none of those that something happens to."""
        return bool(self.only) and self.only not in (frame[TO], frame[FROM])


@dataclass(slots=True)
class Wire:
    """Both directions and the frames on their way, ordered by when they are due."""

    directions: list[Direction]
    chance: random.Random
    queue: list[tuple[float, int, bytes, socket.socket]] = field(default_factory=list)
    number: int = 0

    def take_in(self, direction: Direction, now_s: float) -> None:
        """All frames that wait on this side are lost, sent, or queued."""
        while True:
            try:
                frame = direction.source.recv(FRAME_BYTES_MAX)
            except BlockingIOError:
                return
            if direction.spares(frame):
                send(direction.target, frame)
                continue
            if direction.cut or self.chance.random() < direction.loss:
                continue
            due_s = now_s + direction.delay_s + self.chance.uniform(0, direction.jitter_s)
            if due_s <= now_s:
                send(direction.target, frame)
            elif len(self.queue) < QUEUE_MAX:
                self.number += 1
                heapq.heappush(self.queue, (due_s, self.number, frame, direction.target))

    def give_out(self, now_s: float) -> None:
        """Every frame that is due has been sent."""
        while self.queue and self.queue[0][0] <= now_s:
            _, _, frame, target = heapq.heappop(self.queue)
            send(target, frame)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until the next frame is due; None when none is on its way."""
        return max(0.0, self.queue[0][0] - now_s) if self.queue else None


def send(target: socket.socket, frame: bytes) -> None:
    """The frame is on the other side, or lost because that side is down or full."""
    try:
        target.send(frame)
    except OSError:
        return


def open_interface(name: str) -> socket.socket:
    """A raw socket that gets every frame that comes in on this interface, with its offload header."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    raw.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    raw.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    raw.bind((name, ETH_P_ALL))
    raw.setblocking(False)
    return raw


def main() -> None:
    """Runs until it is killed."""
    options = parse()
    machine, switch = open_interface(options.machine_side), open_interface(options.switch_side)
    loss, delay_s, jitter_s = options.loss_percent / 100, options.delay_ms / 1000, options.jitter_ms / 1000
    chance = random.Random(options.seed)
    only = bytes.fromhex(options.peer.replace(":", ""))
    ends = ((machine, switch, options.cut_from_machine), (switch, machine, options.cut_to_machine))
    wire = Wire(
        directions=[
            Direction(source=a, target=b, cut=cut, loss=loss, delay_s=delay_s, jitter_s=jitter_s, only=only)
            for a, b, cut in ends
        ],
        chance=chance,
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    poll(wire)


def poll(wire: Wire) -> None:
    """Never returns."""
    sources = [direction.source for direction in wire.directions]
    while True:
        ready, _, _ = select.select(sources, [], [], wire.wait_s(time.monotonic()))
        now_s = time.monotonic()
        for direction in wire.directions:
            if direction.source in ready:
                wire.take_in(direction, now_s)
        wire.give_out(time.monotonic())


def parse() -> argparse.Namespace:
    """The command line; interfaces by name, times in milliseconds."""
    parser = argparse.ArgumentParser(description="a bad cable between two interfaces")
    parser.add_argument("machine_side")
    parser.add_argument("switch_side")
    parser.add_argument("--loss-percent", type=float, default=0.0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--jitter-ms", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", default="", help="only frames from and to this hardware address suffer")
    parser.add_argument("--cut-from-machine", action="store_true")
    parser.add_argument("--cut-to-machine", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
