# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Frames that wait because a connection takes no more bytes now.

Rule: bounded, and of heartbeats only the latest is kept: an old one tells nothing and would delay the next.
"""

from __future__ import annotations

from collections import deque

OUTBOX_BYTES_MAX = 8 * 1024 * 1024
"""Two of the largest messages; a peer that leaves more than this unread is not listening."""


class Outbox:
    """What is still to be written on one connection."""

    def __init__(self, bytes_max: int = OUTBOX_BYTES_MAX) -> None:
        self.bytes_max = bytes_max
        self._messages: deque[bytes] = deque()
        self._bytes = 0
        self._heartbeat: bytes | None = None

    def put(self, frame: bytes) -> bool:
        """The frame waits for its turn; false when there is no room, and then it does not."""
        if self._bytes + len(frame) > self.bytes_max:
            return False
        self._messages.append(frame)
        self._bytes += len(frame)
        return True

    def put_heartbeat(self, frame: bytes) -> None:
        """The frame is the heartbeat to be sent, and the one before it is not."""
        self._heartbeat = frame

    def take(self) -> bytes | None:
        """The next frame, messages first; None when nothing waits."""
        if self._messages:
            frame = self._messages.popleft()
            self._bytes -= len(frame)
            return frame
        frame_or_none, self._heartbeat = self._heartbeat, None
        return frame_or_none
