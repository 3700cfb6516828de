# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of many groups that lost their holder so many claim at a time, and all get their turn."""

from __future__ import annotations

from holdfast.core.cluster.claims import AT_ONCE, OpenClaims


def full() -> OpenClaims:
    claims = OpenClaims(patience_s=1.0)
    for number in range(AT_ONCE):
        assert claims.has_room(f"s{number}", 10.0)
        claims.begun(f"s{number}", 10.0)
    return claims


def test_who_finds_no_room_is_named_when_a_claim_is_answered() -> None:
    claims = full()
    assert not claims.has_room("first", 10.1)
    assert not claims.has_room("second", 10.1)
    assert claims.answered("s5") == "first"
    assert claims.has_room("first", 10.2)
    claims.begun("first", 10.2)
    assert not claims.has_room("third", 10.2)
    assert claims.answered("s6") == "second"


def test_nobody_is_named_when_nobody_waits() -> None:
    assert full().answered("s5") is None


def test_a_claim_that_is_never_answered_makes_room_all_the_same() -> None:
    claims = full()
    assert not claims.has_room("first", 10.9)
    assert claims.has_room("first", 11.0)


def test_a_claim_that_is_made_again_counts_once_and_from_then() -> None:
    claims = full()
    claims.begun("s0", 10.5)
    for number in range(1, AT_ONCE):
        claims.answered(f"s{number}")
    assert all(claims.has_room(f"t{number}", 11.2) for number in range(AT_ONCE - 1))
