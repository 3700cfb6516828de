# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The place of the arbiter in a monitor: whatever the cluster is configured with now is asked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from ..core.values.arbitration import Question
from ..core.values.events import Consulted
from ..core.values.model import Config, Lan
from ..errors import RequestError
from ..surface import Surface
from ..transport.identity import Identity
from . import open_arbiter
from .port import ArbiterPort, InThread, Surroundings

MANUAL: Mapping[str, Any] = {"kind": "manual", "reachable": True, "why": ""}


class ArbiterSeat:
    """Used in the event loop only. ``on_answer`` is never called from within ``consult``."""

    def __init__(
        self, *, surface: Surface, identity: Identity, in_thread: InThread, on_answer: Callable[[Consulted], None]
    ) -> None:
        self._surface = surface
        self._identity = identity
        self._in_thread = in_thread
        self._on_answer = on_answer
        self._port: ArbiterPort | None = None
        self._for: tuple[str, object] | None = None

    def configure(self, node: str, config: Config) -> None:
        """From now on the arbiter of this configuration is asked; one that did not change goes on undisturbed."""
        cluster = config.cluster
        wanted = (node, config if isinstance(cluster.arbiter, Lan) else cluster)
        if wanted == self._for:
            return
        self.close()
        around = Surroundings(
            node=node,
            config=config,
            surface=self._surface,
            identity=self._identity,
            in_thread=self._in_thread,
            on_answer=self._on_answer,
        )
        self._port, self._for = open_arbiter(around), wanted

    def consult(self, number: int, question: Question) -> None:
        """The question is on its way; before the first configuration it is lost, as any question may be."""
        if self._for is None:
            return
        if self._port is not None:
            self._port.consult(number, question)
            return
        nobody = Consulted(number=number, verdict=None, error="this cluster has no arbiter: moves are by command")
        asyncio.get_running_loop().call_soon(self._on_answer, nobody)

    def state(self) -> Mapping[str, Any]:
        """What people are shown of the arbiter."""
        return self._port.state() if self._port is not None else MANUAL

    async def accept_witness(self) -> Mapping[str, Any]:
        """The instance that the witness has now is the one this node knows: ``instance`` and ``changed``.

        Raises:
            RequestError: there is no witness, or it does not answer.
        """
        from .witness import WitnessClient

        if not isinstance(self._port, WitnessClient):
            raise RequestError("refused", "the arbiter of this cluster is no witness")
        return await self._port.accept()

    def close(self) -> None:
        """Nobody is asked any more, and no answer comes after this."""
        if self._port is not None:
            self._port.close()
        self._port, self._for = None, None
