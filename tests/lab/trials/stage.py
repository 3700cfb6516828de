# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster that was set up by the real playbooks, with its arbiter, under watch: where trials are played."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..demo.playbook import Run, run_playbook
from ..scene import Scene, watched
from ..world import launch
from ..world.places import Places
from ..world.remote import Lab

EVERY_MS = 10.0

PATIENT = {"restarts": 100, "failovers": 100, "window_s": 60, "quick_check_s": 5, "deep_check_s": 5}
"""Recovery settings for many faults in a row: no budget stops what is measured, and deep checks come often."""


@contextmanager
def stage(places: Places, wish: launch.Wish, *, recovery: Mapping[str, Any] = PATIENT) -> Iterator[Scene]:
    """A new lab of this kind, set up, with both sites at home, watched by oracles and asked every 10 ms."""
    with launch.running(places, wish) as lab:
        set_up(lab, recovery=recovery)
        with watched(lab, every_ms=EVERY_MS) as scene:
            yield scene


def set_up(lab: Lab, *, recovery: Mapping[str, Any] = PATIENT) -> Run:
    """playbooks/site.yml has run, with these recovery settings. Raises PlaybookError."""
    options = ("-e", json.dumps({"lab_recovery": dict(recovery)}))
    return run_playbook("site.yml", inventory=(*lab.inventory, *options))
