# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The same call to one place after another, and the first answer counts.

Only for calls that may be made twice. A proposal that was under way when etcd lost its leader is never answered, so
waiting for it is time lost (measured: docs/decisions/0013-stores-as-arbiters.md).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from .stored import StoreError

T = TypeVar("T")


class AgainError(StoreError):
    """This attempt had no answer; another one may."""


async def first_answer(
    attempt: Callable[[int], Awaitable[T]], *, places: int, every_s: float, within_s: float
) -> tuple[int, T]:
    """The number of the first attempt that was answered, and its answer.

    A new attempt begins every ``every_s``, and at once when one has failed and there are places not tried since.

    Raises:
        StoreError: no attempt was answered in time, or one was refused for good.
    """
    loop = asyncio.get_running_loop()
    end_s = loop.time() + within_s
    next_s, in_a_row, count = loop.time(), 0, 0
    running: dict[asyncio.Future[T], int] = {}
    errors: dict[int, str] = {}
    try:
        while (now_s := loop.time()) < end_s:
            if now_s >= next_s:
                running[asyncio.ensure_future(attempt(count))] = count
                next_s, count = now_s + every_s, count + 1
            pause_s = min(next_s, end_s) - now_s
            if not running:
                await asyncio.sleep(pause_s)
                continue
            await asyncio.wait(running, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in running if task.done()]:
                number = running.pop(task)
                error = task.exception()
                if error is None:
                    return number, task.result()
                if not isinstance(error, AgainError):
                    raise error
                errors[number % places] = str(error)
                in_a_row += 1
                if in_a_row % places:
                    next_s = loop.time()
    finally:
        await _end(running)
    silent = f"no answer within {within_s:g} s"
    raise StoreError("; ".join(errors[place] for place in sorted(errors)) or silent)


async def _end(running: dict[asyncio.Future[T], int]) -> None:
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
