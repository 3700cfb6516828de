# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""All comm paths of a node: keeps every one connected, tells the core of ups, downs and messages.

Rule: paths do not know of each other. One that is black-holed, slow or refused costs the others nothing.
"""

from __future__ import annotations

import asyncio
import logging
import random
import socket
import ssl
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..core.values.events import PathDown, PathUp, Received
from ..core.values.messages import Envelope
from ..core.values.model import Cluster
from ..core.wire import wire
from ..errors import WireError
from .calls import address_of, answer, dial, told
from .connection import Admission, Connection
from .identity import Identity
from .listener import Listener
from .routes import Key, Route, routes
from .timing import Timing, timing

log = logging.getLogger(__name__)
PathEvent = Callable[["PathUp | PathDown | Received"], None]
STRANGER_SHOWN_S = 60.0
"""For how long after its last call a caller of the cluster that is none of its nodes is shown."""


@dataclass(slots=True, kw_only=True)
class Link:
    """The state of one route. ``trouble`` says why there is no connection, for people."""

    route: Route
    connection: Connection | None = None
    trouble: str = "not connected yet"
    task: asyncio.Task[None] | None = None
    dialled: Connection | None = None
    over: asyncio.Future[bool] | None = None


class CommPaths:
    """``on_event`` is called in the event loop, never from within ``send`` or ``beat`` of another path."""

    def __init__(
        self,
        *,
        identity: Identity,
        on_event: PathEvent,
        deadlines: Timing | None = None,
        dialect: wire.Dialect = wire.OURS,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._identity = identity
        self._on_event = on_event
        self._deadlines = deadlines
        self._dialect = dialect
        self._timing = deadlines or timing("normal")
        self._node = ""
        self._cluster = ""
        self._strangers: dict[str, float] = {}
        self._links: dict[Key, Link] = {}
        self._listeners: dict[tuple[str, int], Listener] = {}

    # -- what is wanted ---------------------------------------------------------------------------

    def configure(self, node: str, cluster: Cluster | None) -> None:
        """The connections are on their way to what this description asks for; unchanged paths stay up.

        The loss of those that go is told before this returns; news of the others comes later.
        """
        wanted = routes(node, cluster) if cluster else {}
        deadlines = self._deadlines or timing(cluster.profile if cluster else "normal")
        all_new = node != self._node or deadlines != self._timing
        self._node, self._cluster, self._timing = node, cluster.name if cluster else "", deadlines
        for key, link in list(self._links.items()):
            if all_new or wanted.get(key) != link.route:
                self._drop(link)
                del self._links[key]
        for key, route in wanted.items():
            if key not in self._links:
                self._links[key] = self._new_link(route)
        self._listen({(route.local, route.port) for route in wanted.values() if not route.dials}, all_new)

    def close(self) -> None:
        """No connection, listener or task is left."""
        self.configure("", None)

    def _new_link(self, route: Route) -> Link:
        link = Link(route=route)
        if route.dials:
            link.task = asyncio.get_running_loop().create_task(self._keep_dialling(link))
        return link

    def _drop(self, link: Link) -> None:
        for connection in (link.connection, link.dialled):
            if connection is not None:
                connection.end("the configuration of this comm path changed")
        if link.task is not None:
            link.task.cancel()

    def _listen(self, wanted: set[tuple[str, int]], all_new: bool) -> None:
        for place, listener in list(self._listeners.items()):
            if all_new or place not in wanted:
                listener.close()
                del self._listeners[place]
        for address, port in wanted:
            if (address, port) not in self._listeners:
                self._listeners[address, port] = self._new_listener(address, port)

    def _new_listener(self, address: str, port: int) -> Listener:
        def lonely() -> bool:
            mine = [link for link in self._links.values() if link.route.local == address and not link.route.dials]
            return any(link.connection is None for link in mine)

        return Listener(address=address, port=port, timing=self._timing, serve=self._serve, lonely=lonely)

    # -- what is sent -----------------------------------------------------------------------------

    def send(self, peer: str, envelope: Envelope) -> None:
        """The message is on its way on every path to the peer that is connected; on none when none is."""
        connected = [link.connection for link in self._links.values() if link.route.peer == peer and link.connection]
        frames = {protocol: self._dialect.encode(envelope, protocol) for protocol in {c.protocol for c in connected}}
        for connection in connected:
            connection.send(frames[connection.protocol])

    def beat(self, peer: str, path: str, envelope: Envelope) -> None:
        """The heartbeat is on its way on this one path, unless the path is not connected."""
        link = self._links.get((peer, path))
        if link is not None and link.connection is not None:
            link.connection.send_heartbeat(self._dialect.encode(envelope, link.connection.protocol))

    def connected(self) -> list[Key]:
        """The paths that are up now."""
        return [key for key, link in self._links.items() if link.connection is not None]

    def troubles(self) -> Mapping[Key, str]:
        """Why each path that is not connected is not."""
        listening = {place: listener.trouble for place, listener in self._listeners.items()}
        return {
            key: listening.get((link.route.local, link.route.port)) or link.trouble
            for key, link in self._links.items()
            if link.connection is None
        }

    def strangers(self) -> list[str]:
        """Who has called of late, with a certificate of the cluster, and is none of its nodes."""
        nodes = {peer for peer, _path in self._links}
        shown_from_s = asyncio.get_running_loop().time() - STRANGER_SHOWN_S
        return sorted(name for name, s in self._strangers.items() if s > shown_from_s and name not in nodes)

    # -- dialling ---------------------------------------------------------------------------------

    async def _keep_dialling(self, link: Link) -> None:
        """Connected, or trying to, for ever. What lasted is replaced at once, other attempts get rarer."""
        loop = asyncio.get_running_loop()
        pause_s = self._timing.redial_s
        while True:
            began_s = loop.time()
            served = False
            try:
                served = await self._dial(link)
            except OSError as error:
                link.trouble = told(error)
                if isinstance(error, ssl.SSLError):
                    self._refused("certificate", f"{link.route.peer} on {link.route.path}: {link.trouble}")
            lasted = served and loop.time() - began_s > self._timing.redial_s_max
            pause_s = self._timing.redial_s if lasted else min(2 * pause_s, self._timing.redial_s_max)
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.2))

    async def _dial(self, link: Link) -> bool:
        """Returns when the connection is over: true when it was established."""
        loop = asyncio.get_running_loop()
        route = link.route
        contexts = await self._identity.contexts(self._timing.identity_s)
        greeting = wire.Hello(cluster=route.cluster, sender=self._node, path=route.path)
        link.dialled = Connection(self, self._timing, greeting=greeting, expects=route.peer, dialect=self._dialect)
        link.over = loop.create_future()
        dialled = link.dialled
        await dial(contexts, self._timing, dialled, local=route.local, remote=(route.remote, route.port))
        return await link.over

    # -- listening --------------------------------------------------------------------------------

    async def _serve(self, caller: socket.socket) -> None:
        """Takes an accepted socket through TLS; what becomes of it is told through the connection."""
        address = address_of(caller)
        try:
            contexts = await self._identity.contexts(self._timing.identity_s)
            await answer(contexts, self._timing, Connection(self, self._timing, dialect=self._dialect), caller)
        except OSError as error:
            caller.close()
            kind = "certificate" if isinstance(error, ssl.SSLError) else "handshake"
            self._refused(kind, f"a caller from {address}: {told(error)}")

    # -- Owner of the connections -----------------------------------------------------------------

    def admit(self, connection: Connection, names: frozenset[str], hello: wire.Hello) -> Admission:  # noqa: ARG002 - Owner asks for it
        """Only a node of this cluster, by its own certificate, on a path that it is to call on."""
        link = self._links.get((hello.sender, hello.path))
        refusal = ""
        if hello.cluster != self._cluster:
            refusal = f"{hello.sender} is of cluster {hello.cluster}; this is cluster {self._cluster}"
        elif hello.sender not in names:
            refusal = f"its certificate is of {', '.join(sorted(names)) or 'nobody'}, not of {hello.sender}"
        elif link is None or link.route.dials:
            self._strangers[hello.sender] = asyncio.get_running_loop().time()
            refusal = f"cluster {self._cluster} on {self._node} has no path {hello.path} from {hello.sender}"
        answer = wire.Hello(cluster=self._cluster, sender=self._node, path=hello.path, refused=refusal)
        return Admission(hello=answer, refusal=refusal)

    def established(self, connection: Connection) -> None:
        """The path is up; an older connection of the same path is replaced."""
        link = self._links.get((connection.peer, connection.path))
        if link is None:
            connection.end("this comm path is not configured any more")
            return
        if link.connection is not None:
            link.connection.end("a newer connection replaces this one")
        link.connection = connection
        link.trouble = ""
        self._on_event(PathUp(peer=connection.peer, path=connection.path))

    def received(self, connection: Connection, message: Envelope) -> None:
        """A message came in."""
        self._on_event(Received(peer=connection.peer, path=connection.path, envelope=message))

    def garbled(self, connection: Connection, error: WireError) -> None:
        """Something that is no message came in."""
        self._refused("message", f"{connection.peer or 'a caller'}: {error}")

    def ended(self, connection: Connection, reason: str) -> None:
        """The path is down, or the attempt to connect came to nothing."""
        link = self._links.get((connection.peer, connection.path))
        if connection.refused:
            self._refused(connection.refused, f"{connection.peer or 'a caller'}: {reason}")
        if link is None:
            return
        was_up = link.connection is connection
        if was_up:
            link.connection = None
        if link.connection is None:
            link.trouble = reason
        if connection is link.dialled and link.over is not None and not link.over.done():
            link.over.set_result(was_up)
        if was_up:
            self._on_event(PathDown(peer=connection.peer, path=connection.path, reason=reason))

    def _refused(self, kind: str, text: str) -> None:
        """Counted always, told when it is the first, tenth, hundredth... of its kind."""
        self.counters[kind] += 1
        count = self.counters[kind]
        if str(count).strip("0") == "1":
            log.warning("refused on the comm paths (%s, number %d): %s", kind, count, text)
