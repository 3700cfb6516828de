# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenSSH on the node, with PowerShell as the default shell, and SFTP for files.

A command is either ``PowerShell ... -EncodedCommand ...`` as ansible-core sends it, or the text of a script.
"""

from __future__ import annotations

import hmac
import logging
import socket
import threading
from collections.abc import Mapping
from pathlib import Path

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from .config import Config
from .job import Job
from .node import Node
from .powershell.scripts import recognise_command, recognise_script
from .sftp import Files

LOG = logging.getLogger(__name__)
READ_BYTES = 32_768
POLL_S = 3600.0
BACKLOG_S = 30.0
POWERSHELL = "PowerShell "


class SshServer:
    """Serves SSH on an inherited, listening socket until it is closed."""

    def __init__(self, listener: socket.socket, config: Config, node: Node) -> None:
        self._listener = listener
        self._node = node
        self._key = _host_key(config.ssh_host_key)
        self._authorized = config.ssh_authorized_keys
        self._transports: set[paramiko.Transport] = set()
        threading.Thread(target=self._accept, name="ssh", daemon=True).start()

    def close(self) -> None:
        """No connection is left, and none is accepted."""
        self._listener.close()
        for transport in list(self._transports):
            transport.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), name="ssh connection", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(connection)
        transport.add_server_key(self._key)
        transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files, self._node)
        self._transports.add(transport)
        session = _Session(self._node, _authorized(self._authorized))
        try:
            transport.start_server(server=session)
            while transport.is_active():
                # The channel must be kept: paramiko closes one that nobody refers to.
                channel = transport.accept(BACKLOG_S)
                if channel is not None:
                    session.channels.append(channel)
        except (paramiko.SSHException, EOFError, OSError) as error:
            LOG.debug("ssh connection ended: %s", error)
        finally:
            self._transports.discard(transport)
            transport.close()


class _Session(paramiko.ServerInterface):
    """One connection: who may log on, and what its channels do."""

    def __init__(self, node: Node, authorized: frozenset[str]) -> None:
        self._node = node
        self._authorized = authorized
        self.channels: list[paramiko.Channel] = []

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - paramiko's signature
        return "publickey,password"

    def check_auth_password(self, username: str, password: str) -> int:
        expected = _lower(self._node.users).get(username.rpartition("\\")[2].lower(), "")
        allowed = bool(expected) and hmac.compare_digest(expected.encode(), password.encode())
        return AUTH_SUCCESSFUL if allowed else AUTH_FAILED

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username.rpartition("\\")[2].lower() in _lower(self._node.users)
        allowed = known and key.get_base64() in self._authorized
        return AUTH_SUCCESSFUL if allowed else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 - paramiko's signature
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        arguments = (channel, command.decode(), self._node)
        threading.Thread(target=_run, args=arguments, name="ssh command", daemon=True).start()
        return True


def _run(channel: paramiko.Channel, command: str, node: Node) -> None:
    recognise = recognise_command if command.startswith((POWERSHELL, "type ")) else recognise_script
    job = Job(recognise(command, node))
    threading.Thread(target=_feed, args=(channel, job), name="ssh input", daemon=True).start()
    try:
        while True:
            chunk = job.read(limit=READ_BYTES, wait_s=POLL_S, gone=lambda: channel.closed)
            if chunk is None:
                return
            channel.sendall(chunk.out)
            channel.sendall_stderr(chunk.err)
            if chunk.code is not None:
                channel.send_exit_status(chunk.code)
                return
    except OSError as error:
        LOG.debug("ssh channel ended: %s", error)
    finally:
        job.end()
        channel.close()


def _feed(channel: paramiko.Channel, job: Job) -> None:
    while data := channel.recv(READ_BYTES):
        job.feed(data, last=False)
    job.feed(b"", last=True)


def _lower(users: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): password for name, password in users.items()}


def _authorized(path: Path) -> frozenset[str]:
    """The base64 of the public keys in the file; none when there is no file."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return frozenset()
    return frozenset(line.split()[1] for line in lines if len(line.split()) >= 2 and not line.startswith("#"))


def _host_key(path: Path) -> paramiko.PKey:
    if not path.exists():
        paramiko.ECDSAKey.generate().write_private_key_file(str(path))
    return paramiko.ECDSAKey.from_private_key_file(str(path))
