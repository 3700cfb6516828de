# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Threads for whatever may block, so that the event loop never does.

Rule: a thread that hangs in the operating system costs one thread and nothing else. Threads are daemons: a hung
one does not keep the process from ending (concurrent.futures would wait for it).
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
Job = Callable[[], None]


class Workers:
    """``ready`` threads wait from the start; up to ``most`` are added, each when no other is free for a job."""

    def __init__(self, *, name: str, ready: int, most: int) -> None:
        self._name = name
        self._most = most
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._count = 0
        self._free = 0
        self._closed = False
        with self._changed:
            for _number in range(ready):
                self._hire()

    @property
    def count(self) -> int:
        """How many threads there are."""
        return self._count

    def submit(self, job: Job) -> None:
        """The job runs as soon as a thread is free; it must not raise."""
        with self._changed:
            self._jobs.append(job)
            if self._free < len(self._jobs) and self._count < self._most:
                self._hire()
            self._changed.notify()

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns or raises, without blocking the event loop.

        When the waiting task is cancelled, the work goes on and its outcome is dropped.
        """
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()

        def settle(value: T | None, error: BaseException | None) -> None:
            if outcome.done():
                return
            if error is not None:
                outcome.set_exception(error)
            else:
                outcome.set_result(value)  # type: ignore[arg-type] # without an error the value is a T

        def job() -> None:
            try:
                value = work()
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where it is waited for
                tell(loop, settle, None, error)
            else:
                tell(loop, settle, value, None)

        self.submit(job)
        return await outcome

    def close(self) -> None:
        """Free threads end; busy ones when the jobs that wait are done."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _hire(self) -> None:
        """A new thread counts as free at once, so that the next job does not hire another one."""
        self._count += 1
        self._free += 1
        threading.Thread(target=self._work, name=f"{self._name}-{self._count}", daemon=True).start()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job()
            with self._changed:
                self._free += 1

    def _next(self) -> Job | None:
        """The next job, for a thread that counts as free; None when there will be none any more."""
        with self._changed:
            while not self._jobs and not self._closed:
                self._changed.wait()
            self._free -= 1
            return self._jobs.popleft() if self._jobs else None


def tell(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: object) -> None:
    """The call happens in the loop; nothing happens when the loop is gone already."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *args)
