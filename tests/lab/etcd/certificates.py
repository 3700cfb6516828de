# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates for an etcd and its clients, as its gateway needs them.

The gateway is a client of its own member: with ``--client-cert-auth`` the server's certificate has to be good for a
client too. And where users have passwords, it refuses clients whose certificate has a common name.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from holdfast_lab.world.certificates import Pair, make_authority, write_private

_VALID = datetime.timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Certificates:
    """The files, PEM."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    named: Path
    named_key: Path

    def with_common_name(self) -> Certificates:
        """The same, but clients show the certificate that has a common name."""
        return replace(self, client=self.named, client_key=self.named_key)


def make_certificates(folder: Path, addresses: Sequence[str]) -> Certificates:
    """One authority, a certificate for all members at these addresses, one for clients, and one with a common name."""
    authority = make_authority("Lab etcd")
    alternatives = [x509.IPAddress(ip_address(address)) for address in addresses]
    both = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    server = _sign(authority, "etcd", alternatives, both)
    client, named = (
        _sign(authority, name, [x509.DNSName("node")], [ExtendedKeyUsageOID.CLIENT_AUTH]) for name in ("", "node")
    )
    names = ("ca.crt", "server.crt", "server.key", "client.crt", "client.key", "named.crt", "named.key")
    files = Certificates(*(folder / name for name in names))
    write_private(files.authority, authority.certificate_pem)
    for pair, certificate, key in (
        (server, files.server, files.server_key),
        (client, files.client, files.client_key),
        (named, files.named, files.named_key),
    ):
        write_private(certificate, pair.certificate_pem)
        write_private(key, pair.key_pem)
    return files


def _sign(
    authority: Pair, name: str, alternatives: Sequence[x509.GeneralName], uses: Sequence[x509.ObjectIdentifier]
) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else []))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=not name)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    return Pair(builder.sign(authority.key, hashes.SHA256()), key)
