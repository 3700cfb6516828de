# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A thread for work that may hang: a call that does not return costs this thread and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Lane:
    """Does one piece of work when asked, and every ``pause_s()`` seconds (None: only when asked)."""

    def __init__(self, name: str, work: Callable[[], None], pause_s: Callable[[], float | None]) -> None:
        self._work = work
        self._pause_s = pause_s
        self._asked = threading.Event()
        self._ended = False
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def ask(self) -> None:
        """The work is done once more, from its beginning, as soon as the thread is free."""
        self._asked.set()

    def end(self) -> None:
        """The thread ends when its work is done; nothing waits for it."""
        self._ended = True
        self._asked.set()

    def _run(self) -> None:
        while not self._ended:
            self._asked.wait(self._pause_s())
            self._asked.clear()
            if not self._ended:
                self._work()
