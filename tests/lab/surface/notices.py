# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells of changes on a node: of cards and addresses by netlink, of services by their manager, of the rest by looking.

Three threads that end soon after they are asked to.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from . import netlink
from .control import call, connect

Kind = Literal["network", "service", "disk", "iis"]
LOOK_S = 0.1
LOOK_SHARE = 20
"""Looking takes at most one part in this many of the time."""

AGAIN_S = 0.5
"""How often a control manager that is not there yet is tried, and how soon a thread notices that it is to end."""

ANSWER_S = 10.0


class Watch:
    """``tell`` is called in one of its threads, until ``end``."""

    def __init__(self, *, private: Path, disks: Path, tell: Callable[[Kind], None]) -> None:
        self._private = private
        self._disks = disks
        self._tell = tell
        self._ended = threading.Event()
        # Before this returns, so that no change after it is missed.
        self._cards = netlink.Changes()
        for body in (self._follow_network, self._follow_services, self._follow_the_rest):
            threading.Thread(target=body, name=f"watch {body.__name__[8:]}", daemon=True).start()

    def end(self) -> None:
        """Nobody is told of anything any more."""
        self._ended.set()

    def _told(self, kind: Kind) -> None:
        if not self._ended.is_set():
            self._tell(kind)

    def _follow_network(self) -> None:
        with contextlib.closing(self._cards) as changes:
            while not self._ended.is_set():
                if changes.wait(AGAIN_S):
                    self._told("network")

    def _follow_services(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(OSError):
                self._follow_control_manager()
            self._ended.wait(AGAIN_S)

    def _follow_control_manager(self) -> None:
        """Returns, or raises OSError, when the control manager is gone."""
        with connect(self._private / "scm.sock", timeout_s=AGAIN_S) as connection:
            connection.sendall(json.dumps({"op": "watch"}).encode() + b"\n")
            pending = b""
            while not self._ended.is_set():
                try:
                    part = connection.recv(65536)
                except TimeoutError:
                    continue
                if not part:
                    return
                *lines, pending = (pending + part).split(b"\n")
                if any(b'"state"' in line for line in lines):
                    self._told("service")

    def _follow_the_rest(self) -> None:
        sites, disks = self._sites(), self._states()
        took_s = 0.0
        while not self._ended.wait(max(LOOK_S, LOOK_SHARE * took_s)):
            began_s = time.monotonic()
            before, sites = sites, self._sites()
            if sites != before:
                self._told("iis")
            seen, disks = disks, self._states()
            if disks != seen:
                self._told("disk")
            took_s = time.monotonic() - began_s

    def _sites(self) -> Any:
        try:
            found = call(self._private / "iis.sock", {"op": "list"}, timeout_s=ANSWER_S)
        except (OSError, ValueError):
            return None
        return {site["name"]: site["state"] for site in found.get("sites", ())}

    def _states(self) -> dict[str, int]:
        """When the state of each disk was last changed; a disk that no path leads to is not there."""
        found = {}
        for folder in self._disks.iterdir() if self._disks.is_dir() else ():
            with contextlib.suppress(OSError):
                found[folder.name] = (folder / "state.json").stat().st_mtime_ns
        return found
