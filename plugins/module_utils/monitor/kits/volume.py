# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A content volume on a shared disk: one node at a time holds, mounts and writes it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from ..core.values.facts import State, VolumeFacts
from ..core.values.model import Volume
from ..errors import SurfaceError
from ..windows import storage
from .kit import Context, require_permit


class VolumeKit:
    """Volumes with driver shared_disk."""

    def state(self, resource: Volume, ctx: Context) -> State:
        """Up: held, online and mounted. Down: not ours, offline, not mounted. Unknown: no path to it."""
        claim = self._claim(resource, ctx)
        disk = storage.find_disk(ctx.surface, resource.disk)
        if disk is None:
            return "unknown"
        if storage.is_held(disk, claim):
            return "up"
        return "down" if storage.is_given_up(disk, claim) else "partial"

    def states(self, resources: Sequence[Volume], ctx: Context) -> Mapping[str, State]:
        """One after another: there are few."""
        return {resource.tag: self.state(resource, ctx) for resource in resources}

    def inspect(self, resource: Volume, ctx: Context) -> VolumeFacts:
        """With the holder's reservation key, and who else has the drive letter here."""
        claim = self._claim(resource, ctx)
        disk = storage.find_disk(ctx.surface, resource.disk)
        seen = "" if disk is not None else f"no path leads to disk {resource.disk!r}"
        return VolumeFacts(
            state=self.state(resource, ctx),
            visible=disk is not None,
            online=disk is not None and disk.online,
            holder=None if disk is None else disk.holder,
            letter_used_by=storage.letter_user(ctx.surface, claim),
            detail=seen,
        )

    def prepare(self, resource: Volume, ctx: Context) -> None:
        """Nothing: the disk is the other node's until it has been given up."""

    def start(self, resource: Volume, ctx: Context) -> None:
        """The volume is held by this node and writable at its drive letter."""
        others = [node for node in ctx.config.cluster.nodes if node != ctx.node]
        rivals = [storage.reservation_key(cluster=ctx.config.cluster.name, node=node) for node in others]
        require_permit(resource.tag, ctx)
        storage.hold(ctx.surface, self._claim(resource, ctx), rivals=rivals)

    def stop(self, resource: Volume, ctx: Context, drain_s: float) -> None:  # noqa: ARG002 - users were stopped before
        """The volume is dismounted, its disk offline, our reservation given back."""
        storage.give_up(ctx.surface, self._claim(resource, ctx))

    def fence(self, resource: Volume, ctx: Context) -> None:
        """The volume is dismounted against all who use it, its disk offline, our reservation given back."""
        storage.give_up(ctx.surface, self._claim(resource, ctx), patience_s=0.0)

    def check(self, resource: Volume, ctx: Context) -> None:
        """Still held by this node, and readable."""
        claim = self._claim(resource, ctx)
        disk = storage.find_disk(ctx.surface, resource.disk)
        if disk is None or not storage.is_held(disk, claim):
            found = "no path leads to it" if disk is None else f"what there is: {disk}"
            raise SurfaceError("disks", f"disk {resource.disk!r} is not held and mounted at {resource.drive}; {found}")
        self.verify(resource, ctx)

    def verify(self, resource: Volume, ctx: Context) -> None:
        """The root folder of the volume can be listed."""
        try:
            with os.scandir(ctx.surface.local_path(resource.drive + "\\")) as entries:
                next(entries, None)
        except OSError as error:
            message = f"volume {resource.drive} is mounted but cannot be read: {error}"
            raise SurfaceError("mount", message) from error

    def _claim(self, resource: Volume, ctx: Context) -> storage.Claim:
        key = storage.reservation_key(cluster=ctx.config.cluster.name, node=ctx.node)
        return storage.Claim(disk=resource.disk, letter=resource.drive, key=key)
