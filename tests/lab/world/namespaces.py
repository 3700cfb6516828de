# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The few system calls about namespaces that Python 3.11 does not offer, and looking into /proc."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

CLONE_NEWNET = 0x40000000
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_T = TypeVar("_T")


def mount(source: str, target: str, *, kind: str = "none", flags: int = 0, data: str = "") -> None:
    """The file system is mounted; raises OSError otherwise. Source: mount(2)."""
    _check(
        _libc.mount(source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()),
        f"mount {source} on {target}",
    )


def unmount(target: str) -> None:
    """The mount point is detached at once, even when files are open below it. Source: umount2(2)."""
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"unmount {target}")


def in_network_of(pid: int, work: Callable[[], _T]) -> _T:
    """The result of the work, done in the network namespace of a process.

    A thread of its own enters the namespace, so the caller never leaves its own. A socket that the
    work opens stays in that namespace. Source: setns(2), network namespaces are per thread.
    """

    def enter_and_work() -> _T:
        with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
            _check(_libc.setns(namespace.fileno(), CLONE_NEWNET), f"enter the network of process {pid}")
        return work()

    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(enter_and_work).result()


def die_with_parent(signal_number: int) -> None:
    """The calling process gets the signal when its parent ends. Source: prctl(2)."""
    _check(_libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "prctl PR_SET_PDEATHSIG")


def children_of(pid: int) -> list[int]:
    """The processes whose parent is this one, as this pid namespace numbers them."""
    return [child for child in process_ids() if parent_of(child) == pid]


def processes_of_namespace(pid: int) -> list[int]:
    """All processes in the pid namespace that this process lives in."""
    wanted = pid_namespace(pid)
    return [one for one in process_ids() if wanted is not None and pid_namespace(one) == wanted]


def pid_namespace(pid: int) -> str | None:
    """The name of the pid namespace of a process, None when it is gone."""
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return None


def process_ids() -> Iterator[int]:
    """Every process that this pid namespace shows."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            yield int(entry)


def parent_of(pid: int) -> int | None:
    """The parent of a process, None when the process is gone."""
    fields = _stat_fields(pid)
    return int(fields[1]) if fields else None


def state_of(pid: int) -> str | None:
    """The state letter of a process as in proc(5), None when it is gone."""
    fields = _stat_fields(pid)
    return fields[0] if fields else None


def started_at(pid: int) -> str | None:
    """The start time of a process in clock ticks since boot: tells a process from a later one of its number."""
    fields = _stat_fields(pid)
    return fields[19] if fields else None


def command_line(pid: int) -> list[str]:
    """The arguments of a process, empty when it is gone."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [part.decode(errors="replace") for part in raw.split(b"\0")[:-1]]


def _stat_fields(pid: int) -> list[str]:
    # The second field is the command in brackets and may hold blanks: count from its end.
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
