# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine's time for a process, and its end.

The reset of a lab machine: its process 1 takes the network down and ends, and the kernel ends all the rest.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

RESET = signal.SIGUSR2
"""What process 1 of a lab machine takes for its reset button (holdfast_lab.world.boot)."""

BOOT_MODULE = b"holdfast_lab.world.boot"
END_S = 5.0
PRIORITY, PRIORITY_HIGHEST = -10, -20
"""Nice values, where there is nothing better."""


class NoMachineError(Exception):
    """This process does not run on a machine of the lab."""


def raise_priority(*, highest: bool) -> None:
    """This process runs before ordinary ones, nearly as on Windows, where a thread of a higher class always does.

    A lab that does not run as root may not: its services are as fast as the machine lets them be.
    """
    with suppress(PermissionError):
        if highest:
            os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(os.sched_get_priority_min(os.SCHED_RR)))
            return
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY_HIGHEST if highest else PRIORITY)
        # Each service is a session of its own, and between sessions only this counts: sched(7), autogrouping.
        Path("/proc/self/autogroup").write_text(f"{PRIORITY}\n", encoding="ascii")


def press_reset() -> None:
    """Does not return, as a rule: this process ends with its machine. Raises NoMachineError."""
    # Never a signal to the process 1 of anything but a machine of the lab.
    if BOOT_MODULE not in Path("/proc/1/cmdline").read_bytes().split(b"\0"):
        raise NoMachineError("this process does not run on a machine of the lab, so there is nothing to reset")
    os.kill(1, RESET)
    time.sleep(END_S)
