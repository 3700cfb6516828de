# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Turns the system's notices of changes into events for the core, a few at a time.

Rule: notices come in bursts, and our own steps cause them too; one event per burst is enough, for it only says where to
look. Where that is takes a look at the system (``kits.Changes``), in a thread.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from functools import partial

from ..core.values.events import Noticed
from ..core.values.graph import groups_of
from ..core.values.model import Config
from ..kits import Changes
from ..surface import Notice, Surface
from .workers import Workers, tell

log = logging.getLogger(__name__)
TOGETHER_S = 0.05
"""For how long notices are gathered."""
LOOK_SHARE = 10
"""A look that takes long is repeated so seldom that looking takes one part in this many of the time."""


class Noticing:
    """``config`` gives what is protected now; ``feed`` is called in the event loop."""

    def __init__(
        self,
        *,
        surface: Surface,
        config: Callable[[], Config | None],
        feed: Callable[[Noticed], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._surface = surface
        self._config = config
        self._feed = feed
        self._loop = loop
        self._changes = Changes(surface)
        self._threads = Workers(name="notice", ready=1, most=1)
        self._kinds: set[Notice] = set()
        self._looking = False
        self._pause_s = TOGETHER_S
        self._timer: asyncio.TimerHandle | None = None
        self._end: Callable[[], None] | None = None

    def start(self) -> None:
        """Notices are taken from now on."""
        self._end = self._surface.watch(lambda kind: tell(self._loop, self._came, kind))

    def stop(self) -> None:
        """No notice is taken any more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._end is not None:
            self._end()
        self._threads.close()

    def _came(self, kind: Notice) -> None:
        self._kinds.add(kind)
        self._look_soon()

    def _look_soon(self) -> None:
        if self._kinds and self._timer is None and not self._looking:
            self._timer = self._loop.call_later(self._pause_s, self._look)

    def _look(self) -> None:
        kinds, self._kinds, self._timer = self._kinds, set(), None
        config = self._config()
        if config is not None:
            self._looking = True
            self._threads.submit(partial(self._find, kinds, config))

    def _find(self, kinds: Collection[Notice], config: Config) -> None:
        """In the thread."""
        began_s = self._surface.monotonic_s()
        try:
            tags = self._changes.tags(kinds, config)
        except Exception:
            log.exception("what a notice is about cannot be told; everything is looked at")
            tags = frozenset(tag for group in groups_of(config).values() for tag in group.tags)
        tell(self._loop, self._found, tags, self._surface.monotonic_s() - began_s)

    def _found(self, tags: frozenset[str], took_s: float) -> None:
        self._looking = False
        self._pause_s = max(TOGETHER_S, LOOK_SHARE * took_s)
        self._look_soon()
        if tags:
            self._feed(Noticed(tags=tags))
