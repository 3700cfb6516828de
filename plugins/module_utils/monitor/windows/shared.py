# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""One look at the system for all who want one at the same time.

A thousand addresses are checked by a thousand calls, and each would list them all. Here everyone gets the result of a
look that began after he asked, so it is as fresh as one of his own; those who ask while one is under way share the
next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedLook(Generic[T]):
    """``look`` is called in the thread of one of those who ask. What it raises is raised there; another one looks."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._look = look
        self._changed = threading.Condition()
        self._begun = 0
        self._busy = False
        self._last: tuple[int, T] | None = None

    def take(self) -> T:
        """The result of a look that began after this call."""
        with self._changed:
            wanted = self._begun + 1
            while self._busy:
                self._changed.wait()
                if self._last is not None and self._last[0] >= wanted:
                    return self._last[1]
            self._busy = True
            self._begun += 1
            number = self._begun
        try:
            result = self._look()
            self._last = (number, result)
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
        return result
