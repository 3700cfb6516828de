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
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")
Job = Callable[[], None]


class Workers:
    """``ready`` threads wait from the start; up to ``most`` are added while all are busy."""

    def __init__(self, *, name: str, ready: int, most: int) -> None:
        self._name = name
        self._most = most
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._lock = threading.Lock()
        self._count = 0
        self._closed = False
        for _unused in range(ready):
            self._hire(None)

    def submit(self, job: Job) -> None:
        """The job runs as soon as a thread is free; it must not raise."""
        if self._idle.acquire(blocking=False) or not self._hire(job):
            self._jobs.put(job)

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
        """Idle threads end; busy ones when their job is done."""
        with self._lock:
            self._closed = True
            for _unused in range(self._count):
                self._jobs.put(None)

    def _hire(self, first: Job | None) -> bool:
        with self._lock:
            if self._count >= self._most or self._closed:
                return False
            self._count += 1
            name = f"{self._name}-{self._count}"
        threading.Thread(target=self._work, args=(first,), name=name, daemon=True).start()
        return True

    def _work(self, first: Job | None) -> None:
        if first is not None:
            first()
        while True:
            try:
                job = self._jobs.get_nowait()
            except Empty:
                self._idle.release()
                job = self._jobs.get()
            if job is None:
                return
            job()


def tell(loop: asyncio.AbstractEventLoop, call: Callable[..., None], *args: object) -> None:
    """The call happens in the loop; nothing happens when the loop is gone already."""
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(call, *args)
