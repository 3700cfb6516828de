# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""IIS: its configuration, and sites that are started, stopped and asked."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import NotThereError, SurfaceError
from ..surface import ConfigChange, SiteState
from . import iis_com
from .iis_codes import ACCESS_DENIED, IN_TRANSITION, OBJECT_NOT_FOUND, redirected_to, run_state
from .iis_draft import Draft

CONFIG_FOLDER = r"System32\inetsrv\config"
FILE = "applicationHost.config"

COMMIT_TRIES = 5
TRANSITION_S = 10.0
"""How long a run state may take; as long as the tests of aspnet/IISIntegration wait (IISDeployer.cs)."""

ElementOf = Callable[[str, Any, str], Any]

_PAUSE_S = 0.05
_64_BIT = 2**32
_METHODS = {"started": "Start", "stopped": "Stop"}


class Iis:
    """Primitives of IIS."""

    def iis_configuration(self) -> bytes:
        """From the file itself: milliseconds, and no cache between it and us.

        Source: learn.microsoft.com/en-us/iis/configuration/configurationredirection; a 32-bit process would read a
        stray copy, learn.microsoft.com/en-us/windows/win32/winprog64/file-system-redirector. Unconfirmed:
        redirection to a share that needs the user name and password which stand encrypted in the file.
        """
        if sys.maxsize < _64_BIT:
            raise SurfaceError("iis_configuration", "this is a 32-bit Python; install the 64-bit runtime")
        folder = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / CONFIG_FOLDER
        try:
            redirection = folder / "redirection.config"
            aim = redirected_to(redirection.read_bytes()) if redirection.exists() else None
            return ((Path(os.path.expandvars(aim)) if aim else folder) / FILE).read_bytes()
        except OSError as error:
            message = f"{FILE} cannot be read: {error}"
            raise SurfaceError("iis_configuration", message, error.errno or 0) from error

    def iis_commit(self, changes: Sequence[ConfigChange]) -> None:
        """All in one CommitChanges; done again from the start when another writer was faster.

        Source: IAppHostWritableAdminManager.CommitChanges, learn.microsoft.com/en-us/iis/web-development-reference/
        native-code-api-reference/; that a commit fails when the file has changed since: github.com/
        win-acme/win-acme issue 871 (its HRESULT is unconfirmed, so every failure but "access denied" is retried).
        """
        with iis_com.LOCK:
            for attempt in range(1, COMMIT_TRIES):
                try:
                    self._commit_once(changes)
                except _CommitError as failed:
                    if failed.code == ACCESS_DENIED:
                        raise
                    time.sleep(_PAUSE_S * attempt)
                else:
                    return
            self._commit_once(changes)

    def iis_start(self, *, site: str) -> None:
        """Its pools first, then the site, then waited for; retried while IIS takes up a change.

        Source: methods Start and attribute state, rscaext.xml of Windows; learn.microsoft.com/en-us/iis/configuration/
        system.applicationhost/sites/site/. Unconfirmed: that Start leaves serverAutoStart as it is.
        """
        with iis_com.LOCK:
            for pool in _pools_of("iis_start", site):
                _bring("iis_start", iis_com.pool_of, pool, "started", TRANSITION_S)
            _bring("iis_start", iis_com.site_of, site, "started", TRANSITION_S)

    def iis_stop(self, *, site: str) -> None:
        """The site alone; its pool goes on. Source as in ``iis_start``."""
        with iis_com.LOCK:
            _bring("iis_stop", iis_com.site_of, site, "stopped", TRANSITION_S)

    def iis_stop_pool(self, *, pool: str, timeout_s: float) -> None:
        """Stopped, and no worker process left in its collection. Source as in ``iis_start``."""
        primitive = "iis_stop_pool"
        deadline_s = time.perf_counter() + timeout_s
        with iis_com.LOCK:
            _bring(primitive, iis_com.pool_of, pool, "stopped", timeout_s)
        while _worker_count(primitive, pool):
            if time.perf_counter() > deadline_s:
                raise SurfaceError(primitive, f"pool {pool!r} still has worker processes after {timeout_s:g} s")
            time.sleep(_PAUSE_S)

    def iis_recycle_pool(self, *, pool: str) -> None:
        """Overlapped: a new worker process takes over at once, the old one has its shutdownTimeLimit.

        Source: method Recycle of application pools, rscaext.xml; learn.microsoft.com/en-us/iis/configuration/
        system.applicationhost/applicationpools/add/recycling/.
        """
        with iis_com.LOCK, iis_com.session("iis_recycle_pool") as manager:
            iis_com.call(iis_com.pool_of("iis_recycle_pool", manager, pool), "Recycle")

    def iis_state(self, *, site: str) -> SiteState:
        """Unknown while there is no run-time object: just after a commit, or with IIS not running.

        Failed after rapid-fail protection has turned a pool off, or somebody stopped it: learn.microsoft.com/en-us/iis/
        configuration/system.applicationhost/applicationpools/add/failure. Source as in ``iis_start``.
        """
        with iis_com.session("iis_state") as manager:
            element = iis_com.site_of("iis_state", manager, site)
            return _state_of_site(element, lambda pool: iis_com.pool_of("iis_state", manager, pool))

    def iis_states(self, *, sites: Collection[str]) -> Mapping[str, SiteState]:
        """All sites are listed, but only the wanted are asked for their state. Source as in ``iis_state``."""
        with iis_com.session("iis_states") as manager:
            found = {name: item for name, item in _named(manager, iis_com.SITES) if name in sites}
            pools = {name.lower(): item for name, item in _named(manager, iis_com.POOLS)} if found else {}
            return {name: _state_of_site(item, lambda pool: _there(pools, pool)) for name, item in found.items()}

    def iis_requests(self, *, site: str) -> int:
        """Counted over all worker processes; none without a worker process.

        Source: method GetRequests of workerProcess, rscaext.xml. Needs the role service Request Monitor
        (Web-Request-Monitor); what IIS answers without it is unconfirmed.
        """
        with iis_com.session("iis_requests") as manager:
            number = int(iis_com.read(iis_com.site_of("iis_requests", manager, site), "id"))
            workers = _all_workers("iis_requests", manager)
            return sum(_requests_of(worker, number) for worker in workers)

    def _commit_once(self, changes: Sequence[ConfigChange]) -> None:
        with iis_com.session("iis_commit") as manager:
            draft = Draft(manager)
            for change in changes:
                draft.apply(change)
            try:
                with iis_com.translated("iis_commit"):
                    iis_com.get(manager, "CommitChanges")
            except SurfaceError as error:
                raise _CommitError("iis_commit", str(error), error.code) from error


class _CommitError(SurfaceError):
    """CommitChanges itself refused; the edits before it were accepted."""


def _bring(primitive: str, element_of: ElementOf, name: str, wanted: SiteState, patience_s: float) -> None:
    """The site or pool has the wanted run state. Each look is a fresh session: a manager caches what it saw."""
    deadline_s = time.perf_counter() + patience_s
    while True:
        with iis_com.session(primitive) as manager:
            element = element_of(primitive, manager, name)
            state = _state(primitive, element)
            if state == wanted:
                return
            failure = None if state in ("starting", "stopping") else _try(primitive, element, _METHODS[wanted])
        if failure is not None and failure.code not in IN_TRANSITION:
            raise failure
        if time.perf_counter() > deadline_s:
            message = f"{name!r} is still {state}, not {wanted}, after {patience_s:g} s"
            raise failure or SurfaceError(primitive, message)
        time.sleep(_PAUSE_S)


def _try(primitive: str, element: Any, method: str) -> SurfaceError | None:
    try:
        with iis_com.translated(primitive):
            iis_com.call(element, method)
    except SurfaceError as error:
        return error
    return None


def _state(primitive: str, element: Any) -> SiteState:
    try:
        with iis_com.translated(primitive):
            return run_state(int(iis_com.read(element, "state")))
    except SurfaceError as error:
        if error.code == OBJECT_NOT_FOUND:
            return "unknown"
        raise


def _state_of_site(site: Any, pool_of: Callable[[str], Any]) -> SiteState:
    """Failed: started, with a pool that is off."""
    state = _state("iis_state", site)
    if state != "started":
        return state
    names = {str(iis_com.read(application, "applicationPool")) for application in iis_com.items(site)}
    pools = [pool_of(name) for name in sorted(names) if name]
    return "failed" if any(_state("iis_state", pool) in ("stopping", "stopped") for pool in pools) else state


def _named(manager: Any, section: str) -> list[tuple[str, Any]]:
    """The sites or pools of the section with their names."""
    items = iis_com.items(iis_com.section_of(manager, section))
    return [(str(iis_com.read(item, "name")), item) for item in items]


def _there(pools: Mapping[str, Any], name: str) -> Any:
    if name.lower() not in pools:
        raise NotThereError("iis_states", f"IIS has no application pool {name!r}")
    return pools[name.lower()]


def run_states(manager: Any) -> dict[str, SiteState]:
    """The run state of every site and application pool, by section and name. Source as in ``Iis.iis_start``."""
    sections = {"site": iis_com.SITES, "pool": iis_com.POOLS}
    return {
        f"{kind} {iis_com.read(item, 'name')}": _state("watch", item)
        for kind, section in sections.items()
        for item in iis_com.items(iis_com.section_of(manager, section))
    }


def _pools_of(primitive: str, site: str) -> list[str]:
    with iis_com.session(primitive) as manager:
        applications = iis_com.items(iis_com.site_of(primitive, manager, site))
        names = [str(iis_com.read(application, "applicationPool")) for application in applications]
        return list(dict.fromkeys(name for name in names if name))


def _all_workers(primitive: str, manager: Any) -> list[Any]:
    """The worker processes of all pools; none when IIS is not running."""
    try:
        with iis_com.translated(primitive):
            pools = iis_com.section_of(manager, iis_com.POOLS)
            return iis_com.items(iis_com.part(pools, "workerProcesses"))
    except SurfaceError as error:
        if error.code == OBJECT_NOT_FOUND:
            return []
        raise


def _worker_count(primitive: str, pool: str) -> int:
    with iis_com.session(primitive) as manager:
        return len(iis_com.items(iis_com.part(iis_com.pool_of(primitive, manager, pool), "workerProcesses")))


def _requests_of(worker: Any, site_number: int) -> int:
    output = iis_com.get(iis_com.call(worker, "GetRequests", {"timeElapsedFilter": "0"}), "Output")
    return sum(int(iis_com.read(request, "siteId")) == site_number for request in iis_com.items(output))
