# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One trial as a test: everything that must hold whatever the machine's speed; times are kept for people."""

from __future__ import annotations

from functools import partial

from ..scene import ADDRESSES, Scene
from .catalogue import TRIALS
from .episode import DEEP_CHECK_S, Episode, play, settle, timers_of

TOLD: list[str] = []
"""One line per trial, printed at the end of the session."""

NODE = "n1"
"""Serves both sites when the fault comes."""


def prove(scene: Scene, name: str, *, at: str = NODE) -> Episode:
    """The trial was played; nothing was served twice, and service came back by itself.

    ``at`` is the node that is hurt; the other than the default serves nothing. Raises AssertionError.
    """
    assert not scene.broken, f"an earlier test left the cluster beyond repair: {scene.broken}"
    scene.broken = f"{name}: interrupted"
    scene.bring(dict.fromkeys(ADDRESSES, NODE))
    settle(scene)
    trial = TRIALS[name]
    episode = play(scene, partial(trial.cause, scene, at), lasts=trial.lasts)
    scene.broken = ""
    keep(name, episode)
    assert episode.double_s == 0, scene.new_faults()
    assert episode.thaw_disk_s == 0, scene.new_faults()
    assert episode.back, f"{name}: service came back only when the fault was undone: {episode.fault.without_s}"
    bound_s = DEEP_CHECK_S if trial.lasts == "check" else 3 * timers_of(scene).take_s
    assert max(episode.fault.without_s.values()) < bound_s
    return episode


def keep(name: str, episode: Episode) -> None:
    """The episode is told at the end of the session."""
    lost = "  ".join(f"{tag} {seconds:6.2f}" for tag, seconds in episode.fault.without_s.items())
    thaw = f"  on two nodes after the thaw {episode.thaw_s:.3f}" if episode.thaw_s else ""
    healed = max(episode.healing.without_s.values())
    TOLD.append(f"  {name:<26} {lost}  while healing {healed:6.2f}  on two nodes {episode.double_s:.3f}{thaw}")


def unnoticed(episode: Episode) -> bool:
    """Whether no client lost anything, neither in the fault nor while it was undone."""
    return not any((*episode.fault.without_s.values(), *episode.healing.without_s.values()))
