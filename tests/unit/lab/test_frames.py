# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes on the wire that the oracles read and write."""

from __future__ import annotations

import socket
import struct

import pytest

from holdfast_lab.oracle.arp_frames import Arp, decode, encode
from holdfast_lab.oracle.netlink import local_address, split_messages

QUESTION = Arp(
    operation="request",
    sender_mac="02:48:46:00:00:05",
    sender="10.77.0.5",
    target_mac="00:00:00:00:00:00",
    target="10.77.0.113",
)
# Written out by hand from RFC 826: Ethernet header, then hardware type 1, protocol 0x0800, lengths 6 and 4, request.
QUESTION_BYTES = bytes.fromhex(
    "ffffffffffff 024846000005 0806 0001 0800 06 04 0001 024846000005 0a4d0005 000000000000 0a4d0071"
)


def test_a_question_is_the_bytes_of_the_rfc() -> None:
    encoded = encode(QUESTION, source_mac="02:48:46:00:00:05", target_mac="ff:ff:ff:ff:ff:ff")
    assert encoded == QUESTION_BYTES
    assert decode(encoded) == QUESTION


def test_padding_after_the_packet_is_ignored() -> None:
    assert decode(QUESTION_BYTES + bytes(18)) == QUESTION


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        QUESTION_BYTES[:41],
        QUESTION_BYTES.replace(b"\x08\x06", b"\x08\x00", 1),
        QUESTION_BYTES[:14] + b"\x00\x06" + QUESTION_BYTES[16:],
        QUESTION_BYTES[:20] + b"\x00\x09" + QUESTION_BYTES[22:],
    ],
    ids=["empty", "cut off", "IPv4", "not Ethernet", "neither request nor reply"],
)
def test_what_is_no_arp_for_ipv4_is_nothing(frame: bytes) -> None:
    assert decode(frame) is None


def address_payload(*attributes: tuple[int, bytes], family: int = socket.AF_INET) -> bytes:
    payload = struct.pack("=BBBBI", family, 24, 0, 0, 2)
    for kind, value in attributes:
        payload += struct.pack("=HH", 4 + len(value), kind) + value + bytes(-len(value) % 4)
    return payload


def test_the_local_address_counts_and_not_the_peers() -> None:
    local, peer = socket.inet_aton("10.77.0.113"), socket.inet_aton("10.77.0.1")
    assert local_address(address_payload((1, peer), (3, b"LAN\x00"), (2, local))) == "10.77.0.113"
    assert local_address(address_payload((1, peer))) == "10.77.0.1"


def test_an_ipv6_address_is_nothing() -> None:
    assert local_address(address_payload((1, bytes(16)), family=socket.AF_INET6)) is None


def test_messages_are_split_at_their_padded_lengths() -> None:
    one = struct.pack("=IHHII", 17, 20, 0, 1, 0) + b"a" + bytes(3)
    two = struct.pack("=IHHII", 18, 21, 0, 1, 0) + b"bc"
    assert list(split_messages(one + two)) == [(20, b"a"), (21, b"bc")]


def test_a_message_shorter_than_its_header_ends_the_datagram() -> None:
    assert list(split_messages(struct.pack("=IHHII", 3, 20, 0, 1, 0))) == []
