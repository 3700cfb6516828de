# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A command that runs on the node: input, two output streams, an exit code, and an end that can be forced.

The same for a PowerShell script (a thread of the stand-in) and a program (a child process behind such a thread),
and for all three transports. Rule: a job that is ended ends its child.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

LOG = logging.getLogger(__name__)
COALESCE_S = 0.02
SLICE_S = 0.25


class CommandError(Exception):
    """The command failed; the text goes to standard error and the exit code is 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Output since the last reading. ``code`` is set with the last one."""

    out: bytes
    err: bytes
    code: int | None


class Streams:
    """What the body of a job sees of it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._input = bytearray()
        self._input_over = False
        self._out = bytearray()
        self._err = bytearray()
        self._code: int | None = None
        self._ended = threading.Event()
        self._when_ended: list[Callable[[], None]] = []

    def read_all(self) -> bytes:
        """All of the input, once its end has come. Raises CommandError when the job was ended before."""
        with self._changed:
            self._changed.wait_for(lambda: self._input_over or self._ended.is_set())
            if self._ended.is_set():
                raise CommandError("ended by the client")
            return bytes(self._input)

    def provide(self, data: bytes) -> None:
        """The input is this data and nothing else; what the client sends is dropped."""
        with self._changed:
            self._input, self._input_over = bytearray(data), True
            self._changed.notify_all()

    def out(self, data: bytes) -> None:
        """The data is on standard output."""
        with self._changed:
            self._out += data
            self._changed.notify_all()

    def err(self, data: bytes) -> None:
        """The data is on standard error."""
        with self._changed:
            self._err += data
            self._changed.notify_all()

    @property
    def ended(self) -> threading.Event:
        """Set when the client ended the job or went away."""
        return self._ended

    def when_ended(self, action: Callable[[], None]) -> None:
        """The action runs when the job is ended from outside; at once when it already was."""
        with self._changed:
            if not self._ended.is_set():
                self._when_ended.append(action)
                return
        action()


class Job:
    """A running command. Reading may happen from any thread; ending is idempotent."""

    def __init__(self, body: Callable[[Streams], int]) -> None:
        self._streams = Streams()
        self._thread = threading.Thread(target=self._run, args=(body,), name="job", daemon=True)
        self._thread.start()

    def feed(self, data: bytes, *, last: bool) -> None:
        """The data is appended to the input; ``last`` closes it."""
        streams = self._streams
        with streams._changed:
            streams._input += data
            streams._input_over = streams._input_over or last
            streams._changed.notify_all()

    def read(self, *, limit: int, wait_s: float, gone: Callable[[], bool] | None = None) -> Chunk | None:
        """Output of at most ``limit`` bytes, or None when nothing happened for ``wait_s`` or the reader has gone."""
        streams = self._streams
        deadline = time.monotonic() + wait_s
        with streams._changed:
            while not self._readable():
                left = deadline - time.monotonic()
                if left <= 0 or (gone is not None and gone()):
                    return None
                streams._changed.wait(min(left, SLICE_S))
            if streams._code is None:
                # One answer with the end of the command in it costs a round trip less.
                streams._changed.wait_for(lambda: streams._code is not None, COALESCE_S)
            return self._take(limit)

    def wait(self) -> int:
        """The exit code, once the command is over."""
        self._thread.join()
        return self._streams._code if self._streams._code is not None else 1

    def end(self) -> None:
        """The command is told to end and its child process is killed."""
        streams = self._streams
        with streams._changed:
            if streams._code is not None:
                return
            streams._ended.set()
            actions, streams._when_ended = streams._when_ended, []
            streams._changed.notify_all()
        for action in actions:
            action()

    def _readable(self) -> bool:
        streams = self._streams
        return bool(streams._out or streams._err or streams._code is not None)

    def _take(self, limit: int) -> Chunk:
        streams = self._streams
        out = bytes(streams._out[:limit])
        err = bytes(streams._err[: limit - len(out)])
        del streams._out[: len(out)]
        del streams._err[: len(err)]
        drained = not (streams._out or streams._err)
        return Chunk(out=out, err=err, code=streams._code if drained else None)

    def _run(self, body: Callable[[Streams], int]) -> None:
        streams = self._streams
        try:
            code = body(streams)
        except CommandError as failure:
            streams.err(f"{failure}\r\n".encode())
            code = 1
        except Exception as error:  # the one place where a fault of the stand-in itself becomes a failed command
            LOG.exception("job failed")
            streams.err(f"the stand-in itself failed: {type(error).__name__}: {error}\r\n".encode())
            code = 1
        with streams._changed:
            streams._code = code
            streams._changed.notify_all()
