# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reset of a lab machine: its process 1 takes the network down and ends, and the kernel ends all the rest."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

RESET = signal.SIGUSR2
"""What process 1 of a lab machine takes for its reset button (holdfast_lab.world.boot)."""

BOOT_MODULE = b"holdfast_lab.world.boot"
END_S = 5.0


class NoMachineError(Exception):
    """This process does not run on a machine of the lab."""


def press_reset() -> None:
    """Does not return, as a rule: this process ends with its machine. Raises NoMachineError."""
    # Never a signal to the process 1 of anything but a machine of the lab.
    if BOOT_MODULE not in Path("/proc/1/cmdline").read_bytes().split(b"\0"):
        raise NoMachineError("this process does not run on a machine of the lab, so there is nothing to reset")
    os.kill(1, RESET)
    time.sleep(END_S)
