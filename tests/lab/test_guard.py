# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guard as a process of its own on a real network: what happens to an address when who had the permit hangs.

The publisher stands for the monitor: it publishes permits, puts the address up, refreshes it, and is then stopped or
killed. Times are measured from outside, against the deadline that was published last.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from holdfast_lab import arena
from holdfast_lab.arena import Node, two_nodes
from holdfast_lab.surface import control
from holdfast_lab.world import launch
from holdfast_lab.world.places import Places
from holdfast_lab.world.preflight import PACKAGES, NotPossibleError, check

VIP = "10.77.0.113"
GUARD_LATE_S = 0.2
"""Within which the guard alone has an address off, on a busy machine."""

KERNEL_LATE_S = 0.5
"""Linux looks for lifetimes that are over about twice a second (addrconf and devinet: at half a second)."""

PUBLISHER = """
import json, sys, time
from dataclasses import replace
from holdfast.core.values.model import Cluster, CommPath, Config, Ip, Witness
from holdfast.guard import PermitFile
from holdfast.kits import Context, Lifetimes, kit_of
from holdfast.surface import open_surface

OWN_S, RENEW_S, VIP = 2.2, 0.4, "10.77.0.113"
PRIORITIES = {"n1": 1, "n2": 2}
cluster = Cluster(
    name="web", arbiter=Witness(name="w", addresses={"a": "10.77.0.20"}, port=7431), profile="normal", comm_port=7430,
    comm_paths=(CommPath(name="a", addresses={"n1": "10.77.0.11", "n2": "10.77.0.12"}),),
)
ip = Ip(tag="ip-shop", address=VIP, prefix_length=24, interfaces={"n1": "LAN", "n2": "LAN"}, priorities=PRIORITIES)
surface = open_surface()
permits = PermitFile(surface)
permits.plan(node="n1", config=Config(cluster=cluster, ips=(ip,)))
context = Context(surface=surface, node="n1", config=Config(cluster=cluster, ips=(ip,)), permit_s=permits.permit_s)

def renew():
    until_s = surface.monotonic_s() + OWN_S
    permits.publish({"ip-shop": until_s})
    return until_s

lifetimes = Lifetimes()
until_s = renew()
if sys.argv[1] == "for ever":
    context = replace(context, permit_s=lambda _tag: None)
if sys.argv[1] != "adopt":
    kit_of(ip).start(ip, context)
while True:
    print(json.dumps({"until_s": until_s, "warnings": permits.warnings()}), flush=True)
    time.sleep(RENEW_S)
    until_s = renew()
    lifetimes.refresh([ip], context)
"""


@pytest.fixture
def n1(tmp_path: Path) -> Iterator[Node]:
    try:
        check({**PACKAGES, "ip": "iproute2"})
    except NotPossibleError as error:
        pytest.skip(str(error))
    with two_nodes(tmp_path) as (first, _second):
        yield first


@contextmanager
def guarding(node: Node) -> Iterator[subprocess.Popen[bytes]]:
    """``holdfast guard`` runs on the node, as the service control manager would have started it."""
    with control.listen(node.private / "scm.sock") as manager:
        manager.settimeout(20)
        variables = {**arena._environment(node.folder), "HOLDFAST_STANDIN_SERVICE": "HoldfastGuard"}
        command = [*node.enter, sys.executable, "-m", "holdfast", "guard"]
        with subprocess.Popen(command, env=variables) as guard:
            try:
                connection, _client = manager.accept()
                with connection, connection.makefile("rwb") as lines:
                    report = json.loads(lines.readline())
                    assert report == {"op": "report", "name": "HoldfastGuard", "state": "running"}
                    lines.write(b'{"ok": true}\n')
                yield guard
            finally:
                guard.terminate()
                guard.wait(10)


class Publisher:
    """The stand-in for the monitor. ``last`` is what it told last: the deadline and the warnings.

    ``how``: start (the address carries the permit), for ever (it does not), adopt (it is there already).
    """

    def __init__(self, node: Node, how: str) -> None:
        self.process = node.start(sys.executable, "-c", PUBLISHER, how, stdout=subprocess.PIPE)
        self.last: dict[str, Any] = {}
        self.told = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.last = json.loads(line)
            self.told += 1

    def wait_for(self, count: int) -> None:
        """So many renewals were published."""
        deadline_s = time.monotonic() + 20
        while self.told < count:
            assert time.monotonic() < deadline_s
            assert self.process.poll() is None
            time.sleep(0.01)

    def pid(self) -> int:
        """The process itself: what was started is the one that entered the network first."""
        return self.process.pid

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)


@contextmanager
def publishing(node: Node, how: str = "start") -> Iterator[Publisher]:
    publisher = Publisher(node, how)
    try:
        yield publisher
    finally:
        publisher.end()


def now_s() -> float:
    """The clock of the lab's surface."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def there(node: Node) -> bool:
    return VIP in [one["address"] for one in node.surface("addresses")]


def gone_at_s(node: Node, within_s: float) -> float:
    """When the address was first seen to be gone."""
    began_s = now_s()
    while there(node):
        assert now_s() - began_s < within_s, f"the address is still there after {within_s} s"
        time.sleep(0.002)
    return now_s()


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL])
def test_the_guard_alone_takes_the_address_off_at_the_deadline(n1: Node, how: signal.Signals) -> None:
    with guarding(n1), publishing(n1, "for ever") as publisher:
        publisher.wait_for(8)
        assert there(n1)
        assert publisher.last["warnings"] == []
        os.kill(publisher.pid(), how)
        time.sleep(0.05)
        until_s = publisher.last["until_s"]
        late_s = gone_at_s(n1, 5.0) - until_s
        sys.stdout.write(f"{how.name}: the guard had the address off {late_s * 1000:+.0f} ms after the deadline\n")
        assert 0 <= late_s < GUARD_LATE_S
        if how == signal.SIGSTOP:
            os.kill(publisher.pid(), signal.SIGCONT)
            publisher.wait_for(publisher.told + 2)
            assert not there(n1), "a refresh put the address back"


def test_with_the_guard_stopped_too_the_kernel_drops_the_address(n1: Node) -> None:
    with guarding(n1) as guard, publishing(n1) as publisher:
        publisher.wait_for(8)
        os.kill(guard.pid, signal.SIGSTOP)
        os.kill(publisher.pid(), signal.SIGSTOP)
        try:
            time.sleep(0.05)
            late_s = gone_at_s(n1, 5.0) - publisher.last["until_s"]
            sys.stdout.write(f"the kernel alone had the address off {late_s * 1000:+.0f} ms after the deadline\n")
            assert -1.25 < late_s < KERNEL_LATE_S
        finally:
            os.kill(guard.pid, signal.SIGCONT)


def test_after_a_pause_the_guard_has_the_address_off_before_anything_else(n1: Node) -> None:
    with guarding(n1) as guard, publishing(n1, "for ever") as publisher:
        publisher.wait_for(4)
        os.kill(guard.pid, signal.SIGSTOP)
        # A monitor that wakes has no answer from a voter, and publishes nothing: here it does not even wake.
        publisher.end()
        time.sleep(3.0)
        assert there(n1)
        began_s = now_s()
        os.kill(guard.pid, signal.SIGCONT)
        took_s = gone_at_s(n1, 5.0) - began_s
        sys.stdout.write(f"after a pause the address was off within {took_s * 1000:.0f} ms\n")
        assert took_s < GUARD_LATE_S


def test_a_publisher_that_restarts_adopts_and_nothing_is_taken_off(n1: Node) -> None:
    with guarding(n1):
        with publishing(n1) as publisher:
            publisher.wait_for(4)
        missing: list[float] = []
        ended = threading.Event()

        def look() -> None:
            while not ended.wait(0.005):
                if not there(n1):
                    missing.append(now_s())

        watcher = threading.Thread(target=look)
        watcher.start()
        try:
            with publishing(n1, "adopt") as again:
                again.wait_for(10)
        finally:
            ended.set()
            watcher.join(10)
        assert missing == []


def test_a_guard_that_died_is_told_of_and_one_that_lives_again_is_not(n1: Node) -> None:
    with publishing(n1) as publisher:
        publisher.wait_for(2)
        assert "the guard has not run since this machine was started" in publisher.last["warnings"][0]
        with guarding(n1) as guard:
            publisher.wait_for(publisher.told + 2)
            assert publisher.last["warnings"] == []
            os.kill(guard.pid, signal.SIGSTOP)
            publisher.wait_for(publisher.told + 4)
            assert "the guard has not looked for" in publisher.last["warnings"][0]
            os.kill(guard.pid, signal.SIGCONT)
            publisher.wait_for(publisher.told + 2)
            assert publisher.last["warnings"] == []


def test_outside_of_a_machine_of_the_lab_there_is_nothing_to_reset(n1: Node) -> None:
    with pytest.raises(arena.RemoteError, match="does not run on a machine of the lab"):
        n1.surface("reset_machine", reason="a test")


@pytest.mark.timeout(120)  # a lab of its own, and one restart of a machine
def test_a_reset_is_a_power_cut_and_the_machine_comes_back_with_another_boot_id(tmp_path: Path) -> None:
    try:
        check()
    except NotPossibleError as error:
        pytest.skip(f"no lab on this machine: {error}")
    ask = "from holdfast.surface import open_surface as o; s = o(); "
    with launch.running(Places(tmp_path / "lab"), launch.Wish(program="standin")) as lab:
        before = lab.run("n1", [sys.executable, "-c", ask + "print(s.boot_id())"], timeout_s=20).out
        began_s = time.monotonic()
        lab.run("n1", [sys.executable, "-c", ask + "s.reset_machine(reason='a test')"], timeout_s=20)
        assert time.monotonic() - began_s < 5, "process 1 did not end at once"
        lab.fault("heal")  # waits for a machine that is on its way
        after = lab.run("n1", [sys.executable, "-c", ask + "print(s.boot_id())"], timeout_s=20).out
        assert after not in ("", before)
        log = (lab.places.node("n1") / "standin" / "eventlog.jsonl").read_text(encoding="utf-8")
        assert "a test" in log
