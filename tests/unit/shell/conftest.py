# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the shell share: certificate authorities and certificates made for the test."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from holdfast.transport.identity import Pki

NOW = datetime.datetime.now(datetime.UTC)
PEM = serialization.Encoding.PEM


class Authority:
    """A certificate authority that writes the three files of a node into a folder."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._build(name, self.key, issuer=name, ca=True)

    def files(self, folder: Path, *names: str, days: int = 1) -> Pki:
        folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._build(names[0], key, issuer=self._name(), names=names, days=days)
        pki = Pki(authority=folder / "ca.crt", certificate=folder / "node.crt", key=folder / "node.key")
        pki.authority.write_bytes(self.certificate.public_bytes(PEM))
        pki.certificate.write_bytes(certificate.public_bytes(PEM))
        form, lock = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pki.key.write_bytes(key.private_bytes(PEM, form, lock))
        return pki

    def _name(self) -> str:
        return str(self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)

    def _build(
        self,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        *,
        issuer: str,
        names: tuple[str, ...] = (),
        ca: bool = False,
        days: int = 1,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=10))
            .not_valid_after(NOW + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if names:
            entries = [x509.DNSName(name) for name in names]
            builder = builder.add_extension(x509.SubjectAlternativeName(entries), critical=False)
        return builder.sign(self.key, hashes.SHA256())


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority("cluster web")


@pytest.fixture(scope="session")
def foreign_authority() -> Authority:
    return Authority("cluster elsewhere")


@pytest.fixture
def node_pki(authority: Authority, tmp_path: Path) -> Callable[..., Pki]:
    """``node_pki("n1")`` makes the files of a node of this cluster."""

    def make(*names: str, days: int = 1) -> Pki:
        return authority.files(tmp_path / names[0], *names, days=days)

    return make
