# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The running monitor of a node: core, comm paths, executor, journal and requests, put together.

Without a configuration there is no core yet: describing requests are answered all the same, and the first
description of a cluster brings the core to life.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .. import paths
from ..arbiter.seat import ArbiterSeat
from ..core.cluster.agreement import OTHER, remembered
from ..core.node.machine import Machine
from ..core.values.arbitration import Question
from ..core.values.events import Configured, Event, Note, PathUp, Persist, ShutdownAnnounced, Step, TimePassed
from ..core.values.lineage import Lineage
from ..core.values.messages import Envelope
from ..core.values.model import Config, identity
from ..errors import RequestError
from ..kits import Context, kit_of
from ..store.state import Remembered
from ..surface import Surface
from ..transport.comm_paths import CommPaths
from ..transport.identity import Identity, Pki
from .commands import Commands
from .engine import Engine
from .executor import Executor
from .journal import Journal, known_durations
from .noticing import Noticing
from .permitting import Permitting
from .stall import StallMeter
from .workers import Workers

log = logging.getLogger(__name__)
STEP_THREADS = 8
STEP_THREADS_MAX = 64
FILE_THREADS_MAX = 8
DURATIONS_FROM = 500
"""Ledger records that are searched for how long steps took."""


class Monitor:
    """``broken`` is called with the error when a rule of our own does not hold; nothing is done after that."""

    def __init__(
        self,
        *,
        surface: Surface,
        journal: Journal,
        remembered: Remembered,
        version: str,
        incarnation: int,
        broken: Callable[[BaseException], None],
        may_stop: Callable[[], None],
    ) -> None:
        loop = asyncio.get_running_loop()
        self._surface = surface
        self._journal = journal
        self._remembered = remembered
        self._version = version
        self._incarnation = incarnation
        self._broken = broken
        self._may_stop = may_stop
        self._steps = Workers(name="step", ready=STEP_THREADS, most=STEP_THREADS_MAX)
        self._files = Workers(name="file", ready=2, most=FILE_THREADS_MAX)
        self._stall = StallMeter()
        self._commands = Commands(self.feed)
        self._machine: Machine | None = None
        self._engine: Engine | None = None
        self._config: Config | None = None
        self._node: str | None = None
        self.changing = asyncio.Lock()
        self._adopting: asyncio.Task[None] | None = None
        identity = Identity(pki=_pki(surface), in_thread=self._files.run)
        self._comm_paths = CommPaths(identity=identity, on_event=self.feed)
        self._seat = ArbiterSeat(surface=surface, identity=identity, in_thread=self._files.run, on_answer=self.feed)
        self._permitting = Permitting(surface=surface, files=self._files, loop=loop, note=self.note)
        self._noticing = Noticing(surface=surface, config=lambda: self._config, feed=self.feed, loop=loop)
        self._executor = Executor(
            workers=self._steps,
            kit_of=kit_of,
            context=self._context,
            clock=surface.monotonic_s,
            done=self.feed,
            loop=loop,
        )

    # -- life ---------------------------------------------------------------------------------------

    async def start(self) -> None:
        """What was configured before runs again; without it the monitor waits to be told."""
        configured = self._remembered.configured
        if configured is not None:
            await self._begin(configured.node, configured.config, configured.lineage)
        self._stall.start()
        self._noticing.start()

    def close(self) -> None:
        """Nothing is sent, done or answered any more. What is in service stays so."""
        if self._adopting is not None:
            self._adopting.cancel()
        self._stall.stop()
        self._noticing.stop()
        if self._engine is not None:
            self._engine.stop()
        self._seat.close()
        self._comm_paths.close()
        self._permitting.close()
        self._steps.close()
        self._files.close()

    def feed(self, event: Event) -> None:
        """The core hears of the event; before there is a core nobody does."""
        if self._engine is not None:
            self._engine.feed(event)

    def shutdown(self) -> None:
        """The system is about to shut down; ``may_stop`` is called when it may."""
        if self._engine is None:
            self._may_stop()
        else:
            self._engine.feed(ShutdownAnnounced())

    async def in_thread(self, work: Callable[[], Any]) -> Any:
        """The outcome of blocking work."""
        return await self._files.run(work)

    async def _begin(self, node: str, config: Config, lineage: Lineage) -> None:
        history = await self._journal.history(DURATIONS_FROM)
        settled = remembered(self._remembered.agreed, config.cluster.arbiter) != OTHER
        await self._permitting.configure(node, config, settled=settled)
        now_s = self._surface.monotonic_s()
        boot_id = self._surface.boot_id()
        self._node, self._config = node, config
        self._machine = Machine(
            node=node,
            boot_id=boot_id,
            incarnation=self._incarnation,
            config=config,
            registers=self._remembered.registers,
            recorded_boot_id=self._remembered.boot_id,
            agreed=self._remembered.agreed,
            vouched=self._remembered.vouched,
            lineage=lineage,
            now_s=now_s,
            version=self._version,
            durations=known_durations(history, node),
        )
        self._engine = Engine(
            core=self._machine,
            ports=self,
            clock=self._surface.monotonic_s,
            sender=node,
            boot_id=boot_id,
            incarnation=self._incarnation,
            broken=self._broken,
        )
        log.info("this is node %s of cluster %s, configuration %s", node, config.cluster.name, config.digest)
        self._comm_paths.configure(node, config.cluster)
        self._seat.configure(node, config)
        self._engine.feed(TimePassed())

    # -- Configurable: what describing requests need ------------------------------------------------

    @property
    def node(self) -> str | None:
        """The node's name; None until a cluster was described."""
        return self._node

    @property
    def config(self) -> Config | None:
        """What is configured now."""
        return self._config

    def view(self) -> Mapping[str, Any] | None:
        """The status of the cluster, as of this moment."""
        if self._machine is None:
            return None
        # Nothing but the passing of time: what has fallen silent meanwhile is shown as silent.
        self.feed(TimePassed())
        return self._machine.view()

    def busy(self) -> Sequence[str]:
        """Groups with a move or a stop under way."""
        return self._machine.busy() if self._machine is not None else ()

    async def reconfigure(self, node: str, config: Config, lineage: Lineage | None = None) -> None:
        """The configuration is durable and in force; the comm paths follow it.

        ``lineage`` tells what it descends from when it was taken over from another node.
        """
        before = self._machine.catching_up.lineage if self._machine is not None else None
        made = before.followed_by(config.digest) if before is not None else Lineage(digest=config.digest)
        lineage = lineage or made
        await self._journal.save_config(node, config, lineage)
        if self._engine is None or self._config is None:
            await self._begin(node, config, lineage)
            return
        settled = identity(self._config.cluster.arbiter) == identity(config.cluster.arbiter)
        await self._permitting.configure(node, config, settled=settled)
        same_cluster = self._config.cluster == config.cluster
        self._config = config
        log.info("new configuration %s", config.digest)
        # In this order, and without a pause: the core hears of paths that go while it knows them, and of new ones
        # when it knows those.
        self._comm_paths.configure(node, config.cluster)
        self._seat.configure(node, config)
        self._engine.feed(Configured(config=config, lineage=lineage))
        for peer, path in () if same_cluster else self._comm_paths.connected():
            # With a new cluster the core begins to count its paths anew; these went on through the change.
            self._engine.feed(PathUp(peer=peer, path=path))

    # -- Answering: what other requests need --------------------------------------------------------

    @property
    def commands(self) -> Commands | None:
        """The way to the core; None until a cluster was described."""
        return self._commands if self._engine is not None else None

    def condition(self) -> Mapping[str, Any]:
        """The shell's own figures, and its warnings."""
        counters = self._comm_paths.counters
        refused = {kind: counters[kind] for kind in ("certificate", "peer", "protocol", "message", "handshake")}
        warnings = [f"comm path {path} to {peer}: {why}" for (peer, path), why in self._unusual_troubles()]
        warnings += [_stranger(name, counters["peer"]) for name in self._comm_paths.strangers()]
        if self._journal.trouble:
            warnings.append(self._journal.trouble)
        warnings += self._permitting.warnings()
        return {
            "arbiter_state": self._seat.state(),
            "guard": self._permitting.guard(),
            "loop_stall_ms_max": round(self._stall.max_s * 1000, 1),
            "refused_on_comm_paths": refused,
            "warnings": warnings,
        }

    async def history(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """The latest ledger records."""
        return await self._journal.history(limit)

    async def accept_witness(self) -> Mapping[str, Any]:
        """The instance that the witness has now is the one this node knows: ``instance`` and ``changed``."""
        return await self._seat.accept_witness()

    def _unusual_troubles(self) -> list[tuple[tuple[str, str], str]]:
        """What only the shell knows about paths that are down: certificates, addresses, listeners."""
        told = ("cannot", "its certificate", "refuses", "speaks protocol")
        return [(key, why) for key, why in self._comm_paths.troubles().items() if any(word in why for word in told)]

    # -- Ports: what the engine needs ---------------------------------------------------------------

    def send(self, peer: str, envelope: Envelope) -> None:
        """Send on all paths to the peer."""
        self._comm_paths.send(peer, envelope)

    def beat(self, peer: str, path: str, envelope: Envelope) -> None:
        """Send on this path."""
        self._comm_paths.beat(peer, path, envelope)

    def consult(self, number: int, question: Question) -> None:
        """Ask the arbiter."""
        self._seat.consult(number, question)

    def do(self, step: Step) -> None:
        """Carry out the step."""
        self._executor.do(step)

    def permit(self, until_s: Mapping[str, float]) -> None:
        """Tell the guard, and refresh addresses."""
        self._permitting.permit(until_s)

    def persist(self, what: Persist, done: Callable[[], None]) -> None:
        """Make it durable, then call ``done``."""
        self._journal.persist(what, done)

    def adopt(self, config: Config, lineage: Lineage, over: str) -> None:
        """Take the configuration over, unless ours was changed meanwhile."""
        self._adopting = asyncio.get_running_loop().create_task(self._adopt(config, lineage, over))

    async def _adopt(self, config: Config, lineage: Lineage, over: str) -> None:
        async with self.changing:
            if self._node is not None and self._config is not None and self._config.digest == over:
                log.info("takes configuration %s over, version %d", config.digest, lineage.version)
                try:
                    await self.reconfigure(self._node, config, lineage)
                except OSError as error:
                    log.error("the configuration cannot be written: %s", error)

    def ready_to_stop(self) -> None:
        """Nothing is left to do before the system shuts down."""
        self._may_stop()

    def note(self, note: Note) -> None:
        """Append to the ledger."""
        self._journal.note(self._node or "", note)

    def tell(self, command: str, *, final: bool, data: Mapping[str, Any]) -> None:
        """News for whoever gave the command."""
        self._commands.told(command, final=final, data=data)

    def _context(self) -> Context:
        if self._config is None or self._node is None:
            raise RequestError("refused", "this node belongs to no cluster")
        permit_s = self._permitting.permit_s
        return Context(surface=self._surface, node=self._node, config=self._config, permit_s=permit_s)


def _stranger(name: str, refusals: int) -> str:
    return (
        f"{name} calls, with a certificate of this cluster, and is no node of it: it is refused ({refusals} times). If "
        "it was removed, switch it off and empty its disk; if it was added, describe the cluster here too"
    )


def _pki(surface: Surface) -> Pki:
    return Pki(
        authority=surface.local_path(paths.CA_CERTIFICATE),
        certificate=surface.local_path(paths.NODE_CERTIFICATE),
        key=surface.local_path(paths.NODE_KEY),
    )
