# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command line: a configuration file, or a node's folder and inherited sockets."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from .config import Config, ConfigError, by_convention, load
from .powershell.core_scripts import CoreUnknownError
from .server import serve


def main(arguments: Sequence[str]) -> int:
    """The process's exit code: 0 after an orderly shutdown, 2 when it could not start."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("paramiko").setLevel(logging.WARNING)
    try:
        serve(_config(arguments))
    except (ConfigError, CoreUnknownError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def _config(arguments: Sequence[str]) -> Config:
    parser = argparse.ArgumentParser(prog="standin", description="A stand-in for a Windows node.")
    parser.add_argument("config", type=Path, nargs="?", help="configuration file (JSON); see the package")
    parser.add_argument("--node", type=Path, help="the node's folder")
    parser.add_argument("--winrm-fd", type=int, help="inherited listening socket of WinRM over HTTPS")
    parser.add_argument("--ssh-fd", type=int, help="inherited listening socket of SSH")
    parser.add_argument("--ready-fd", type=int, help="gets 'ready' once the node is up")
    given = parser.parse_args(arguments)
    if given.config is not None:
        return load(given.config)
    if given.node is None or given.winrm_fd is None:
        parser.error("give a configuration file, or --node and --winrm-fd")
    return by_convention(node=given.node, winrm_fd=given.winrm_fd, ssh_fd=given.ssh_fd, ready_fd=given.ready_fd)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
