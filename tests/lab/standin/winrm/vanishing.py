# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shells whose client has vanished. Windows ends them after the shell's idle timeout; the lab's is short."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Vanishing:
    """Ends a shell ``idle_s`` after its last connection closed, unless another connection used it meanwhile."""

    def __init__(self, idle_s: float, end: Callable[[str], None]) -> None:
        self._idle_s = idle_s
        self._end = end
        self._last_user: dict[str, int] = {}
        self._lock = threading.Lock()

    def used(self, shell_id: str, connection: int) -> None:
        """The connection is the one that used the shell last."""
        with self._lock:
            self._last_user[shell_id] = connection

    def forget(self, shell_id: str) -> None:
        """The shell has ended."""
        with self._lock:
            self._last_user.pop(shell_id, None)

    def gone(self, connection: int) -> None:
        """The connection is closed."""
        with self._lock:
            orphans = [shell for shell, user in self._last_user.items() if user == connection]
        for shell_id in orphans:
            timer = threading.Timer(self._idle_s, self._check, (shell_id, connection))
            timer.daemon = True
            timer.start()

    def _check(self, shell_id: str, connection: int) -> None:
        with self._lock:
            unused = self._last_user.get(shell_id) == connection
        if unused:
            self._end(shell_id)
