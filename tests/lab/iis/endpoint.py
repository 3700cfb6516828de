# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A listening socket for one IP and port, shared by the sites that are bound there under different host names."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable

from .certificates import CertificateTable
from .config import Binding
from .http import Connection, Request

IPV6_FREEBIND = 78
"""linux/in6.h; Python has no name for it."""
IP_FREEBIND = getattr(socket, "IP_FREEBIND", 15)
BACKLOG = 1024

Serve = Callable[["Endpoint", Request, Connection], Awaitable[None]]


class Endpoint:
    """The listener and its connections. ``routes`` maps host names ("" for any) to sites."""

    def __init__(self, *, ip: str, port: int, tls: bool, serve: Serve) -> None:
        self.ip = ip
        self.port = port
        self.tls = tls
        self.routes: dict[str, str] = {}
        self._bindings: list[Binding] = []
        self._serve = serve
        self._server: asyncio.Server | None = None
        self._connections: set[Connection] = set()

    async def open(self, first: Binding, certificates: CertificateTable) -> None:
        """It accepts connections. Raises OSError when a foreign program has the port."""
        listener = _listening_socket(self.ip, self.port)
        self._bindings.append(first)
        context = certificates.listener_context(self._bindings) if self.tls else None
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self), sock=listener, backlog=BACKLOG, ssl=context
        )

    def add(self, binding: Binding, site: str) -> None:
        """Requests for the binding's host go to the site."""
        if binding not in self._bindings:
            self._bindings.append(binding)
        self.routes[binding.host] = site

    def remove(self, binding: Binding) -> None:
        """Requests for the binding's host go nowhere; without any route left nothing is accepted any more."""
        self.routes.pop(binding.host, None)
        if binding in self._bindings:
            self._bindings.remove(binding)
        if not self.routes:
            self.close()

    def close(self) -> None:
        """The listener is closed and idle connections are; the others end with their present answer."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for connection in tuple(self._connections):
            connection.finish()

    def site_for(self, host: str) -> str | None:
        """The site that answers for this host name."""
        return self.routes.get(host, self.routes.get(""))

    # -- http.Answerer

    def opened(self, connection: Connection) -> bool:
        self._connections.add(connection)
        return self._server is not None

    def closed(self, connection: Connection) -> None:
        self._connections.discard(connection)

    async def answer(self, request: Request, connection: Connection) -> None:
        await self._serve(self, request, connection)


def _listening_socket(ip: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Lets "*" and an address share a port, as HTTP.sys does; the kernel prefers the address.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if sys.platform == "linux" and family == socket.AF_INET:
            listener.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, IPV6_FREEBIND, 1)
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind(("" if ip == "*" else ip, port))
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
