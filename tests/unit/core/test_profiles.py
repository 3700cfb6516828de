# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The timers keep their promises: on each profile, on every mix of an old and a new one, and they say when not."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import permutations

import pytest

from holdfast.core.values.model import Ip, Profile, Volume
from holdfast.core.values.profiles import (
    GUARD_S,
    RATE_ERROR,
    STEP_TIMEOUT_S,
    TAKE_MAX_S,
    TIMERS,
    Timers,
    step_timeout_s,
    unsafe,
)

NORMAL = TIMERS["normal"]
PROFILES: tuple[Profile, ...] = ("fast", "normal", "vm")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_profile_is_safe(profile: Profile) -> None:
    assert unsafe(TIMERS[profile]) == ""


def _mixed(holder: Timers, voter: Timers) -> Timers:
    """What would hold if a voter waited by its own profile, not by what the holder announced."""
    return replace(holder, take_light_s=voter.take_light_s, take_s=voter.take_s)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_lease_carries_the_times_of_its_holder(profile: Profile) -> None:
    """So that every mix of an old and a new profile is safe: the voter goes by the lease, not by its own profile."""
    timers = TIMERS[profile]
    assert (timers.lease.light_s, timers.lease.full_s) == (timers.take_light_s, timers.take_s)


@pytest.mark.parametrize(("holder", "voter"), [*permutations(PROFILES, 2)])
def test_a_voter_that_went_by_its_own_profile_would_be_unsafe(holder: Profile, voter: Profile) -> None:
    """Safe only where the voter happens to wait longer than the holder trusts its votes."""
    shorter = TIMERS[voter].take_s < TIMERS[holder].take_s
    assert bool(unsafe(_mixed(TIMERS[holder], TIMERS[voter]))) == shorter


@pytest.mark.parametrize("profile", PROFILES)
def test_whoever_has_just_started_waits_for_the_longest_lease_there_is(profile: Profile) -> None:
    assert TIMERS[profile].take_s <= TAKE_MAX_S


@pytest.mark.parametrize(
    "worse",
    [
        {"own_s": NORMAL.own_s * 1.2},
        {"fence_s": NORMAL.fence_s * 2},
        {"fence_light_s": NORMAL.fence_light_s * 2},
        {"take_s": NORMAL.take_s * 0.9},
        {"take_light_s": NORMAL.take_light_s * 0.9},
    ],
    ids=lambda worse: next(iter(worse)),
)
def test_timers_without_margin_are_refused_with_the_numbers(worse: dict[str, float]) -> None:
    timers = replace(NORMAL, **worse)
    why = unsafe(timers)
    assert f"own {timers.own_s:g} s" in why
    assert f"guard {GUARD_S:g} s" in why


def test_the_margin_counts_both_clocks_at_their_worst() -> None:
    """The owner's clock may be slow and the voter's fast: each by RATE_ERROR."""
    off_s = NORMAL.own_s * (1 + RATE_ERROR) + GUARD_S + NORMAL.fence_s
    just_enough = off_s / (1 - RATE_ERROR)
    assert unsafe(replace(NORMAL, take_s=just_enough + 1e-6)) == ""
    assert unsafe(replace(NORMAL, take_s=just_enough - 1e-6))


@pytest.mark.parametrize("profile", PROFILES)
def test_a_lease_outlives_lost_renewals(profile: Profile) -> None:
    """Two renewals in a row may be lost, and the third still comes in time; a heartbeat renews as well."""
    timers = TIMERS[profile]
    assert timers.own_s > 3 * timers.renew_s
    assert timers.own_s > 3 * timers.heartbeat_s
    assert timers.suspect_s > 2 * timers.heartbeat_s
    assert timers.suspect_s < timers.dead_s


@pytest.mark.parametrize("profile", PROFILES)
def test_a_group_without_a_volume_is_taken_over_sooner(profile: Profile) -> None:
    timers = TIMERS[profile]
    assert timers.take_light_s < timers.take_s
    assert timers.fence_light_s < timers.fence_s


def test_every_timer_is_a_time() -> None:
    for timers in TIMERS.values():
        assert all(getattr(timers, field.name) > 0 for field in fields(timers))


def test_an_address_is_given_up_sooner_than_a_site_or_a_disk() -> None:
    ip = Ip(tag="ip", address="192.0.2.1", prefix_length=24, interfaces={}, priorities={})
    volume = Volume(tag="vol", drive="X:", driver="shared_disk", disk="d", priorities={})
    for operation, seconds in STEP_TIMEOUT_S.items():
        assert step_timeout_s(operation, volume) == seconds
        assert step_timeout_s(operation, ip) <= seconds
