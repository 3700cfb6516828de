# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Checks of the machine: identity, clock, files, event log, services."""

from __future__ import annotations

import shutil
import time
import uuid
from itertools import pairwise

from ..errors import SurfaceError
from ..paths import DATA
from ..surface import Surface
from .check import Check, Scratch, expect, expect_not_there

FOLDER = DATA + r"\selftest"
SHARING_VIOLATION = 32
NO_SUCH_SERVICE = "HoldfastSelftestNoSuchService"


def boot_id(surface: Surface, scratch: Scratch) -> str:
    """The same twice, and not empty."""
    del scratch
    first, second = surface.boot_id(), surface.boot_id()
    expect(bool(first), "the boot id is empty")
    expect(first == second, f"the boot id was {first} and is now {second}")
    return f"this boot is {first}; compare it with what is shown after a restart"


def clock(surface: Surface, scratch: Scratch) -> str:
    """It runs as fast as time passes, never back, and in small steps."""
    del scratch
    begun_s = surface.monotonic_s()
    time.sleep(0.5)
    passed_s = surface.monotonic_s() - begun_s
    expect(0.45 < passed_s < 2.0, f"half a second was {passed_s:.3f} s on this clock")
    readings = [surface.monotonic_s() for _unused in range(20_000)]
    steps = [after - before for before, after in pairwise(readings)]
    expect(min(steps) >= 0, "the clock went back")
    finest = min((step for step in steps if step > 0), default=passed_s)
    return f"0.5 s of sleep were {passed_s:.3f} s; finest step {finest * 1e6:.1f} us"


def files(surface: Surface, scratch: Scratch) -> str:
    """A folder and a file in it can be restricted, and we still read and write them."""
    del scratch
    folder = surface.local_path(FOLDER)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        surface.restrict_to_administrators(FOLDER)
        file = surface.local_path(FOLDER + r"\secret.txt")
        file.write_bytes(b"one")
        surface.restrict_to_administrators(FOLDER + r"\secret.txt")
        file.write_bytes(b"two")
        expect(file.read_bytes() == b"two", "the restricted file does not hold what was written")
        missing = FOLDER + rf"\{uuid.uuid4()}"
        expect_not_there("restricting a file that does not exist", lambda: surface.restrict_to_administrators(missing))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return "restricted and still ours; who else is kept out was not tried"


def exclusive_file(surface: Surface, scratch: Scratch) -> str:
    """While it is open nobody else opens it, afterwards anybody does; what was written is there."""
    del scratch
    folder, path = surface.local_path(FOLDER), FOLDER + r"\exclusive.bin"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with surface.exclusive_file(path=path) as file:
            file.write(b"written through")
            code = 0
            try:
                surface.exclusive_file(path=path).close()
            except SurfaceError as error:
                code = error.code
            expect(code == SHARING_VIOLATION, f"a second open gave code {code}, not {SHARING_VIOLATION}")
        with surface.exclusive_file(path=path) as file:
            expect(file.read(100) == b"written through", "it does not hold what was written")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return "on this machine's disk; on a share it is the server that keeps others out"


def event_log(surface: Surface, scratch: Scratch) -> str:
    """An entry of each level was taken."""
    del scratch
    surface.log_event(event_id=1, level="info", text="Holdfast selftest: an information entry")
    surface.log_event(event_id=2, level="warning", text="Holdfast selftest: a warning entry")
    surface.log_event(event_id=3, level="error", text="Holdfast selftest: an error entry; nothing is wrong")
    return "three entries, ids 1 to 3, source Holdfast, log Application: have a look"


def priority(surface: Surface, scratch: Scratch) -> str:
    """Raised, for this process alone, which ends soon."""
    del scratch
    surface.raise_priority(highest=True)
    return "this process may raise its priority"


def services(surface: Surface, scratch: Scratch) -> str:
    """Known services have a state, an invented one is absent."""
    del scratch
    invented = surface.service_state(NO_SUCH_SERVICE)
    expect(invented == "absent", f"a service that does not exist is {invented}")
    states = {name: surface.service_state(name) for name in ("W3SVC", "WAS", "Holdfast")}
    return ", ".join(f"{name} {state}" for name, state in states.items())


CHECKS = (
    Check(
        primitives="boot_id",
        promise="the same text for as long as the system runs",
        source="KUSER_SHARED_DATA.BootId (ntddk.h)",
        run=boot_id,
    ),
    Check(
        primitives="monotonic_s",
        promise="seconds of a clock that is never set",
        source="learn.microsoft.com/windows/win32/sysinfo/acquiring-high-resolution-time-stamps",
        run=clock,
    ),
    Check(
        primitives="local_path, restrict_to_administrators",
        promise="files only administrators and SYSTEM can open",
        source="learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-setnamedsecurityinfow",
        run=files,
    ),
    Check(
        primitives="exclusive_file",
        promise="a file that nobody else has open",
        source="learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createfilew, dwShareMode 0",
        run=exclusive_file,
    ),
    Check(
        primitives="log_event",
        promise="entries in the Application log",
        source="learn.microsoft.com/windows/win32/api/winbase/nf-winbase-reporteventw",
        run=event_log,
    ),
    Check(
        primitives="raise_priority",
        promise="this process before ordinary ones",
        source="learn.microsoft.com/windows/win32/api/processthreadsapi/nf-processthreadsapi-setpriorityclass",
        run=priority,
    ),
    Check(
        primitives="service_state",
        promise="states of services",
        source="learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-queryservicestatusex",
        run=services,
    ),
)
