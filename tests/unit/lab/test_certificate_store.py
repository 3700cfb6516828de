# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's machine store of certificates, against certificates that the cryptography library made."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from holdfast_lab.surface.certificates import CertificateError, find, read_store

SUBJECT = x509.Name(
    [
        x509.NameAttribute(NameOID.COUNTRY_NAME, "DE"),
        x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Größe & Söhne"),
        x509.NameAttribute(NameOID.COMMON_NAME, "shop.example.com"),
    ]
)


def store(node: Path, *, end: datetime.datetime, with_key: bool = True) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    made = (
        x509.CertificateBuilder()
        .subject_name(SUBJECT)
        .issuer_name(SUBJECT)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC))
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    thumbprint = made.fingerprint(hashes.SHA1()).hex().upper()
    pem = made.public_bytes(serialization.Encoding.PEM)
    if with_key:
        pem += key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    folder = node / "standin" / "certs" / "My"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{thumbprint}.pem").write_bytes(pem)
    return thumbprint


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.UTC), "2031-05-06T07:08:09Z"),
        (datetime.datetime(2062, 1, 2, tzinfo=datetime.UTC), "2062-01-02T00:00:00Z"),
    ],
)
def test_a_certificate_is_shown_as_windows_shows_it(tmp_path: Path, end: datetime.datetime, text: str) -> None:
    thumbprint = store(tmp_path, end=end)
    (shown,) = read_store(tmp_path, "MY")
    assert shown.thumbprint == thumbprint
    assert shown.subject == "CN=shop.example.com, O=Größe & Söhne, C=DE"
    assert shown.not_after == text
    assert shown.has_private_key


def test_a_certificate_without_a_key_says_so(tmp_path: Path) -> None:
    thumbprint = store(tmp_path, end=datetime.datetime(2031, 1, 1, tzinfo=datetime.UTC), with_key=False)
    found = find(tmp_path, store="my", thumbprint=thumbprint.lower())
    assert found is not None
    assert not found.has_private_key


def test_what_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert read_store(tmp_path, "MY") == []
    assert find(tmp_path, store="MY", thumbprint="00" * 20) is None


def test_a_file_whose_name_is_not_the_thumbprint_is_refused(tmp_path: Path) -> None:
    thumbprint = store(tmp_path, end=datetime.datetime(2031, 1, 1, tzinfo=datetime.UTC))
    folder = tmp_path / "standin" / "certs" / "My"
    (folder / f"{thumbprint}.pem").rename(folder / f"{'AB' * 20}.pem")
    with pytest.raises(CertificateError, match="its name must be the thumbprint"):
        read_store(tmp_path, "MY")
