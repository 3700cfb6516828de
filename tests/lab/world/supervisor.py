# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's one supervisor: process 1 of its own pid, mount and network namespaces.

Started by launch.py through `unshare`. When it ends, however it ends, the kernel ends everything in the lab, and
the networks vanish with the last process in them.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyroute2.netlink.exceptions import NetlinkError

from .boot import SYSCTLS
from .control import LINE_BYTES_MAX, Control
from .places import Places
from .topology import default_topology
from .world import World


def main() -> int:
    """Exit code of the supervisor proper, which is a child, so that process 1 is free to reap orphans."""
    order = json.loads(sys.argv[1])
    child = os.fork()
    if child == 0:
        return asyncio.run(supervise(order))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os.kill(child, number))
    # The child is among those waited for, so this ends at the latest when the supervisor proper does.
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


async def supervise(order: Mapping[str, Any]) -> int:
    """The lab has been built, served its control socket until told to end, and is off again."""
    places = Places(Path(order["root"]))
    listeners = {
        name: {service: socket.socket(fileno=number) for service, number in services.items()}
        for name, services in order["listeners"].items()
    }
    report = os.fdopen(order["report_fd"], "w", encoding="utf-8")
    world = World(
        places=places,
        topology=default_topology(**order["topology"]),
        program=order["program"],
        listeners=listeners,
        shape=order["topology"],
    )
    control = Control(world)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, control.closing.set)
    if order["leash_fd"] is not None:
        hold_leash(order["leash_fd"], control.closing)
    silence_ipv6()
    try:
        await world.build()
        places.control.unlink(missing_ok=True)
        server = await asyncio.start_unix_server(control.serve, places.control, limit=LINE_BYTES_MAX)
        places.control.chmod(0o600)
        report.write("ready\n")
        report.close()
        async with server:
            await control.closing.wait()
    except (RuntimeError, OSError, NetlinkError) as error:
        traceback.print_exc(file=sys.stderr)
        if not report.closed:
            report.write(f"{error}\n")
            report.close()
        return 1
    finally:
        await world.close()
        places.control.unlink(missing_ok=True)
    return 0


def silence_ipv6() -> None:
    """The bridges talk no IPv6 of their own: the lab's networks carry what its machines send and nothing else."""
    for name, value in SYSCTLS.items():
        path = Path("/proc/sys", name)
        if "ipv6" in name and path.exists():
            path.write_text(value, encoding="ascii")


def hold_leash(descriptor: int, closing: asyncio.Event) -> None:
    """The lab closes when the process that holds the other end of this pipe ends, however it ends."""
    loop = asyncio.get_running_loop()

    def let_go() -> None:
        loop.remove_reader(descriptor)
        closing.set()

    loop.add_reader(descriptor, let_go)


if __name__ == "__main__":
    raise SystemExit(main())
