# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two bare nodes on one wire, for tests of the lab's own parts: network namespaces that end with the test.

A namespace is held by a ``cat`` whose input is a pipe of the test's process, so nothing is left even when the test is
killed. On each node an agent (this file, run as a program) calls primitives of the lab's surface and opens
connections; connections come back as sockets, so a test talks to a node's servers with ordinary code.
"""

from __future__ import annotations

import argparse
import array
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from .surface import disks

WIRE = "LAN"
ADDRESSES = {"n1": "10.77.0.11", "n2": "10.77.0.12"}
PREFIX_LENGTH = 24
ANSWER_S = 20.0
MESSAGE_MAX = 1024 * 1024

APPLICATION_HOST = """<?xml version="1.0" encoding="UTF-8"?>
<configuration>
    <system.applicationHost>
        <applicationPools>
            <add name="DefaultAppPool" />
        </applicationPools>
        <sites>
            <siteDefaults />
        </sites>
    </system.applicationHost>
</configuration>
"""


class ArenaError(Exception):
    """An arena could not be made; the text says what was tried."""


class NoNamespacesError(ArenaError):
    """This machine gives us no network namespace at all: not root, and no unprivileged user namespaces."""


class RemoteError(Exception):
    """A primitive raised SurfaceError on the node. ``kind`` is the class, ``code`` the system's number."""

    def __init__(self, kind: str, message: str, code: int) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One node: its folder, the command prefix that enters its network, and the way to its agent."""

    name: str
    folder: Path
    enter: tuple[str, ...]
    agent: socket.socket

    @property
    def private(self) -> Path:
        """Where the lab keeps the node's state."""
        return self.folder / "standin"

    def surface(self, primitive: str, *arguments: Any, **options: Any) -> Any:
        """What the primitive answered on this node; values come as dictionaries. Raises RemoteError."""
        answer, _ = self._ask({"primitive": primitive, "arguments": arguments, "options": options})
        return answer["value"]

    def connect(self, address: str, port: int, *, timeout_s: float = 2.0) -> socket.socket:
        """A connection from this node. Raises RemoteError when there is none."""
        _, sockets = self._ask({"connect": [address, port], "timeout_s": timeout_s})
        connection = socket.socket(fileno=sockets[0])
        connection.settimeout(ANSWER_S)
        return connection

    def start(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        """A program in this node's network and with its environment; whoever starts it ends it."""
        return subprocess.Popen([*self.enter, *command], env=_environment(self.folder), **options)

    def _ask(self, request: Mapping[str, Any]) -> tuple[dict[str, Any], list[int]]:
        self.agent.sendall(json.dumps(request).encode())
        data, sockets, _flags, _address = socket.recv_fds(self.agent, MESSAGE_MAX, 1)
        if not data:
            raise ArenaError(f"the agent of {self.name} ended")
        answer = json.loads(data)
        if not answer["ok"]:
            raise RemoteError(answer["kind"], answer["error"], answer["code"])
        return answer, sockets


@contextmanager
def two_nodes(folder: Path) -> Iterator[tuple[Node, Node]]:
    """n1 and n2 with folders below ``folder``, joined by the wire LAN, addresses set.

    Raises NoNamespacesError when this machine does not allow it, ArenaError when it went wrong.
    """
    with ExitStack() as stack:
        try:
            first = stack.enter_context(_namespace(_outside()))
        except ArenaError as error:
            raise NoNamespacesError(str(error)) from error
        inside = _entering(first)
        second = stack.enter_context(_namespace((*inside, "unshare", "--net")))
        _run(*inside, "ip", "link", "add", WIRE, "type", "veth", "peer", "name", "other-end")
        _run(*inside, "ip", "link", "set", "other-end", "netns", str(second), "name", WIRE)
        nodes = [
            stack.enter_context(_node(folder / "nodes" / name, _entering(pid)))
            for name, pid in zip(ADDRESSES, (first, second), strict=True)
        ]
        disks.create(folder / "disks" / "DISK-1")
        yield nodes[0], nodes[1]


@contextmanager
def running_iis(node: Node) -> Iterator[subprocess.Popen[bytes]]:
    """The lab's IIS runs on the node and is ready; it is ended with the block."""
    reading, writing = os.pipe()
    command = (sys.executable, "-m", "holdfast_lab.iis", "--node", str(node.folder), "--ready-fd", str(writing))
    with node.start(*command, pass_fds=[writing]) as program, open(reading, "rb") as ready:
        os.close(writing)
        try:
            if ready.read() != b"ready\n":
                raise ArenaError("the lab's IIS did not start")
            yield program
        finally:
            program.terminate()
            program.wait(ANSWER_S)


def _outside() -> tuple[str, ...]:
    return ("unshare", "--net") if os.geteuid() == 0 else ("unshare", "--map-root-user", "--net")


def _entering(pid: int) -> tuple[str, ...]:
    user = () if os.geteuid() == 0 else ("--user", "--preserve-credentials")
    return ("nsenter", f"--target={pid}", *user, "--net", "--")


@contextmanager
def _namespace(command: tuple[str, ...]) -> Iterator[int]:
    """The process id of a holder of a new network namespace."""
    pipe = subprocess.PIPE
    with subprocess.Popen([*command, "cat"], stdin=pipe, stdout=pipe, stderr=pipe) as holder:
        if holder.stdin is None or holder.stdout is None or holder.stderr is None:
            raise ArenaError("a holder without pipes")
        holder.stdin.write(b"there\n")
        try:
            holder.stdin.flush()
            there = holder.stdout.readline()
        except BrokenPipeError:
            there = b""
        if there != b"there\n":
            raise ArenaError(f"{' '.join(command)} failed: {holder.stderr.read().decode().strip()}")
        try:
            yield holder.pid
        finally:
            holder.stdin.close()


@contextmanager
def _node(folder: Path, enter: tuple[str, ...]) -> Iterator[Node]:
    for made in ("C/Windows/System32/inetsrv/config", "C/inetpub/wwwroot", "standin/certs/My"):
        (folder / made).mkdir(parents=True)
    config = folder / "C/Windows/System32/inetsrv/config/applicationHost.config"
    config.write_text(APPLICATION_HOST, encoding="utf-8")
    address = f"{ADDRESSES[folder.name]}/{PREFIX_LENGTH}"
    _run(*enter, "ip", "address", "add", address, "dev", WIRE)
    for link in ("lo", WIRE):
        _run(*enter, "ip", "link", "set", link, "up")
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with closing(ours), closing(theirs):
        ours.settimeout(ANSWER_S)
        command = [*enter, sys.executable, "-m", "holdfast_lab.arena", "--fd", str(theirs.fileno())]
        with subprocess.Popen(command, pass_fds=[theirs.fileno()], env=_environment(folder)) as agent:
            theirs.close()
            try:
                yield Node(name=folder.name, folder=folder, enter=enter, agent=ours)
            finally:
                ours.close()
                agent.wait(ANSWER_S)


def _environment(folder: Path) -> dict[str, str]:
    names = os.pathsep.join(path for path in sys.path if path)
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": names,
        "HOLDFAST_LAB_NODE": str(folder),
        "HOLDFAST_SURFACE": "holdfast_lab.surface:open",
        "HOLDFAST_LAB_BOOT_ID": f"boot-of-{folder.name}",
    }


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, check=False, timeout=ANSWER_S)
    if done.returncode:
        raise ArenaError(f"{' '.join(command)} failed: {done.stderr.decode().strip()}")


# -- the agent


def _serve(channel: socket.socket) -> None:
    from holdfast.errors import SurfaceError
    from holdfast.surface import open_surface

    surface = open_surface()
    while data := channel.recv(MESSAGE_MAX):
        request = json.loads(data)
        try:
            if "connect" in request:
                _hand_over(channel, request)
                continue
            value = getattr(surface, request["primitive"])(*request["arguments"], **request["options"])
            answer = {"ok": True, "value": _plain(value)}
        except SurfaceError as error:
            answer = {"ok": False, "kind": type(error).__name__, "error": str(error), "code": error.code}
        except OSError as error:
            answer = {"ok": False, "kind": type(error).__name__, "error": str(error), "code": error.errno or 0}
        channel.sendall(json.dumps(answer).encode())


def _hand_over(channel: socket.socket, request: Mapping[str, Any]) -> None:
    with socket.create_connection(tuple(request["connect"]), timeout=request["timeout_s"]) as connection:
        rights = array.array("i", [connection.fileno()])
        channel.sendmsg([b'{"ok": true}'], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return value.decode()
    return str(value) if isinstance(value, Path) else value


def main() -> None:
    """The agent's entry point: serves the channel until the test closes it."""
    parser = argparse.ArgumentParser(description="Agent of a node of an arena; tests start it.")
    parser.add_argument("--fd", type=int, required=True, help="a SOCK_SEQPACKET socket to the test")
    with socket.socket(fileno=parser.parse_args().fd) as channel:
        _serve(channel)


if __name__ == "__main__":
    main()
