# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two monitors on one node: the second one has to see that it is, and end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from holdfast import paths
from holdfast.errors import StateError
from holdfast.store.alone import alone
from holdfast.surface import Surface
from holdfast_lab.memory_surface import MemoryWorld

HOLDER = """
import fcntl, os, sys, time
number = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(number, fcntl.LOCK_EX)
print("has it", flush=True)
time.sleep(60)
"""


@pytest.fixture
def surface(tmp_path: Path) -> Surface:
    return MemoryWorld(tmp_path).node("n1")


def test_a_second_monitor_with_the_same_state_files_is_refused(surface: Surface) -> None:
    with (
        alone(surface),
        pytest.raises(StateError, match="another monitor of this node runs already"),
        alone(surface, patience_s=0.2),
    ):
        raise AssertionError("both write")


def test_the_next_monitor_has_them_when_the_first_is_done(surface: Surface) -> None:
    for _run in range(2):
        with alone(surface, patience_s=0.2):
            pass


def test_a_monitor_that_was_killed_is_in_nobodys_way(surface: Surface) -> None:
    """The system takes the lock back; what waits for it has it at once."""
    lock = surface.local_path(paths.STATE) / "lock"
    lock.parent.mkdir(parents=True)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(lock)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"has it\n"
        with pytest.raises(StateError), alone(surface, patience_s=0.1):
            pass
        holder.kill()
        with alone(surface, patience_s=5.0):
            pass
    finally:
        holder.kill()
        holder.wait()
        if holder.stdout is not None:
            holder.stdout.close()
