# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""One look at the system for all who want one at the same time.

A thousand addresses are checked by a thousand calls, and each would list them all. Here everyone gets the result of a
look that began after he asked, so it is as fresh as one of his own; those who ask while one is under way share the
next. Who carries out what was asked for earlier says so (``asked_at``) and shares with all who asked before that look.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary, ref

from ..errors import fail
from ..surface import Surface

T = TypeVar("T")


class _Asked(threading.local):
    """When what this thread does was asked for; None: this moment."""

    at_s: float | None = None


_ASKED = _Asked()


@contextmanager
def asked_at(moment_s: float) -> Iterator[None]:
    """Looks in this thread were asked for at that moment of the machine's monotonic clock. For work that only looks."""
    _ASKED.at_s = moment_s
    try:
        yield
    finally:
        _ASKED.at_s = None


class SharedLook(Generic[T]):
    """``look`` is called in the thread of one of those who ask. What it raises is raised there; another one looks."""

    def __init__(self, look: Callable[[], T], clock: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._clock = clock
        self._changed = threading.Condition()
        self._busy = False
        self._last: tuple[float, T] | None = None

    def take(self) -> T:
        """The result of a look that began after it was asked for."""
        asked_s = self._clock() if _ASKED.at_s is None else _ASKED.at_s
        with self._changed:
            while True:
                if self._last is not None and self._last[0] > asked_s:
                    return self._last[1]
                if not self._busy:
                    break
                self._changed.wait()
            self._busy = True
            began_s = self._clock()
        try:
            result = self._look()
            self._last = (began_s, result)
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return result


class PerSurface(Generic[T]):
    """What is made once for each surface and goes when the surface does. ``make`` gets a way to the surface."""

    def __init__(self, make: Callable[[Callable[[], Surface]], T]) -> None:
        self._make = make
        self._made: WeakKeyDictionary[Surface, T] = WeakKeyDictionary()
        self._lock = threading.Lock()

    def of(self, surface: Surface) -> T:
        """What was made for this surface."""
        with self._lock:
            if surface not in self._made:
                # The surface has it for as long as it lives, so it must not have the surface.
                surface_of = ref(surface)
                self._made[surface] = self._make(lambda: _alive(surface_of))
            return self._made[surface]


def _alive(surface_of: ref[Surface]) -> Surface:
    surface = surface_of()
    if surface is None:
        fail("a look at a surface that nobody has")
    return surface
