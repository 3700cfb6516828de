# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and ending a lab, from outside its namespaces."""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from . import namespaces, stores
from .certificates import write_private
from .places import GENERATED_HOSTS, GENERATED_INVENTORY, PYTHON_PATH, REPOSITORY, Places
from .preflight import PACKAGES, NotPossibleError, check
from .remote import Lab, LabError
from .seed import Profile, seed
from .topology import MANAGEMENT_PORTS, Topology, default_topology
from .world import Listeners, ProgramName

START_TIMEOUT_S = 120.0
DOWN_TIMEOUT_S = 30.0
LOOPBACKS = 200
"""Management networks 127.44.0 to 127.44.199 are tried in turn, so that several labs can run at once."""


@dataclass(frozen=True, slots=True)
class Started:
    """A supervisor whose parent is this process, and our end of its leash."""

    process: subprocess.Popen[bytes]
    leash: int


_started: dict[int, Started] = {}
"""Supervisors started by this process: their parent has to collect them when they ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What kind of lab to start."""

    nodes: int = 2
    witness: bool = False
    """A third machine w1 for the witness; it is the arbiter then."""

    etcd: bool = False
    """Three machines e1 to e3 with an etcd, which is the arbiter when there is no witness."""

    profile: Profile | None = None
    """Of the cluster; when it is not said, the one that the arbiter allows."""

    program: ProgramName = "standin"
    leashed: bool = False
    """The lab ends when the process that started it does."""

    @property
    def topology(self) -> Topology:
        """The machines of such a lab."""
        return default_topology(**self.shape)

    @property
    def timing(self) -> Profile:
        """The profile of the cluster: an etcd may be silent for longer than `normal` bears (rule HF121)."""
        return self.profile or ("vm" if self.etcd and not self.witness else "normal")

    @property
    def shape(self) -> dict[str, Any]:
        """What `default_topology` is called with."""
        return {"nodes": self.nodes, "witness": self.witness, "etcd": self.etcd}


def up(places: Places, wish: Wish) -> Lab:
    """A fresh lab runs and is ready.

    Raises:
        NotPossibleError: this machine lacks what a lab needs, or a lab runs here already.
    """
    privilege = check({**PACKAGES, **stores.PACKAGE} if wish.etcd else None)
    if not PYTHON_PATH.joinpath("holdfast_lab").exists():
        raise NotPossibleError(f"{PYTHON_PATH} is not set up; run: make links")
    with only_one(places):
        end_former(places)
        topology = wish.topology
        listeners = open_listeners(topology)
        try:
            clear(places)
            seed(places, topology, management_of(listeners), profile=wish.timing)
            start(places, wish, listeners, privilege.options)
        finally:
            close_all(listeners)
        if is_default(places):
            write_private(GENERATED_INVENTORY, places.generated.read_bytes())
            GENERATED_HOSTS.write_bytes(places.hosts.read_bytes())
    return Lab(places)


def down(places: Places) -> bool:
    """No lab runs here; whether one did. Its folder stays for reading until the next `up`."""
    described = describe(places)
    if described is None:
        return False
    try:
        Lab(places).ask("down", patience_s=DOWN_TIMEOUT_S)
    except LabError:
        pass  # it hangs or is gone: the next lines end it for certain
    if not wait_until_gone(described, DOWN_TIMEOUT_S):
        os.kill(int(described["pid"]), signal.SIGKILL)
        if not wait_until_gone(described, DOWN_TIMEOUT_S):
            raise LabError(f"process {described['pid']} of the lab does not end; see {places.logs}")
    collect(int(described["pid"]))
    places.description.unlink(missing_ok=True)
    places.control.unlink(missing_ok=True)
    if is_default(places):
        GENERATED_INVENTORY.unlink(missing_ok=True)  # a password that opens nothing any more
        GENERATED_HOSTS.unlink(missing_ok=True)
    return True


def is_default(places: Places) -> bool:
    """Whether this is the lab that inventory/lab means."""
    return places.root == REPOSITORY / ".lab"


@contextmanager
def running(places: Places, wish: Wish) -> Iterator[Lab]:
    """A lab for the time of the block; it is gone afterwards, even when this process is killed meanwhile."""
    lab = up(places, replace(wish, leashed=True))
    try:
        yield lab
    finally:
        down(places)


def describe(places: Places) -> dict[str, Any] | None:
    """lab.json of the lab that runs here; None when none does."""
    try:
        described: dict[str, Any] = json.loads(places.description.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return described if alive(described) else None


def alive(described: Mapping[str, Any]) -> bool:
    """Whether this very supervisor runs (a process with its number and its start time)."""
    pid = int(described["pid"])
    return namespaces.started_at(pid) == described["started"] and namespaces.state_of(pid) not in ("Z", "X", None)


def wait_until_gone(described: Mapping[str, Any], timeout_s: float) -> bool:
    """Whether the supervisor ended within this time."""
    deadline_s = time.monotonic() + timeout_s
    while alive(described):
        if time.monotonic() > deadline_s:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def only_one(places: Places) -> Iterator[None]:
    """Nobody else starts or clears this lab meanwhile."""
    places.root.mkdir(parents=True, exist_ok=True)
    with (places.root / "lock").open("w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def end_former(places: Places) -> None:
    """No lab runs in this folder.

    Raises:
        NotPossibleError: one does; it is somebody's, so it is not ended here.
    """
    if described := describe(places):
        raise NotPossibleError(
            f"a lab runs in {places.root} (process {described['pid']}); use it, or end it with: make lab-down"
        )


def clear(places: Places) -> None:
    """The lab's folder is empty but for the lock."""
    for entry in places.root.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != "lock":
            entry.unlink()


def open_listeners(topology: Topology) -> Listeners:
    """Bound sockets for the nodes' management, all in the first loopback network that is free.

    Raises:
        NotPossibleError: all are taken.
    """
    for third in range(LOOPBACKS):
        opened: Listeners = {}
        try:
            for machine in topology.managed:
                opened[machine.name] = {}
                for service, port in MANAGEMENT_PORTS.items():
                    opened[machine.name][service] = listener = socket.socket()
                    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    listener.bind((f"127.44.{third}.{machine.host}", port))
                    listener.listen()
            return opened
        except OSError:
            close_all(opened)
    ports = " and ".join(str(port) for port in MANAGEMENT_PORTS.values())
    raise NotPossibleError(f"ports {ports} are taken on 127.44.0.x to 127.44.{LOOPBACKS - 1}.x; end other labs")


def close_all(listeners: Listeners) -> None:
    """This process has none of these sockets any more."""
    for services in listeners.values():
        for listener in services.values():
            listener.close()


def management_of(listeners: Listeners) -> dict[str, str]:
    """The address at which each node is managed."""
    return {name: str(services["winrm"].getsockname()[0]) for name, services in listeners.items()}


def start(places: Places, wish: Wish, listeners: Listeners, options: tuple[str, ...]) -> None:
    """The supervisor runs in its own namespaces and has said that the lab is ready; lab.json describes it.

    Raises:
        NotPossibleError: it could not build the lab; the text says why.
    """
    report, report_end = os.pipe()
    leash, leash_end = os.pipe()
    numbers = {
        name: {service: listener.fileno() for service, listener in services.items()}
        for name, services in listeners.items()
    }
    order = {
        "root": str(places.root),
        "topology": wish.shape,
        "program": wish.program,
        "listeners": numbers,
        "report_fd": report_end,
        "leash_fd": leash if wish.leashed else None,
    }
    inherited = [number for services in numbers.values() for number in services.values()]
    descriptors = [*inherited, report_end, *([leash] if wish.leashed else [])]
    with (places.logs / "supervisor.log").open("ab") as log:
        process = subprocess.Popen(
            ["unshare", *options, "--", sys.executable, "-m", "holdfast_lab.world.supervisor", json.dumps(order)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
            cwd=REPOSITORY,
            env={"PATH": os.environ.get("PATH", os.defpath), "PYTHONPATH": str(PYTHON_PATH), "LANG": "C.UTF-8"},
        )
    os.close(report_end)
    os.close(leash)
    # The leash is this end of the pipe: open for as long as this process lives, or until `down`.
    _started[process.pid] = Started(process, leash_end)
    said = ""
    try:
        said = read_report(report)
    finally:
        if said != "ready":
            process.kill()
            collect(process.pid)
    if said != "ready":
        raise NotPossibleError(f"the lab did not start: {said or 'no word from it'}; see {places.logs}")
    described = {
        "pid": process.pid,
        "started": namespaces.started_at(process.pid),
        "program": wish.program,
        "topology": wish.shape,
        "management": management_of(listeners),
    }
    places.description.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


def collect(pid: int) -> None:
    """A supervisor that this process started, and that ends, leaves no zombie and no open leash."""
    if started := _started.pop(pid, None):
        started.process.wait()
        os.close(started.leash)


def read_report(descriptor: int) -> str:
    """The supervisor's first line; empty when it ended or said nothing in time."""
    with os.fdopen(descriptor, "r", encoding="utf-8") as pipe:
        readable, _, _ = select.select([pipe], [], [], START_TIMEOUT_S)
        return pipe.readline().strip() if readable else ""


def leftovers(places: Places) -> list[Path]:
    """What a lab that ended must not have left: empty when all is well."""
    return [path for path in (places.description, places.control) if path.exists()]
