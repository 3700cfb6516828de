# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Subject and end of a certificate from its DER bytes. Pure, and only as much of X.509 as that takes.

Source: RFC 5280 section 4.1 (Certificate, TBSCertificate, Validity, Name), ITU-T X.690 (DER lengths).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from ..errors import SurfaceError

_EXPLICIT_VERSION = 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_BMP_STRING, _T61_STRING = 0x1E, 0x14
_CENTURY_PIVOT = 50
"""RFC 5280 4.1.2.5.1: a two-digit year from 50 on is 19xx."""

_NAMES = {
    "550403": "CN", "55040a": "O", "55040b": "OU", "550406": "C", "550407": "L", "550408": "S",
    "0992268993f22c640119": "DC",
}  # fmt: skip


def thumbprint_of(der: bytes) -> str:
    """The SHA-1 of the certificate in capitals, the name that Windows and IIS have for it."""
    return hashlib.sha1(der).hexdigest().upper()


def subject_and_end(der: bytes) -> tuple[str, str]:
    """The subject ("CN=shop.example.com, O=Example") and notAfter as an RFC 3339 UTC time.

    Raises:
        SurfaceError: these bytes are no certificate.
    """
    try:
        certificate = next(_members(der))[1]
        fields = list(_members(next(_members(certificate))[1]))
        offset = 1 if fields[0][0] == _EXPLICIT_VERSION else 0
        validity, subject = fields[offset + 3][1], fields[offset + 4][1]
        return _name(subject), _time(*list(_members(validity))[1])
    except (IndexError, StopIteration, ValueError) as error:
        raise SurfaceError("certificates", "a certificate of the store cannot be read") from error


def _members(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Tag and content of each element, one after the other."""
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise ValueError("an element is longer than what holds it")
        yield tag, data[at : at + length]
        at += length


def _name(raw: bytes) -> str:
    parts = []
    for _unused, relative in _members(raw):
        for _unused, pair in _members(relative):
            (_unused, oid), (tag, value) = list(_members(pair))[:2]
            parts.append(f"{_NAMES.get(oid.hex(), 'OID')}={_text(tag, value)}")
    return ", ".join(parts)


def _text(tag: int, value: bytes) -> str:
    if tag == _BMP_STRING:
        return value.decode("utf-16-be", "replace")
    return value.decode("latin-1" if tag == _T61_STRING else "utf-8", "replace")


def _time(tag: int, value: bytes) -> str:
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        century = "19" if int(text[:2]) >= _CENTURY_PIVOT else "20"
        text = century + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError("this is no time")
    return f"{text[0:4]}-{text[4:6]}-{text[6:8]}T{text[8:10]}:{text[10:12]}:{text[12:14]}Z"
