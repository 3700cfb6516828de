# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The machine's certificate store of a node: ``standin/certs/<Store>/<THUMBPRINT>.pem``, certificate and maybe key.

Reads the few DER fields that a store shows itself (RFC 5280 section 4.1): a node's Python has no library for it.
"""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

_NAMES = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "S",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
}
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_UTC_TIME = 0x17


class CertificateError(Exception):
    """A file in the store is not the certificate its name says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCertificate:
    """A certificate as the store shows it; ``not_after`` is an RFC 3339 UTC time."""

    thumbprint: str
    subject: str
    not_after: str
    has_private_key: bool
    file: Path


def read_store(node: Path, store: str) -> list[StoredCertificate]:
    """All certificates of the store, by thumbprint; none when there is no such store. Raises CertificateError."""
    folder = _folder(node, store)
    return [] if folder is None else [read_file(file) for file in sorted(folder.glob("*.pem"))]


def find(node: Path, *, store: str, thumbprint: str) -> StoredCertificate | None:
    """The certificate with this thumbprint. Raises CertificateError."""
    folder = _folder(node, store)
    file = None if folder is None else folder / f"{thumbprint.upper()}.pem"
    return read_file(file) if file is not None and file.is_file() else None


def read_file(file: Path) -> StoredCertificate:
    """What the file holds. Raises CertificateError when it is no certificate or its name is not the thumbprint."""
    text = file.read_text(encoding="ascii")
    found = _PEM.search(text)
    if found is None:
        raise CertificateError(f"{file.name} holds no certificate")
    der = ssl.PEM_cert_to_DER_cert(found[0])
    thumbprint = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    if file.stem != thumbprint:
        raise CertificateError(f"{file.name} holds the certificate {thumbprint}; its name must be the thumbprint")
    subject, not_after = _subject_and_end(der)
    return StoredCertificate(
        thumbprint=thumbprint,
        subject=subject,
        not_after=not_after,
        has_private_key="PRIVATE KEY-----" in text,
        file=file,
    )


def _folder(node: Path, store: str) -> Path | None:
    top = node / "standin" / "certs"
    if top.is_dir():
        for folder in top.iterdir():
            if folder.name.lower() == store.lower():
                return folder
    return None


def _subject_and_end(der: bytes) -> tuple[str, str]:
    certificate = next(_values(der))[1]
    fields = list(_values(next(_values(certificate))[1]))
    if fields[0][0] == 0xA0:  # the version, absent in version 1
        fields = fields[1:]
    _serial, _algorithm, _issuer, validity, subject = (content for _tag, content in fields[:5])
    _not_before, not_after = _values(validity)
    return _name(subject), _time(*not_after)


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of the DER values that follow each other in ``data``."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(data[at : at + size], "big"), at + size
        yield tag, data[at : at + length]
        at += length


def _name(content: bytes) -> str:
    parts = []
    for _set, relative in _values(content):
        (_oid, oid), (_text, text) = _values(next(_values(relative))[1])
        parts.append(f"{_NAMES.get(_dotted(oid), _dotted(oid))}={text.decode('utf-8', 'replace')}")
    return ", ".join(reversed(parts))


def _dotted(oid: bytes) -> str:
    numbers, value = [oid[0] // 40, oid[0] % 40], 0
    for byte in oid[1:]:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    return ".".join(map(str, numbers))


def _time(tag: int, content: bytes) -> str:
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # two digits of the year; 50 and more are of the last century (RFC 5280 section 4.1.2.5.1)
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%S%z").astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
