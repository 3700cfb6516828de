# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three members as processes on this machine, and what can be done to them."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from holdfast_lab.etcd.certificates import Certificates
from holdfast_lab.etcd.command import Member, command
from holdfast_lab.etcd.gateway import GatewayError, call

NETWORK = "127.97"
START_S = 15.0
_PAUSE_S = 0.05


class EtcdCluster:
    """``members`` run under the command ``inside``, by default nothing: this network namespace."""

    def __init__(
        self,
        members: Sequence[Member],
        folder: Path,
        *,
        certificates: Certificates | None = None,
        token_ttl_s: int = 300,
        inside: Sequence[Sequence[str]] = (),
    ) -> None:
        self.members = tuple(members)
        self.certificates = certificates
        self._folder = folder
        self._token = secrets.token_hex(8)
        self._token_ttl_s = token_ttl_s
        self._inside = [list(one) for one in inside] or [[] for _member in self.members]
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def endpoints(self) -> tuple[str, ...]:
        """For the arbiter's settings."""
        return tuple(member.client_url(secure=self.certificates is not None) for member in self.members)

    def start(self, index: int) -> None:
        """The member runs, anew after a kill."""
        member = self.members[index]
        self._folder.mkdir(parents=True, exist_ok=True)
        argv = command(
            member,
            self.members,
            self._folder,
            token=self._token,
            certificates=self.certificates,
            token_ttl_s=self._token_ttl_s,
        )
        with (self._folder / f"{member.name}.log").open("ab") as log:
            self._processes[index] = subprocess.Popen(
                [*self._inside[index], *argv], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self, index: int) -> None:
        """The member is gone at once."""
        process = self._processes.pop(index)
        process.kill()
        process.wait(timeout=10)

    def pause(self, index: int) -> None:
        """The member's process is stopped; its connections stay open."""
        self._processes[index].send_signal(signal.SIGSTOP)

    def resume(self, index: int) -> None:
        """The member's process goes on."""
        self._processes[index].send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Nothing of it runs any more."""
        for index in list(self._processes):
            self.kill(index)

    def running(self) -> list[int]:
        """The members whose processes are there, paused or not."""
        return sorted(self._processes)

    def leader(self, among: Sequence[int] | None = None) -> int:
        """The member that leads, as these members see it; waits for one.

        Raises:
            TimeoutError: there is none.
        """
        asked = list(among if among is not None else self.running())
        end_s = time.monotonic() + START_S
        while time.monotonic() < end_s:
            found = {index: self._status(index) for index in asked}
            ids = {status[0]: index for index, status in found.items() if status}
            leaders = {status[1] for status in found.values() if status}
            if len(leaders) == 1 and (leader := ids.get(leaders.pop())) is not None:
                return leader
            time.sleep(_PAUSE_S)
        raise TimeoutError(f"no leader after {START_S:g} s; see {self._folder}/*.log")

    def _status(self, index: int) -> tuple[str, str] | None:
        """Its own id and its leader's."""
        url = self.endpoints[index]
        try:
            found = call(url, "/v3/maintenance/status", {}, certificates=self.certificates, within_s=1.0)
        except GatewayError:
            return None
        return (found["header"]["member_id"], found["leader"]) if found.get("leader", "0") != "0" else None


def loopback_members(count: int = 3) -> list[Member]:
    """Members on loopback addresses of this process's own, with ports that are free now."""
    octet = os.getpid() % 250 + 1
    members = []
    for number in range(1, count + 1):
        address = f"{NETWORK}.{octet}.{number}"
        client_port, peer_port = _free_ports(address)
        members.append(Member(name=f"etcd{number}", address=address, client_port=client_port, peer_port=peer_port))
    return members


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    members: Sequence[Member] | None = None,
    certificates: Certificates | None = None,
    token_ttl_s: int = 300,
    inside: Sequence[Sequence[str]] = (),
) -> Iterator[EtcdCluster]:
    """All members, with a leader; nothing is left of them afterwards."""
    cluster = EtcdCluster(
        members or loopback_members(),
        folder,
        certificates=certificates,
        token_ttl_s=token_ttl_s,
        inside=inside,
    )
    try:
        for index in range(len(cluster.members)):
            cluster.start(index)
        cluster.leader()
        yield cluster
    finally:
        cluster.stop()


def _free_ports(address: str) -> tuple[int, int]:
    with socket.socket() as first, socket.socket() as second:
        first.bind((address, 0))
        second.bind((address, 0))
        return int(first.getsockname()[1]), int(second.getsockname()[1])
