# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One episode: something is done to the cluster, it recovers, everything is undone; what was seen is counted.

Counting, to the disadvantage of what is tested: a client's own stall in an outage counts as outage, a node that is cut
off but still has its address counts as serving. Only the pauses of a paused machine are no service.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from holdfast.core.values.profiles import TIMERS, Timers

from ..client.samples import Sample, longest_silence_s, missing_s
from ..oracle import intervals
from ..scene import ADDRESSES, NODES, TIMEOUT_MS, Scene, until
from .catalogue import Lasts

QUIET_S = 0.6
"""How long all requests must have been answered before service counts as back."""

BEFORE_S = 0.1
DEEP_CHECK_S = 45.0
SETTLED_S = 60.0
_LOOK_AGAIN_S = 0.05

Seconds = Mapping[str, float]
"""For each site."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What clients and oracles saw in a stretch of time."""

    without_s: Seconds
    """Seconds in which clients of the site got no page."""

    double_s: float
    """Seconds in which an address or a disk was on two nodes, but for the instant after a thaw."""

    thaw_s: float
    """Seconds in which one was on two nodes after a paused machine went on."""

    thaw_disk_s: float
    """The part of these that a disk was on two nodes."""

    stall_s: float
    """The longest time in which the client itself asked nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """What was seen until service was back, and then while everything was undone."""

    fault: Seen
    healing: Seen
    back: bool
    """Whether all sites were in service before anything was undone."""

    double_s: float
    """All double service of the episode."""

    thaw_s: float
    thaw_disk_s: float


def timers_of(scene: Scene) -> Timers:
    """The timers of the cluster's profile."""
    return TIMERS[scene.lab.generated()["lab_profile"]]


def patience_s(lasts: Lasts, timers: Timers) -> tuple[float, float]:
    """How long to watch at least, and how long service may take to be back at the most."""
    take_s = timers.take_s
    return {"own": (timers.own_s + 1.0, 3 * take_s), "take": (take_s, 3 * take_s), "check": (1.0, DEEP_CHECK_S)}[lasts]


def play(scene: Scene, cause: Callable[[], None], *, lasts: Lasts) -> Episode:
    """The cause was in effect until service was back or its time was over; then everything was undone and settled."""
    least_s, most_s = patience_s(lasts, timers_of(scene))
    began_s = time.monotonic()
    cause()
    # What the lab needs for causing it (an orderly shutdown takes seconds) is no part of the patience.
    caused_s = time.monotonic()
    back = quiet(scene, since_s=caused_s, least_s=least_s, most_s=most_s)
    healed_s = time.monotonic()
    scene.lab.fault("heal")
    settle(scene)
    ended_s = time.monotonic()
    await_answers(scene, ended_s)
    whole = look(scene, began_s - BEFORE_S, ended_s)
    return Episode(
        fault=look(scene, began_s - BEFORE_S, healed_s),
        healing=look(scene, healed_s, ended_s),
        back=back,
        double_s=whole.double_s,
        thaw_s=whole.thaw_s,
        thaw_disk_s=whole.thaw_disk_s,
    )


def quiet(scene: Scene, *, since_s: float, least_s: float, most_s: float) -> bool:
    """Whether all clients have been served for a while, looked at from least_s on and given up at most_s."""
    while (now_s := time.monotonic()) < since_s + most_s:
        if now_s >= since_s + least_s and all(served_since(scene, tag, now_s) for tag in ADDRESSES):
            return True
        time.sleep(_LOOK_AGAIN_S)
    return False


def served_since(scene: Scene, tag: str, now_s: float) -> bool:
    """Whether every request of the last while that has ended was answered, and the last ones have ended."""
    window_s = now_s - QUIET_S - TIMEOUT_MS / 1000
    recent = [sample for sample in tail(scene, tag) if sample.start_s >= window_s]
    fresh = any(sample.ok and sample.start_s >= now_s - QUIET_S / 2 for sample in recent)
    return fresh and all(good(sample, tag) for sample in recent)


def settle(scene: Scene) -> None:
    """The first node's monitor hears the others, nothing is on its way; all sites are served, if need be by command."""
    scene.await_monitors(NODES[0])
    if not quiet(scene, since_s=time.monotonic(), least_s=0.0, most_s=SETTLED_S / 4):
        scene.bring_home()
        until(
            lambda: quiet(scene, since_s=time.monotonic(), least_s=0.0, most_s=1.0),
            within_s=SETTLED_S,
            or_say=lambda: "service is not back although everything is healed",
        )


def await_answers(scene: Scene, end_s: float) -> None:
    """Every request that began before this moment has ended, one way or the other."""
    for tag in ADDRESSES:
        until(
            partial(asked_after, scene, tag, end_s + TIMEOUT_MS / 1000),
            within_s=10.0,
            or_say=lambda: "the load client stopped asking",
        )


def asked_after(scene: Scene, tag: str, t_s: float) -> bool:
    """Whether a request that began after this moment has ended."""
    return any(sample.start_s > t_s for sample in tail(scene, tag))


def look(scene: Scene, start_s: float, end_s: float) -> Seen:
    """What was seen between these moments."""
    samples = {tag: between(scene.loads[tag].samples, start_s, end_s) for tag in ADDRESSES}
    every_s = {tag: scene.loads[tag].every_ms / 1000 for tag in ADDRESSES}
    scene.seen.read()
    thawed = intervals.thaws(scene.seen.records)
    held = [one for one in (*scene.seen.addresses(), *scene.seen.disks()) if one.end_s > start_s]
    found = [overlap for overlap in intervals.overlaps(held) if start_s <= overlap.start_s < end_s]
    thaw = [overlap for overlap in found if intervals.after_thaw(overlap, thawed)]
    disk = [overlap for overlap in thaw if overlap.subject not in ADDRESSES.values()]
    return Seen(
        without_s={tag: missing_s(marked(samples[tag], tag), every_s=every_s[tag]) for tag in ADDRESSES},
        double_s=intervals.together_s(overlap for overlap in found if overlap not in thaw),
        thaw_s=intervals.together_s(thaw),
        thaw_disk_s=intervals.together_s(disk),
        stall_s=max(longest_silence_s(samples[tag], every_s=every_s[tag]) for tag in ADDRESSES),
    )


def tail(scene: Scene, tag: str, *, most: int = 400) -> Sequence[Sample]:
    """The requests of the site that ended last."""
    return scene.loads[tag].read()[-most:]


def between(samples: Sequence[Sample], start_s: float, end_s: float) -> list[Sample]:
    """The requests that began in this time, by their beginning."""
    inside = [sample for sample in samples if start_s <= sample.start_s <= end_s]
    return sorted(inside, key=lambda sample: sample.start_s)


def good(sample: Sample, tag: str) -> bool:
    """Whether the client got the page of the site that it asked for."""
    return sample.ok and sample.site == tag


def marked(samples: Sequence[Sample], tag: str) -> list[Sample]:
    """The same requests, those answered by another site counted as failures."""
    return [sample if good(sample, tag) or not sample.ok else replace(sample, status=None) for sample in samples]
