# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A web site of IIS: started and stopped by itself, asked through its own bindings."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence

from ..core.values.facts import State, WebFacts
from ..core.values.model import Binding, Hierarchy
from ..errors import NotThereError, SurfaceError
from ..surface import ServiceState
from ..windows import iis
from .http_probe import Answer, ask
from .kit import Context

SERVICES = ("W3SVC", "WAS")
"""World Wide Web Publishing Service and the process activation service it depends on."""

IIS_START_S = 20.0
"""How long IIS has for coming up while Windows starts it."""

IIS_STOPPED_S = 1.0
"""How long IIS may be stopped before it counts as off: Windows starts it again at once, or after a boot in its turn.

Where that takes longer the start fails, and is tried again after the back-off."""

POOL_END_S = 2.0
"""How long the worker processes have for ending before the volume is dismounted under them."""

ANSWER_S = 10.0
"""How long a started site has for its first answer: a worker process may take seconds to start."""

CHECK_S = 3.0
"""How long a site in service has for answering all its bindings."""

_PAUSE_S = 0.02
_REFUSED_FROM = 500
_STATES: dict[str, State] = {
    "started": "up",
    "stopped": "down",
    "failed": "partial",
    "starting": "partial",
    "stopping": "partial",
}


class WebKit:
    """Web sites."""

    def state(self, resource: Hierarchy, ctx: Context) -> State:
        """Up: started. Partial: a pool of it is off. Down: stopped, not configured here, or IIS is not running."""
        return self.states((resource,), ctx)[resource.tag]

    def states(self, resources: Sequence[Hierarchy], ctx: Context) -> Mapping[str, State]:
        """By one look at IIS."""
        try:
            written = ctx.surface.iis_states(sites={resource.site for resource in resources})
        except SurfaceError:
            if self._iis_is_off(ctx):
                return dict.fromkeys((resource.tag for resource in resources), "down")
            raise
        unknown: State = "down" if "unknown" in written.values() and self._iis_is_off(ctx) else "unknown"
        return {
            resource.tag: _STATES.get(written[resource.site], unknown) if resource.site in written else "down"
            for resource in resources
        }

    def inspect(self, resource: Hierarchy, ctx: Context) -> WebFacts:
        """With the site as IIS has it, its certificates, its content and the services it needs."""
        services = {name: ctx.surface.service_state(name) for name in SERVICES}
        # Certificates are asked of IIS at work; with IIS off the file still tells the rest.
        running = services["W3SVC"] == "running"
        site = (
            iis.read_site(ctx.surface, resource.site)
            if running
            else iis.configured_sites(ctx.surface).get(resource.site)
        )
        if site is None:
            missing = f"IIS has no site {resource.site!r} on this node"
            return WebFacts(
                state=self.state(resource, ctx), site=None, autostart=False, services=services,
                certificates={}, content_present=None, detail=missing,
            )  # fmt: skip
        present = self._content_present(resource, site, ctx)
        return WebFacts(
            state=self.state(resource, ctx),
            site=site.site,
            autostart=site.autostart,
            services=services,
            certificates=iis.certificate_states(ctx.surface, site.site),
            content_present=present,
            detail=f"content of kind {site.content_kind}" if site.content_kind != "local" else "",
        )

    def prepare(self, resource: Hierarchy, ctx: Context) -> None:
        """A site without a volume runs already, while its address is still elsewhere.

        HTTP.sys takes an IP-specific binding whose address arrives later; unconfirmed on a real machine.
        """
        if not self._has_volume(resource, ctx):
            self.start(resource, ctx)

    def start(self, resource: Hierarchy, ctx: Context) -> None:
        """The site is started, its application pool too.

        A site that was not gets new worker processes, so that one that hangs is mended by stopping and starting it.
        (With a volume the old ones have ended when it was stopped.)
        """
        self._await_iis(ctx, "stopped", "start_pending", within_s=IIS_STOPPED_S)
        self._await_iis(ctx, "start_pending")
        if not self._has_volume(resource, ctx) and self.state(resource, ctx) != "up":
            self._replace_workers(resource, ctx)
        ctx.surface.iis_start(site=resource.site)
        self._confirm(resource, ctx, "up")

    def stop(self, resource: Hierarchy, ctx: Context, drain_s: float) -> None:
        """The site's listeners are closed, its requests have ended or had ``drain_s``.

        A site with a volume leaves no worker process behind that has files of the volume open.
        """
        self._await_iis(ctx, "start_pending")
        if self.state(resource, ctx) != "down":
            ctx.surface.iis_stop(site=resource.site)
            self._confirm(resource, ctx, "down")
        self._drain(resource, ctx, drain_s)
        if self._has_volume(resource, ctx):
            self._end_workers(resource, ctx)

    def fence(self, resource: Hierarchy, ctx: Context) -> None:
        """The site's listeners are closed; who is being served is cut off with the address and the volume."""
        if self.state(resource, ctx) != "down":
            ctx.surface.iis_stop(site=resource.site)
            self._confirm(resource, ctx, "down")

    def verify(self, resource: Hierarchy, ctx: Context) -> None:
        """Every binding gives an HTTP answer below 500 and, with https, the certificate that is bound."""
        self._ask_bindings(resource, ctx, ANSWER_S)

    def check(self, resource: Hierarchy, ctx: Context) -> None:
        """As ``verify``, within the time that a site in service has."""
        self._ask_bindings(resource, ctx, CHECK_S)

    def _ask_bindings(self, resource: Hierarchy, ctx: Context, within_s: float) -> None:
        site = iis.read_site(ctx.surface, resource.site)
        if site is None:
            raise NotThereError("iis_configuration", f"IIS has no site {resource.site!r} on this node")
        deadline_s = ctx.surface.monotonic_s() + within_s
        for binding in site.site.bindings:
            self._verify_binding(binding, ctx, deadline_s)

    def _await_iis(self, ctx: Context, *passing: ServiceState, within_s: float = IIS_START_S) -> None:
        """IIS is in none of the ``passing`` states, or has had its time."""
        deadline_s = ctx.surface.monotonic_s() + within_s
        while ctx.surface.service_state("W3SVC") in passing and ctx.surface.monotonic_s() < deadline_s:
            time.sleep(_PAUSE_S)

    def _iis_is_off(self, ctx: Context) -> bool:
        return ctx.surface.service_state("W3SVC") in ("stopped", "absent")

    def _confirm(self, resource: Hierarchy, ctx: Context, wanted: State) -> None:
        state = self.state(resource, ctx)
        if state != wanted:
            primitive = "iis_start" if wanted == "up" else "iis_stop"
            raise SurfaceError(primitive, f"site {resource.site!r} was to be {wanted} and is {state}")

    def _drain(self, resource: Hierarchy, ctx: Context, drain_s: float) -> None:
        """No request of the site is in flight, or the time is over; all of it when IIS cannot tell."""
        deadline_s = ctx.surface.monotonic_s() + drain_s
        while (left_s := deadline_s - ctx.surface.monotonic_s()) > 0:
            try:
                if ctx.surface.iis_requests(site=resource.site) == 0:
                    return
            except NotThereError:
                return
            except SurfaceError:
                time.sleep(left_s)
                return
            time.sleep(min(_PAUSE_S, left_s))

    def _end_workers(self, resource: Hierarchy, ctx: Context) -> None:
        """The pools of this site alone are stopped; a shared pool serves other sites and stays.

        When its processes do not end in time the volume's forced dismount takes the files from them.
        """
        for pool in self._own_pools(resource, ctx):
            with contextlib.suppress(SurfaceError):
                ctx.surface.iis_stop_pool(pool=pool, timeout_s=POOL_END_S)

    def _replace_workers(self, resource: Hierarchy, ctx: Context) -> None:
        """The pools of this site alone that run have new worker processes; one that is stopped will have."""
        for pool in self._own_pools(resource, ctx):
            with contextlib.suppress(SurfaceError):
                ctx.surface.iis_recycle_pool(pool=pool)

    def _own_pools(self, resource: Hierarchy, ctx: Context) -> list[str]:
        sites = iis.configured_sites(ctx.surface)
        if resource.site not in sites:
            return []
        shared = {pool.lower() for name, other in sites.items() if name != resource.site for pool in other.pools}
        return [pool for pool in sites[resource.site].pools if pool.lower() not in shared]

    def _has_volume(self, resource: Hierarchy, ctx: Context) -> bool:
        return any(volume.tag in resource.depends_on for volume in ctx.config.volumes)

    def _content_present(self, resource: Hierarchy, site: iis.IisSite, ctx: Context) -> bool | None:
        """Whether all folders are there; None while the volume that carries them is not mounted here."""
        drives = {volume.drive for volume in ctx.config.volumes if volume.tag in resource.depends_on}
        mounted = {letter for disk in ctx.surface.disks() for letter in disk.letters} if drives else set()
        folders = [folder for folder in site.folders if not folder.startswith("\\\\")]
        if any(folder[:2].upper() in drives - mounted for folder in folders):
            return None
        return all(self._is_folder(folder, ctx) for folder in folders)

    def _is_folder(self, path: str, ctx: Context) -> bool:
        try:
            return ctx.surface.local_path(path).is_dir()
        except SurfaceError:
            return False

    def _verify_binding(self, binding: Binding, ctx: Context, deadline_s: float) -> None:
        answer = self._first_answer(binding, ctx, deadline_s)
        if answer.status is None or answer.status >= _REFUSED_FROM:
            found = answer.error if answer.status is None else f"HTTP status {answer.status}"
            message = f"{binding.protocol} binding {binding.information} does not serve: {found}"
            raise SurfaceError("verify", message)
        if binding.certificate and answer.thumbprint != binding.certificate:
            message = f"https binding {binding.information} shows certificate {answer.thumbprint}"
            raise SurfaceError("verify", f"{message}, not {binding.certificate} which is bound to it")

    def _first_answer(self, binding: Binding, ctx: Context, deadline_s: float) -> Answer:
        """The first answer below 500, or the last one when the time is over."""
        while True:
            left_s = deadline_s - ctx.surface.monotonic_s()
            answer = ask(binding, timeout_s=max(left_s, _PAUSE_S))
            good = answer.status is not None and answer.status < _REFUSED_FROM
            if good or left_s <= _PAUSE_S:
                return answer
            time.sleep(_PAUSE_S)
