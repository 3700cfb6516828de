# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Listens on one comm-path address, and goes on doing so whatever happens to the address or its interface.

Rule: bound to the one address, never to the wildcard. Level-triggered: while nobody calls although somebody
should, the socket is made anew from time to time, because a system may leave a listening socket behind that
looks well and hears nothing after its interface went away and came back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable

from .sockets import bound_socket
from .timing import Timing

log = logging.getLogger(__name__)
HANDSHAKES_MAX = 16
"""Callers that may be in their handshake at once; there is one per peer, the rest is noise."""


class Listener:
    """``serve`` takes an accepted socket through TLS; ``lonely`` tells whether a caller is awaited."""

    def __init__(
        self,
        *,
        address: str,
        port: int,
        timing: Timing,
        serve: Callable[[socket.socket], Awaitable[None]],
        lonely: Callable[[], bool],
    ) -> None:
        self.trouble = ""
        self._address = address
        self._port = port
        self._timing = timing
        self._serve = serve
        self._lonely = lonely
        self._handshakes: set[asyncio.Task[None]] = set()
        self._task = asyncio.get_running_loop().create_task(self._run())

    def close(self) -> None:
        """Nobody is listened to any more; handshakes under way are dropped."""
        self._task.cancel()
        for handshake in self._handshakes:
            handshake.cancel()

    async def _run(self) -> None:
        while True:
            try:
                listening = bound_socket(self._address, self._port)
            except OSError as error:
                self._tell(f"cannot listen on {self._address} port {self._port}: {error}")
                await asyncio.sleep(self._timing.rebind_s)
                continue
            self._tell("")
            with contextlib.closing(listening):
                listening.listen(HANDSHAKES_MAX)
                await self._accept(listening)

    async def _accept(self, listening: socket.socket) -> None:
        """Returns when the socket has failed or heard nothing for too long."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                async with asyncio.timeout(self._timing.relisten_s):
                    caller, _unused = await loop.sock_accept(listening)
            except TimeoutError:
                if self._lonely():
                    return
                continue
            except OSError as error:
                self._tell(f"cannot accept on {self._address} port {self._port}: {error}")
                await asyncio.sleep(self._timing.rebind_s)
                return
            self._take(caller)

    def _take(self, caller: socket.socket) -> None:
        if len(self._handshakes) >= HANDSHAKES_MAX:
            caller.close()
            return
        task = asyncio.get_running_loop().create_task(self._shake_hands(caller))
        self._handshakes.add(task)
        task.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self, caller: socket.socket) -> None:
        try:
            await self._serve(caller)
        except asyncio.CancelledError:
            caller.close()
            raise

    def _tell(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            log.warning("%s", trouble)
        self.trouble = trouble
