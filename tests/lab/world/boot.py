# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Process 1 of a lab machine: prepares its namespaces from inside, runs its one program, reaps.

Started by `unshare` in fresh network, pid and mount namespaces. Only the standard library: it starts often.
When this process ends, the kernel ends every process of the machine: that is the power cut.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

from .namespaces import MS_BIND, mount

EXIT_REBOOT = 10
"""Exit code of a machine that is to be started again (as in ``machine``, which is too much to import here)."""

SIOCSIFFLAGS = 0x8914
_IFREQ = struct.Struct("16sh22x")

SYSCTLS = {
    "net/ipv6/conf/all/disable_ipv6": "1",
    "net/ipv6/conf/default/disable_ipv6": "1",
    # Windows answers ARP only on the card that has the address (strong host model); Linux needs to be told.
    "net/ipv4/conf/all/arp_ignore": "1",
    "net/ipv4/conf/all/arp_announce": "2",
    # Removing the first address of a subnet must not take the others along.
    "net/ipv4/conf/all/promote_secondaries": "1",
    "net/ipv4/conf/default/promote_secondaries": "1",
}


def main() -> int:
    """Exit code of the machine's program; machines without one run until they are killed."""
    order = json.loads(sys.argv[1])
    prepare_network()
    if order["hide"]:
        show_only(hidden=Path(order["hide"]), shown=[Path(path) for path in order["show"]])
    sys.stdout.write("unshared\n")
    sys.stdout.flush()
    if sys.stdin.readline() != "go\n":
        return 1
    program: list[str] = order["program"]
    return run(program, order["environment"], order["directory"]) if program else sleep_for_ever()


def prepare_network() -> None:
    """The kernel of this network namespace behaves like a Windows server where it matters."""
    for name, value in SYSCTLS.items():
        path = Path("/proc/sys", name)
        if path.exists():
            path.write_text(value, encoding="ascii")


def show_only(*, hidden: Path, shown: list[Path]) -> None:
    """Below the hidden folder only the shown ones are left, at their own paths.

    A node must not find its peers' files, the control socket or the oracles' records.
    """
    handles = [os.open(path, os.O_PATH | os.O_DIRECTORY) for path in shown]
    mount("lab", str(hidden), kind="tmpfs", data="mode=755")
    for path, handle in zip(shown, handles, strict=True):
        path.mkdir(parents=True)
        mount(f"/proc/self/fd/{handle}", str(path), flags=MS_BIND)
        os.close(handle)


def run(program: list[str], environment: dict[str, str], directory: str) -> int:
    """The program has ended, with this exit code (128 + signal when killed); orphans were reaped meanwhile."""
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # standard output was the line to the supervisor; the log is on standard error
        os.chdir(directory)
        os.execve(program[0], program, environment)

    def pass_on(number: int, _frame: FrameType | None) -> None:
        os.kill(child, number)

    signal.signal(signal.SIGTERM, pass_on)
    signal.signal(signal.SIGUSR2, reset)
    # The program is a child of process 1, so this ends at the latest when the program does.
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def reset(_number: int, _frame: FrameType | None) -> NoReturn:
    """The reset button of the machine: its cards fall silent, then the kernel ends all its processes."""
    # Otherwise the kernel would tell clients and peers that the connections are closed.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for _index, name in socket.if_nameindex():
            fcntl.ioctl(control, SIOCSIFFLAGS, _IFREQ.pack(name.encode(), 0))
    os._exit(EXIT_REBOOT)


def sleep_for_ever() -> int:
    """Never returns: the machine is only there to have namespaces; processes entered into it are reaped."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        signal.pause()


if __name__ == "__main__":
    raise SystemExit(main())
