# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which sites and pools run, and the requests they work on: the part of W3SVC and WAS.

Rule: changes are made one at a time, in the order they were asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..surface.configfile import effective_file, read_effective
from ..surface.paths import Drives
from .answers import answer_for
from .certificates import NO_SUCH_LOGON_SESSION, CertificateTable
from .config import EMPTY, Binding, Configuration, Site, parse_binding, read
from .content import longest
from .endpoint import Endpoint
from .http import Connection, Request

SHARING_VIOLATION, OBJECT_NOT_FOUND, NOT_FOUND = 0x80070020, 0x800710D8, 0x80070490
TIMEOUT, NOT_ACTIVE = 0x80070102, 0x80070426
_LOOK_AGAIN_S = 0.02


class RefusedError(Exception):
    """The request was not carried out; ``code`` is the HRESULT of Windows."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class AbsentError(RefusedError):
    """There is no such site, pool, binding or certificate."""


class WebService:
    """The sites of one node."""

    def __init__(self, node: Path) -> None:
        self._node = node
        self._drives = Drives(root=node)
        self._certificates = CertificateTable(node)
        self._configuration: Configuration = EMPTY
        self._seen: tuple[int, ...] | None = None
        self._started: set[str] = set()
        self._running_pools: set[str] = set()
        self._errors: dict[str, str] = {}
        self._endpoints: dict[tuple[str, int], Endpoint] = {}
        self._working: dict[Connection, tuple[str, str]] = {}
        self._work_ended = asyncio.Event()
        self._hung: dict[str, asyncio.Event] = {}
        self._one_at_a_time = asyncio.Lock()

    async def refresh(self) -> None:
        """What is on disk is in force. New sites and pools with autostart run. Raises ConfigurationError.

        A configuration that cannot be read leaves everything as it was.
        """
        async with self._one_at_a_time:
            seen = self._signature()
            if seen == self._seen:
                return
            self._seen = seen
            await self._take_over(read(read_effective(self._drives)))

    async def start(self, name: str) -> None:
        """The site has its listeners and its pools run. Raises RefusedError with nothing changed."""
        site = self._site(name)
        async with self._one_at_a_time:
            for pool in site.pools:
                if pool not in self._configuration.pools:
                    raise RefusedError(f"application pool {pool!r} of site {name!r} is missing", OBJECT_NOT_FOUND)
            if not site.bindings:
                raise RefusedError(f"site {name!r} has no http or https binding", OBJECT_NOT_FOUND)
            await self._start(site)
            self._running_pools.update(site.pools)

    async def stop(self, name: str) -> None:
        """The site has no listener. Its requests in flight go on."""
        site = self._site(name)
        async with self._one_at_a_time:
            self._stop(site)

    def state(self, name: str) -> str:
        """started or stopped; failed when it is started and a pool of it is not."""
        site = self._site(name)
        if site.name not in self._started:
            return "stopped"
        return "started" if self._running_pools.issuperset(site.pools) else "failed"

    def requests(self, name: str) -> int:
        """How many requests the site works on."""
        site = self._site(name)
        return sum(1 for working, _pool in self._working.values() if working == site.name)

    def pool_state(self, name: str) -> str:
        """started or stopped."""
        self._pool_shutdown_s(name)
        return "started" if name in self._running_pools else "stopped"

    def start_pool(self, name: str) -> None:
        """The pool's applications answer."""
        self._pool_shutdown_s(name)
        self._running_pools.add(name)

    def recycle_pool(self, name: str) -> None:
        """A new worker process takes the pool's requests; what the old one works on is cut off. Raises RefusedError."""
        if self.pool_state(name) != "started":
            raise RefusedError(f"application pool {name!r} is stopped", NOT_ACTIVE)
        self._hung.pop(name, None)
        for connection in [one for one, (_site, pool) in self._working.items() if pool == name]:
            connection.cut()

    async def stop_pool(self, name: str, timeout_s: float) -> None:
        """The pool's applications answer 503 and nothing works for it any more.

        Requests that still run after the pool's shutdownTimeLimit are cut off, as IIS ends the worker process then.
        Raises RefusedError when requests still run after ``timeout_s``; the pool is stopped nevertheless.
        """
        shutdown_s = self._pool_shutdown_s(name)
        self._running_pools.discard(name)
        self._hung.pop(name, None)  # the next worker process is a fresh one
        began_s = asyncio.get_running_loop().time()
        while busy := [one for one, (_site, pool) in self._working.items() if pool == name]:
            passed_s = asyncio.get_running_loop().time() - began_s
            if passed_s >= shutdown_s:
                for connection in busy:
                    connection.cut()
            elif passed_s >= timeout_s:
                raise RefusedError(f"{len(busy)} requests of pool {name!r} run after {timeout_s:g} s", TIMEOUT)
            await self._some_work_ended()

    def crash(self, name: str) -> None:
        """The site's worker processes died too often: WAS has turned their pools off, the site itself stays started.

        Source: rapid-fail protection, learn.microsoft.com/en-us/iis/configuration/system.applicationhost/
        applicationpools/add/failure
        """
        pools = self._site(name).pools
        self._running_pools.difference_update(pools)
        for connection in [one for one, (_site, pool) in self._working.items() if pool in pools]:
            connection.cut()

    def hang(self, name: str) -> None:
        """The site's worker processes take requests and answer none, until they are woken or replaced."""
        for pool in self._site(name).pools:
            self._hung.setdefault(pool, asyncio.Event())

    def wake(self, name: str) -> None:
        """The site's worker processes work; what they had taken is answered."""
        for pool in self._site(name).pools:
            if hung := self._hung.pop(pool, None):
                hung.set()

    def bound_certificate(self, name: str, information: str) -> str | None:
        """The thumbprint at the site's https binding."""
        return self._certificates.bound(self._https_binding(name, information))

    def bind_certificate(self, name: str, information: str, *, thumbprint: str, store: str) -> None:
        """The certificate answers at the site's https binding, now and after a restart."""
        binding = self._https_binding(name, information)
        try:
            self._certificates.bind(binding, thumbprint=thumbprint, store_name=store)
        except LookupError as error:
            raise AbsentError(str(error), NOT_FOUND) from error
        except PermissionError as error:
            raise RefusedError(str(error), NO_SUCH_LOGON_SESSION) from error

    def describe(self) -> dict[str, object]:
        """Everything, for people and tests."""
        sites = [
            {
                "name": site.name,
                "id": site.id,
                "state": self.state(site.name),
                "autostart": site.autostart,
                "bindings": [f"{b.ip}:{b.port}:{b.host}" for b in site.bindings],
                "pools": list(site.pools),
                "last_error": self._errors.get(site.name),
            }
            for site in self._configuration.sites.values()
        ]
        pools = [{"name": name, "state": self.pool_state(name)} for name in self._configuration.pools]
        return {"sites": sites, "pools": pools}

    async def close(self, timeout_s: float) -> None:
        """Nothing listens. Requests in flight had ``timeout_s`` to end."""
        async with self._one_at_a_time:
            for name in tuple(self._started):
                self._stop(self._configuration.sites[name])
        until_s = asyncio.get_running_loop().time() + timeout_s
        while self._working and asyncio.get_running_loop().time() < until_s:
            await self._some_work_ended()

    # -- the configuration

    def _signature(self) -> tuple[int, ...] | None:
        try:
            status = effective_file(self._drives).stat()
        except FileNotFoundError:
            return None
        return status.st_ino, status.st_mtime_ns, status.st_size

    async def _take_over(self, wanted: Configuration) -> None:
        before, self._configuration = self._configuration, wanted
        self._running_pools &= set(wanted.pools)
        self._running_pools |= {
            pool.name for pool in wanted.pools.values() if pool.autostart and pool.name not in before.pools
        }
        for name, old in before.sites.items():
            if name in self._started:
                new = wanted.sites.get(name)
                kept = () if new is None else new.bindings
                self._release(one for one in old.bindings if one not in kept)
                if new is None:
                    self._started.discard(name)
        for name, site in wanted.sites.items():
            if name in self._started or (name not in before.sites and site.autostart and site.bindings):
                await self._try_start(site)

    async def _try_start(self, site: Site) -> None:
        self._errors.pop(site.name, None)
        try:
            await self._start(site)
        except RefusedError as error:
            # As Windows does: the rest runs, and this site's state says that it does not.
            self._errors[site.name] = str(error)
            self._stop(site)

    def _site(self, name: str) -> Site:
        for site in self._configuration.sites.values():
            if site.name.lower() == name.lower():
                return site
        raise AbsentError(f"there is no site {name!r}", NOT_FOUND)

    def _pool_shutdown_s(self, name: str) -> float:
        if name not in self._configuration.pools:
            raise AbsentError(f"there is no application pool {name!r}", NOT_FOUND)
        return self._configuration.pools[name].shutdown_s

    def _https_binding(self, name: str, information: str) -> Binding:
        for binding in self._site(name).bindings:
            wanted = parse_binding("https", information, int(binding.sni))
            if binding.tls and binding == wanted:
                return binding
        raise AbsentError(f"site {name!r} has no https binding {information!r}", NOT_FOUND)

    # -- listeners

    async def _start(self, site: Site) -> None:
        fresh: list[Binding] = []
        try:
            for binding in site.bindings:
                fresh += [binding] if await self._listen(site, binding) else []
        except RefusedError:
            self._release(fresh)
            raise
        self._started.add(site.name)

    async def _listen(self, site: Site, binding: Binding) -> bool:
        """The site answers at the binding; False when it did already."""
        shown = f"{'https' if binding.tls else 'http'} {binding.ip}:{binding.port}:{binding.host}"
        endpoint = self._endpoints.get(binding.endpoint)
        if endpoint is None:
            endpoint = Endpoint(ip=binding.ip, port=binding.port, tls=binding.tls, serve=self._serve)
            try:
                await endpoint.open(binding, self._certificates)
            except OSError as error:
                message = f"binding {shown} of site {site.name!r} cannot be opened: {error}"
                raise RefusedError(message, SHARING_VIOLATION) from error
            self._endpoints[binding.endpoint] = endpoint
        elif endpoint.tls != binding.tls or binding.host in endpoint.routes:
            other = endpoint.routes.get(binding.host, "another site")
            if other == site.name and endpoint.tls == binding.tls and site.name in self._started:
                return False
            raise RefusedError(f"binding {shown} of site {site.name!r} is in use by {other}", SHARING_VIOLATION)
        endpoint.add(binding, site.name)
        return True

    def _stop(self, site: Site) -> None:
        self._started.discard(site.name)
        self._release(
            binding
            for binding in site.bindings
            if (endpoint := self._endpoints.get(binding.endpoint))
            and endpoint.tls == binding.tls
            and endpoint.routes.get(binding.host) == site.name
        )

    def _release(self, bindings: Iterator[Binding] | list[Binding]) -> None:
        for binding in bindings:
            endpoint = self._endpoints.get(binding.endpoint)
            if endpoint is not None:
                endpoint.remove(binding)
                if not endpoint.routes:
                    del self._endpoints[binding.endpoint]

    # -- requests

    async def _serve(self, endpoint: Endpoint, request: Request, connection: Connection) -> None:
        site = self._configuration.sites.get(endpoint.site_for(request.host) or "")
        found = None if site is None else longest(site.applications, request.path)
        pool = found[1] if found else ""
        with self._counted(connection, "" if site is None else site.name, pool):
            if pool in self._hung and pool in self._running_pools:
                await self._hung[pool].wait()
            response = await answer_for(
                request,
                node=self._node.name,
                drives=self._drives,
                site=site,
                pool_runs=pool in self._running_pools,
            )
            await connection.send(request, response)

    @contextmanager
    def _counted(self, connection: Connection, site: str, pool: str) -> Iterator[None]:
        self._working[connection] = (site, pool)
        try:
            yield
        finally:
            del self._working[connection]
            self._work_ended.set()

    async def _some_work_ended(self) -> None:
        self._work_ended.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._work_ended.wait(), _LOOK_AGAIN_S)
