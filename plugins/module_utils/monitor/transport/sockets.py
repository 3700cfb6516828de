# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Sockets as comm paths want them: bound to one address, without delay, exclusive."""

from __future__ import annotations

import socket
import sys


def bound_socket(address: str, port: int) -> socket.socket:
    """A non-blocking TCP socket bound to this address only; port 0 takes any.

    Raises:
        OSError: the address is not on this machine now, or the port is taken.
    """
    made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.settimeout(0)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "win32":
            # On Windows another program could take the port away with SO_REUSEADDR.
            made.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        elif port:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((address, port))
    except OSError:
        made.close()
        raise
    return made
