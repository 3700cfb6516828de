# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""One HTTP or HTTPS request through a binding, as a client would make it, with a bounded end."""

from __future__ import annotations

import hashlib
import socket
import ssl
from dataclasses import dataclass

from ..core.values.model import Binding

AGENT = "Holdfast"
"""User-Agent of the request, so that the site's own log tells it from a client."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back: the HTTP status or None with the error, and for https the thumbprint shown."""

    status: int | None
    thumbprint: str | None
    error: str = ""


def ask(binding: Binding, *, timeout_s: float) -> Answer:
    """The answer to ``GET /`` at the binding's address with its host header. Failing is an answer too.

    The certificate's name and chain are not judged, only its thumbprint is reported: a site may well have a
    certificate that this node itself does not trust.
    """
    # Late, like everything of HTTP: a start of the monitor does without it.
    from http.client import HTTPException

    thumbprint: str | None = None
    try:
        with socket.create_connection((binding.ip, binding.port), timeout=timeout_s) as plain:
            plain.settimeout(timeout_s)
            if binding.protocol == "http":
                return Answer(status=_status(plain, binding, timeout_s), thumbprint=None)
            with _context().wrap_socket(plain, server_hostname=binding.host or binding.ip) as secure:
                thumbprint = hashlib.sha1(secure.getpeercert(binary_form=True) or b"").hexdigest().upper()
                return Answer(status=_status(secure, binding, timeout_s), thumbprint=thumbprint)
    except (OSError, HTTPException, ValueError) as error:
        return Answer(status=None, thumbprint=thumbprint, error=f"{type(error).__name__}: {error}")


def _status(connected: socket.socket, binding: Binding, timeout_s: float) -> int:
    from http.client import HTTPConnection

    connection = HTTPConnection(binding.host or binding.ip, binding.port, timeout=timeout_s)
    connection.sock = connected
    headers = {"User-Agent": AGENT, "Connection": "close"}
    connection.request("GET", "/", headers=headers)
    return connection.getresponse().status


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
