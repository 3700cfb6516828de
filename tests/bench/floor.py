# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The floor: the same address moved between the same two nodes by the barest means, with nothing of Holdfast.

A small static web server on both nodes, and one script that does `ip address del` here, `ip address add` there and
sends one gratuitous ARP. What a client sees of that is what this machine can do at best.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Sequence

from holdfast_lab.client.load import load
from holdfast_lab.oracle.arp_frames import Arp, encode
from holdfast_lab.oracle.intervals import handovers
from holdfast_lab.oracle.recording import recording
from holdfast_lab.world.control import OUTSIDE
from holdfast_lab.world.namespaces import in_network_of
from holdfast_lab.world.remote import Lab
from holdfast_lab.world.topology import LAN, default_topology

from .numbers import Move, look

PORT = 8099
BROADCAST = "ff:ff:ff:ff:ff:ff"
NODES = ("n1", "n2")
READY_TRIES_MAX = 200


def measure(lab: Lab, *, address: str, moves: int, pause_s: float, every_ms: float, timeout_ms: float) -> list[Move]:
    """What a client saw of each of so many moves; the address is nowhere before and afterwards."""
    machines = lab.status()["machines"]
    pids = {name: str(machines[name]["pid"]) for name in NODES}
    serving = [f"floor-{name}" for name in NODES]
    for name in NODES:
        lab.start(f"floor-{name}", name, ["python", "-m", "holdfast_bench.floor", "serve", name])
    script = ["python", "-m", "holdfast_bench.floor", "move", address, str(moves), str(pause_s)]
    prepare(lab, address)
    try:
        with (
            recording(lab, addresses=[address]) as watched,
            load(lab, f"http://{address}:{PORT}/", every_ms=every_ms, timeout_ms=timeout_ms) as asked,
        ):
            done = lab.run(OUTSIDE, [*script, *pids.values()], timeout_s=60 + moves * (pause_s + 1))
        if done.code != 0:
            raise RuntimeError(f"the floor's script failed: {done.err}")
        seen = handovers(watched.addresses(), subject=address)
        return [look(asked, one, reach_s=pause_s / 2) for one in seen]
    finally:
        for name in NODES:
            lab.run(name, ["ip", "address", "del", f"{address}/{LAN.prefix_length}", "dev", LAN.alias])
        for name in serving:
            lab.stop(name)


def prepare(lab: Lab, address: str) -> None:
    """The first node has the address and its server answers there."""
    lab.run(NODES[0], ["ip", "address", "add", f"{address}/{LAN.prefix_length}", "dev", LAN.alias])
    code = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 1).close()"
    hosts = [LAN.address(default_topology().machine(name).host) for name in NODES]
    for host in (*hosts, address):
        for _unused in range(READY_TRIES_MAX):
            if lab.run("client", ["python", "-c", code, host, str(PORT)]).code == 0:
                break
            time.sleep(0.05)
        else:
            raise RuntimeError(f"the floor's web server does not answer at {host}:{PORT}")


def move(*, address: str, moves: int, pause_s: float, pids: Sequence[int]) -> None:
    """The address was moved so many times, to and fro. Runs in the supervisor's namespaces."""
    macs = [default_topology().machine(name).mac(LAN) for name in NODES]
    raws = [in_network_of(pid, open_raw) for pid in pids]
    commands = [["nsenter", "--target", str(pid), "--net", "ip", "address"] for pid in pids]
    place = [f"{address}/{LAN.prefix_length}", "dev", LAN.alias]
    for number in range(moves):
        source, target = number % 2, 1 - number % 2
        time.sleep(pause_s)
        subprocess.run([*commands[source], "del", *place], check=True)
        subprocess.run([*commands[target], "add", *place], check=True)
        raws[target].send(announcement(macs[target], address))
    time.sleep(pause_s)


def open_raw() -> socket.socket:
    """A socket for raw frames on the client network of the calling thread's namespace."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind((LAN.alias, 0))
    return raw


def announcement(mac: str, address: str) -> bytes:
    """One gratuitous ARP request. Source: RFC 5227, section 3."""
    arp = Arp(operation="request", sender_mac=mac, sender=address, target_mac="00:00:00:00:00:00", target=address)
    return encode(arp, source_mac=mac, target_mac=BROADCAST)


async def serve(name: str) -> None:
    """Answers every request with the node's name, until killed."""
    head = f"HTTP/1.1 200 OK\r\nX-Lab-Node: {name}\r\nContent-Length: {len(name)}\r\nConnection: close\r\n\r\n"

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write((head + name).encode())
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away
        finally:
            writer.close()

    server = await asyncio.start_server(handle, "0.0.0.0", PORT, backlog=1024)
    async with server:
        await server.serve_forever()


def main() -> int:
    """`serve NAME` on a node, `move ...` beside the supervisor."""
    parser = argparse.ArgumentParser(description="the floor of the switchover benchmark")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve").add_argument("name")
    mover = commands.add_parser("move")
    mover.add_argument("address")
    mover.add_argument("moves", type=int)
    mover.add_argument("pause_s", type=float)
    mover.add_argument("pids", type=int, nargs=2)
    options = parser.parse_args()
    if options.command == "serve":
        asyncio.run(serve(options.name))
    else:
        move(
            address=options.address,
            moves=options.moves,
            pause_s=options.pause_s,
            pids=options.pids,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
