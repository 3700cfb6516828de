# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Turns the system's notices of changes into events for the core, a few at a time.

Rule: notices come in bursts, and our own steps cause them too; one event per burst is enough, for it only says where to
look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from ..core.values.events import Noticed
from ..core.values.model import Config
from ..kits import noticed_tags
from ..surface import Notice, Surface
from .workers import tell

TOGETHER_S = 0.05
"""For how long notices are gathered."""


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
        self._kinds: set[Notice] = set()
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

    def _came(self, kind: Notice) -> None:
        self._kinds.add(kind)
        if self._timer is None:
            self._timer = self._loop.call_later(TOGETHER_S, self._tell)

    def _tell(self) -> None:
        kinds, self._kinds, self._timer = self._kinds, set(), None
        config = self._config()
        if config is not None:
            tags = frozenset(tag for kind in kinds for tag in noticed_tags(kind, config))
            self._feed(Noticed(tags=tags))
