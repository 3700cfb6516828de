# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Who we are on the wire: the node's certificate, and which certificates we believe.

Rule: TLS 1.3 only, both sides show a certificate of the cluster's own authority, and the peer's name is a DNS
entry of its subject alternative name. The files are looked at anew for every connection, so that a rotated
certificate counts from the next connection on; while they cannot be read, the last good ones serve.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)
Fingerprint = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pki:
    """The three files, PEM: the authority's certificate, the node's certificate, the node's key."""

    authority: Path
    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """What a new connection uses; ``fingerprint`` tells whether the files have changed since."""

    dial: ssl.SSLContext
    listen: ssl.SSLContext
    fingerprint: Fingerprint


class Identity:
    """The contexts for new connections. Files are read in a worker thread only."""

    def __init__(self, *, pki: Pki, in_thread: Callable[[Callable[[], Contexts]], Awaitable[Contexts]]) -> None:
        self._pki = pki
        self._in_thread = in_thread
        self._known: Contexts | None = None
        self._reading: asyncio.Future[Contexts] | None = None
        self._trouble = ""

    async def contexts(self, patience_s: float) -> Contexts:
        """The contexts of the files as they are now; of the last good ones when that takes too long or fails.

        Raises:
            OSError: there never were good files (ssl.SSLError is one).
        """
        if self._reading is None or self._reading.done():
            self._reading = asyncio.ensure_future(self._in_thread(self._read))
        reading = self._reading
        await asyncio.wait([reading], timeout=patience_s if self._known else None)
        trouble = self._outcome(reading)
        if trouble != self._trouble and trouble:
            log.warning("certificate files: %s; new comm paths go on with those read before", trouble)
        self._trouble = trouble
        if self._known is None:
            raise OSError(trouble)
        return self._known

    def _outcome(self, reading: asyncio.Future[Contexts]) -> str:
        if not reading.done():
            return "reading them takes too long"
        error = reading.exception()
        if error is None:
            self._known = reading.result()
            return ""
        if not isinstance(error, OSError):
            raise error
        return f"{error}"

    def _read(self) -> Contexts:
        """In a thread. The same contexts as before when no file has changed."""
        pki = self._pki
        files = (pki.authority, pki.certificate, pki.key)
        fingerprint = tuple((found.st_mtime_ns, found.st_size) for found in map(Path.stat, files))
        if self._known is not None and self._known.fingerprint == fingerprint:
            return self._known
        return Contexts(
            dial=_context(ssl.PROTOCOL_TLS_CLIENT, pki),
            listen=_context(ssl.PROTOCOL_TLS_SERVER, pki),
            fingerprint=fingerprint,
        )


def peer_names(certificate: Any) -> frozenset[str]:
    """The DNS entries of the subject alternative name in what ``SSLObject.getpeercert`` returns."""
    entries = certificate.get("subjectAltName", ()) if certificate else ()
    return frozenset(value for kind, value in entries if kind == "DNS")


def _context(protocol: ssl._SSLMethod, pki: Pki) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # Names are compared by us, the same way on both sides: OpenSSL would do it for the dialled side only.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    if protocol == ssl.PROTOCOL_TLS_SERVER:
        # A resumed session would skip the certificates, and with them a rotation.
        context.num_tickets = 0
    context.load_verify_locations(cafile=str(pki.authority))
    # Without a password OpenSSL would ask for one on the console, and a service waits there for ever.
    context.load_cert_chain(certfile=str(pki.certificate), keyfile=str(pki.key), password="")
    return context
