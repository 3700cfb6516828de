# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who speaks on a connection: NTLM or SPNEGO bound to the TLS channel, or Basic. State belongs to the connection."""

from __future__ import annotations

import base64
import binascii
import hmac
import logging
import os
from collections.abc import Mapping
from pathlib import Path

import spnego
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from spnego.channel_bindings import GssChannelBindings

from ..config import ConfigError

LOG = logging.getLogger(__name__)
CHALLENGES = ("Negotiate", 'Basic realm="WSMAN"')


def write_ntlm_users(path: Path, users: Mapping[str, str], *, computer: str) -> None:
    """The accounts are in the file that pyspnego's acceptor reads, under every domain a client may name.

    Raises ConfigError for a name or password that the file cannot carry.
    """
    lines = []
    for user, password in users.items():
        if any(character in user + password for character in ":\r\n"):
            raise ConfigError(f"the account {user!r}: neither name nor password may have a colon or a line break")
        lines += [f"{domain}:{user}:{password}" for domain in ("", computer.upper(), ".")]
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    os.environ["NTLM_USER_FILE"] = str(path)


def channel_bindings(certificate_pem: bytes) -> GssChannelBindings:
    """The tls-server-end-point binding of this certificate (RFC 5929, section 4)."""
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None or algorithm.name in ("md5", "sha1"):
        algorithm = hashes.SHA256()
    return GssChannelBindings(application_data=b"tls-server-end-point:" + certificate.fingerprint(algorithm))


class Authentication:
    """One connection's authentication."""

    def __init__(self, users: Mapping[str, str], bindings: GssChannelBindings) -> None:
        self._users = users
        self._bindings = bindings
        self._context: spnego.ContextProxy | None = None
        self._established = False

    def check(self, header: str | None) -> tuple[bool, list[str]]:
        """Whether a request with this Authorization header is let in, and the WWW-Authenticate headers to answer."""
        scheme, _, value = (header or "").partition(" ")
        match scheme.lower():
            case "basic":
                return self._basic(value), list(CHALLENGES)
            case "negotiate":
                return self._negotiate(value)
            case "" if self._established:
                return True, []
        return False, list(CHALLENGES)

    def _basic(self, value: str) -> bool:
        try:
            user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        known = {name.lower(): secret for name, secret in self._users.items()}
        expected = known.get(user.rpartition("\\")[2].lower(), "")
        return bool(expected) and hmac.compare_digest(expected.encode(), password.encode())

    def _negotiate(self, value: str) -> tuple[bool, list[str]]:
        try:
            token = base64.b64decode(value, validate=True)
            if self._context is None or self._established:
                self._established = False
                self._context = spnego.server(
                    protocol="negotiate",
                    options=spnego.NegotiateOptions.use_negotiate | spnego.NegotiateOptions.use_ntlm,
                    channel_bindings=self._bindings,
                )
            answer = self._context.step(token)
        except (binascii.Error, spnego.exceptions.SpnegoError) as error:
            LOG.info("logon refused: %s", error)
            self._context = None
            return False, list(CHALLENGES)
        self._established = self._context.complete
        header = [f"Negotiate {base64.b64encode(answer).decode()}"] if answer else []
        return self._established, header or ([] if self._established else ["Negotiate"])
