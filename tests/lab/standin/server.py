# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One stand-in from its start to its orderly end."""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
from types import FrameType

from .config import Config
from .modules.features import seed
from .node import Node, open_node
from .powershell.core_scripts import check_installed
from .scm.socket import ControlSocket
from .ssh import SshServer
from .winrm import soap
from .winrm.auth import write_ntlm_users
from .winrm.http import WinRMServer
from .winrm.psrp import RESOURCE, Runspaces
from .winrm.shells import Shells

LOG = logging.getLogger(__name__)


def serve(config: Config) -> None:
    """The node was up until SIGTERM or SIGINT came; its services are stopped. Call it in the main thread.

    Raises ConfigError, and CoreUnknownError when ansible-core is not the one that the stand-in knows.
    """
    check_installed()
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    node = open_node(config)
    seed(node)
    write_ntlm_users(config.private / "ntlm-users", node.users, computer=node.name)
    control = ControlSocket(config.private / "scm.sock", node.services)
    winrm = _winrm(config, node)
    ssh = _ssh(config, node)
    try:
        node.services.start_automatic()
        _report_ready(config)
        stop.wait()
        node.services.announce_shutdown()
    finally:
        winrm.shutdown()
        winrm.server_close()
        if ssh is not None:
            ssh.close()
        node.services.stop_all()
        control.shutdown()
        control.server_close()


def _winrm(config: Config, node: Node) -> WinRMServer:
    listener = socket.socket(fileno=config.winrm_fd)
    server = WinRMServer(listener, config, node, {soap.COMMAND_SHELL: Shells(node), RESOURCE: Runspaces(node)})
    threading.Thread(target=server.serve_forever, args=(0.05,), name="winrm", daemon=True).start()
    return server


def _ssh(config: Config, node: Node) -> SshServer | None:
    if config.ssh_fd is None:
        return None
    return SshServer(socket.socket(fileno=config.ssh_fd), config, node)


def _report_ready(config: Config) -> None:
    if config.ready_fd is not None:
        os.write(config.ready_fd, b"ready\n")
        os.close(config.ready_fd)
