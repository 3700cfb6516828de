# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The monitor's log file. Lines are written by a thread of their own; whoever logs never waits for the disk."""

from __future__ import annotations

import logging
import logging.handlers
import queue
import time
from collections.abc import Iterator
from contextlib import contextmanager

from .. import paths
from ..surface import Surface

FILE_BYTES_MAX = 5 * 1024 * 1024
FILES = 4
LINES_WAITING_MAX = 10_000


class _Dropping(logging.handlers.QueueHandler):
    """Lines that the disk does not take in time are lost; the monitor is not."""

    def enqueue(self, record: logging.LogRecord) -> None:
        """The line waits for the writing thread."""
        try:
            self.queue.put_nowait(record)
        except queue.Full:
            return


@contextmanager
def log_file(surface: Surface) -> Iterator[None]:
    """Inside, what the package logs goes to the rotating log file."""
    path = surface.local_path(paths.LOG)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = logging.handlers.RotatingFileHandler(
        path,
        maxBytes=FILE_BYTES_MAX,
        backupCount=FILES - 1,
        encoding="utf-8",
        errors="backslashreplace",
        delay=True,
    )
    formatter = logging.Formatter("%(asctime)s.%(msecs)03dZ %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    file.setFormatter(formatter)
    waiting: queue.Queue[logging.LogRecord] = queue.Queue(LINES_WAITING_MAX)
    handler = _Dropping(waiting)
    top = logging.getLogger(__name__.partition(".")[0])
    top.setLevel(logging.INFO)
    top.addHandler(handler)
    listener = logging.handlers.QueueListener(waiting, file)
    listener.start()
    try:
        yield
    finally:
        top.removeHandler(handler)
        listener.stop()
        file.close()
