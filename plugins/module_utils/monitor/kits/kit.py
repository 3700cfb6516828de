# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What every kind of resource can be asked, and what a kit knows of where it runs.

Rule: a kit holds no state and takes no decision. Every call may be repeated, from any worker thread.
``start`` and ``stop`` return only after reading back that the state is reached; else they raise SurfaceError.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from ..core.values.facts import Facts, State
from ..core.values.model import Config
from ..surface import Surface

R_contra = TypeVar("R_contra", contravariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The machine, which node of the cluster it is, and what the cluster is to be."""

    surface: Surface
    node: str
    config: Config


class Kit(Protocol[R_contra]):
    """One kind of resource."""

    def state(self, resource: R_contra, ctx: Context) -> State:
        """What can be told at once, without asking the network."""

    def inspect(self, resource: R_contra, ctx: Context) -> Facts:
        """All that readiness has to know; may take a second for asking the neighbours."""

    def prepare(self, resource: R_contra, ctx: Context) -> None:
        """Everything is done that can be done while the group is still served elsewhere."""

    def start(self, resource: R_contra, ctx: Context) -> None:
        """The resource is up here."""

    def stop(self, resource: R_contra, ctx: Context, drain_s: float) -> None:
        """The resource is down here. ``drain_s``: how long work in progress may take to end first."""

    def verify(self, resource: R_contra, ctx: Context) -> None:
        """The resource does its work as a client would see it."""
