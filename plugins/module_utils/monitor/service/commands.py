# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Commands to the core, and the way of its news back to whoever waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

from ..core.values.events import Commanded
from ..errors import RequestError

Progress = Callable[[Mapping[str, Any]], None]
GRACE_S = 10.0
"""The core ends every command in its own time; this much later its answer is missed, which would be our bug."""


@dataclass(slots=True, kw_only=True)
class _Open:
    answer: asyncio.Future[dict[str, Any]]
    progress: Progress


class Commands:
    """``feed`` gives the core an event."""

    def __init__(self, feed: Callable[[Commanded], None]) -> None:
        self._feed = feed
        self._open: dict[str, _Open] = {}
        self._numbers = count(1)

    async def ask(self, verb: str, args: Mapping[str, Any], *, timeout_s: float, progress: Progress) -> dict[str, Any]:
        """The core's answer.

        Raises:
            RequestError: there was none in time.
        """
        name = f"c{next(self._numbers)}"
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._open[name] = _Open(answer=answer, progress=progress)
        try:
            self._feed(Commanded(id=name, verb=verb, args=args))
            async with asyncio.timeout(timeout_s + GRACE_S):
                return await answer
        except TimeoutError:
            raise RequestError("timeout", f"{verb} was not answered within {timeout_s + GRACE_S:g} s") from None
        finally:
            del self._open[name]

    def told(self, command: str, *, final: bool, data: Mapping[str, Any]) -> None:
        """The core has news; nobody may be waiting for them any more."""
        asker = self._open.get(command)
        if asker is None or asker.answer.done():
            return
        if final:
            asker.answer.set_result(dict(data))
        else:
            asker.progress(data)
