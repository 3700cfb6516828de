# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Hands the core's permits on: to the guard, to the addresses as their lifetimes, to steps that are about to start.

Rule: telling the guard touches memory only. Addresses are refreshed in a thread of their own, one refresh at a time: a
system call that hangs costs the address its lifetime and nothing else.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping
from functools import partial

from ..core.values.events import Note
from ..core.values.graph import groups_of
from ..core.values.model import Config, Ip
from ..errors import HoldfastError
from ..guard import PermitFile, collect
from ..kits import Context, Lifetimes
from ..surface import Surface
from .workers import Workers, tell

log = logging.getLogger(__name__)
COLLECT_S = 2.0
"""How often it is looked for what the guard did."""


class Permitting:
    """``note`` takes what the guard did. Until ``configure`` there is no permit.

    ``_mortal``: addresses may have a lifetime that ends.
    """

    def __init__(
        self, *, surface: Surface, files: Workers, loop: asyncio.AbstractEventLoop, note: Callable[[Note], None]
    ) -> None:
        self._surface = surface
        self._files = files
        self._loop = loop
        self._note = note
        self._threads = Workers(name="refresh", ready=1, most=1)
        self._lifetimes = Lifetimes()
        self._page: PermitFile | None = None
        self._node = ""
        self._config: Config | None = None
        self._for_ever: Mapping[str, float] = {}
        self._ips: Mapping[str, tuple[Ip, ...]] = {}
        self._wanted: list[Ip] = []
        self._mortal = False
        self._refreshing = self._again = False
        self._timer: asyncio.TimerHandle | None = None

    async def configure(self, node: str, config: Config, *, settled: bool) -> None:
        """The guard knows what belongs to each group; to be called before the core hears of the configuration.

        ``settled``: the arbiter is the one that this node had before; permits of ``manual`` have no end at once then.

        Raises:
            OSError: the permit or its plan cannot be written; nothing may be served then.
        """
        if self._page is None:
            self._page = await self._files.run(lambda: PermitFile(self._surface))
            self._collect()
        page = self._page
        await self._files.run(lambda: page.plan(node=node, config=config))
        groups = groups_of(config)
        manual = config.cluster.arbiter.kind == "manual"
        self._node, self._config = node, config
        self._for_ever = dict.fromkeys(groups, math.inf) if manual else {}
        self._ips = {name: group.ips for name, group in groups.items()}
        self._mortal = self._mortal or not settled
        if manual and settled:
            page.publish(self._for_ever)

    def permit(self, until_s: Mapping[str, float]) -> None:
        """The guard knows, and the addresses of these groups live as long as their permits.

        With arbiter manual the guard has nothing to end, once all nodes are known to have it.
        """
        if self._page is None or self._config is None:
            return
        endless = all(end_s == math.inf for end_s in until_s.values())
        by_hand = bool(self._for_ever) and endless and bool(until_s or not self._mortal)
        self._page.publish(self._for_ever if by_hand else until_s)
        if by_hand and not self._mortal:
            return
        self._mortal = not by_hand
        self._wanted = [ip for name in until_s for ip in self._ips.get(name, ())]
        self._again = True
        self._refresh_next()

    def _refresh_next(self) -> None:
        """One refresh at a time; what was permitted meanwhile is refreshed after it."""
        if self._refreshing or not self._again or self._config is None:
            return
        self._refreshing, self._again = True, False
        context = Context(surface=self._surface, node=self._node, config=self._config, permit_s=self.permit_s)
        self._threads.submit(partial(self._refresh, self._wanted, context))

    def permit_s(self, tag: str) -> float | None:
        """Seconds for which the resource may be served; None for ever."""
        return self._page.permit_s(tag) if self._page is not None else 0.0

    def warnings(self) -> list[str]:
        """What a person has to know of the guard."""
        return self._page.warnings() if self._page is not None else []

    def guard(self) -> str:
        """In a word, whether the guard does its work."""
        if self._for_ever:
            return "idle"
        return "does not answer" if self.warnings() else "watches"

    def close(self) -> None:
        """What is permitted stays so to its end."""
        if self._timer is not None:
            self._timer.cancel()
        self._threads.close()
        if self._page is not None:
            self._page.close()

    def _refresh(self, ips: list[Ip], context: Context) -> None:
        """In the refresh thread."""
        try:
            self._lifetimes.refresh(ips, context)
        except HoldfastError as error:
            log.warning("the lifetime of an address could not be renewed: %s", error)
        finally:
            tell(self._loop, self._refreshed)

    def _refreshed(self) -> None:
        self._refreshing = False
        self._refresh_next()

    def _collect(self) -> None:
        self._timer = self._loop.call_later(COLLECT_S, self._collect)
        self._files.submit(self._look)

    def _look(self) -> None:
        """In a file thread."""
        try:
            notes = collect(self._surface)
        except OSError as error:
            log.warning("what the guard did cannot be read: %s", error)
            return
        for note in notes:
            tell(self._loop, self._note, note)
