# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTPS side of WinRM: one thread per connection, keep-alive, the body always drained."""

from __future__ import annotations

import itertools
import logging
import select
import socket
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from ..config import Config
from ..node import Node
from . import auth, soap

LOG = logging.getLogger(__name__)
BODY_BYTES_MAX = 8 * 1024 * 1024
HANDSHAKE_S = 10.0
_numbers = itertools.count(1)


class Connection:
    """A client's connection, for whoever must know whether it is still there."""

    def __init__(self, sock: ssl.SSLSocket) -> None:
        self.number = next(_numbers)
        self._socket = sock

    def gone(self) -> bool:
        """Whether the client closed it. During a long poll a client sends nothing, so anything to read is the end."""
        try:
            return bool(select.select([self._socket], [], [], 0)[0])
        except (OSError, ValueError):
            return True


class Endpoint(Protocol):
    """What answers the envelopes of one kind of resource."""

    def handle(self, request: soap.Request, connection: Connection) -> bytes:
        """The answering envelope. Raises FaultError."""

    def disconnected(self, connection: Connection) -> None:
        """The connection is closed."""


class WinRMServer(ThreadingHTTPServer):
    """Serves WS-Management on an inherited, listening socket."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, listener: socket.socket, config: Config, node: Node, endpoints: dict[str, Endpoint]) -> None:
        address = listener.getsockname()
        super().__init__(address, _Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listener
        self.server_name, self.server_port = address[:2]
        self.node = node
        self.endpoints = endpoints
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(config.certificate, config.key)
        self.bindings = auth.channel_bindings(config.certificate.read_bytes())

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's signature
        error = sys.exc_info()[1]
        if isinstance(error, OSError):  # a client that goes away, or does not trust our certificate
            LOG.debug("connection from %s ended: %s", client_address, error)
        else:
            LOG.error("connection from %s", client_address, exc_info=error)


class _Handler(BaseHTTPRequestHandler):
    server: WinRMServer
    protocol_version = "HTTP/1.1"
    server_version = "Microsoft-HTTPAPI/2.0"
    sys_version = ""
    wbufsize = -1

    def setup(self) -> None:
        # The handshake belongs to this thread: a client that is slow with it must not hold up the others.
        plain = self.request
        plain.settimeout(HANDSHAKE_S)
        self.request = self.server.tls.wrap_socket(plain, server_side=True)
        self.request.settimeout(None)
        super().setup()
        self._connection = Connection(self.request)
        self._auth = auth.Authentication(self.server.node.users, self.server.bindings)

    def finish(self) -> None:
        for endpoint in self.server.endpoints.values():
            endpoint.disconnected(self._connection)
        super().finish()

    def do_POST(self) -> None:
        """One request of WS-Management."""
        length = int(self.headers.get("Content-Length", "0"))
        if length > BODY_BYTES_MAX:
            self._reply(413, b"", [])
            self.close_connection = True
            return
        body = self.rfile.read(length)
        allowed, challenges = self._auth.check(self.headers.get("Authorization"))
        if not allowed:
            self._reply(401, b"", challenges)
        elif self.path.rstrip("/").lower() != "/wsman":
            self._reply(404, b"", [])
        elif not body:
            self._reply(200, b"", challenges)
        else:
            self._reply(*self._manage(body), challenges)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Nothing: a line per request would bury the rest of the log."""

    def _manage(self, body: bytes) -> tuple[int, bytes]:
        request: soap.Request | None = None
        try:
            request = soap.parse(body)
            endpoint = self._endpoint(request)
            return 200, endpoint.handle(request, self._connection)
        except soap.FaultError as error:
            return 500, soap.fault(request, error)

    def _endpoint(self, request: soap.Request) -> Endpoint:
        for prefix, endpoint in self.server.endpoints.items():
            if request.resource.startswith(prefix):
                return endpoint
        raise soap.FaultError(soap.UNSUPPORTED_ACTION, f"the stand-in does not know the resource {request.resource!r}")

    def _reply(self, status: int, body: bytes, challenges: list[str]) -> None:
        self.send_response(status)
        for challenge in challenges:
            self.send_header("WWW-Authenticate", challenge)
        if body:
            self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
