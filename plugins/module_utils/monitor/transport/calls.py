# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""From a socket to an authenticated connection, on either side."""

from __future__ import annotations

import asyncio
import socket
import ssl

from .connection import Connection
from .identity import Contexts
from .sockets import bound_socket
from .timing import Timing


async def dial(
    contexts: Contexts, timing: Timing, connection: Connection, *, local: str, remote: tuple[str, int]
) -> None:
    """The connection is through TLS to ``remote``, from our own address ``local``; it greets by itself.

    Raises:
        OSError: it came to nothing (ssl.SSLError is one).
    """
    loop = asyncio.get_running_loop()
    try:
        sock = bound_socket(local, 0)
    except OSError as error:
        raise OSError(f"cannot call from {local}: {told(error)}") from None
    try:
        async with asyncio.timeout(timing.connect_s):
            await loop.sock_connect(sock, remote)
        await loop.create_connection(
            lambda: connection,
            sock=sock,
            ssl=contexts.dial,
            server_hostname="",
            ssl_handshake_timeout=timing.greet_s,
            ssl_shutdown_timeout=timing.greet_s,
        )
    except BaseException:
        sock.close()
        raise


async def answer(contexts: Contexts, timing: Timing, connection: Connection, caller: socket.socket) -> None:
    """The accepted socket is through TLS; what becomes of it is told through the connection.

    Raises:
        OSError: it came to nothing (ssl.SSLError is one).
    """
    await asyncio.get_running_loop().connect_accepted_socket(
        lambda: connection,
        caller,
        ssl=contexts.listen,
        ssl_handshake_timeout=timing.greet_s,
        ssl_shutdown_timeout=timing.greet_s,
    )


def address_of(caller: socket.socket) -> str:
    """Where the caller is; it may be gone already."""
    try:
        return str(caller.getpeername()[0])
    except OSError:
        return "an unknown address"


def told(error: OSError) -> str:
    """The error in few words; some have no text."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is refused: {error.verify_message}"
    if isinstance(error, TimeoutError) and not str(error):
        return "no answer in time"
    return str(error) or type(error).__name__
