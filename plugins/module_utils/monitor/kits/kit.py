# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What every kind of resource can be asked, and what a kit knows of where it runs.

Rule: a kit holds no state and takes no decision. Every call may be repeated, from any worker thread.
``start`` and ``stop`` return only after reading back that the state is reached; else they raise SurfaceError.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, Union

from ..core.values.facts import Facts, State
from ..core.values.model import Config
from ..errors import SurfaceError
from ..surface import Surface

R_contra = TypeVar("R_contra", contravariant=True)


PermitLeft = Callable[[str], Union[float, None]]
"""Seconds for which the resource with this tag may still be served; None: for ever."""


def for_ever(tag: str) -> float | None:
    """A permit that does not run out."""
    del tag
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The machine, which node of the cluster it is, what the cluster is to be, and for how long it may serve."""

    surface: Surface
    node: str
    config: Config
    permit_s: PermitLeft = for_ever


def require_permit(tag: str, ctx: Context) -> float | None:
    """The seconds left, None for ever. Asked right before something is taken that another node may have.

    Raises:
        SurfaceError: the permit has run out.
    """
    left_s = ctx.permit_s(tag)
    if left_s is not None and left_s <= 0:
        raise SurfaceError("permit", f"the permit for {tag!r} ran out {-left_s:.1f} s ago; nothing was started")
    return left_s


class Kit(Protocol[R_contra]):
    """One kind of resource."""

    def state(self, resource: R_contra, ctx: Context) -> State:
        """What can be told at once, without asking the network."""

    def states(self, resources: Sequence[R_contra], ctx: Context) -> Mapping[str, State]:
        """The ``state`` of each by its tag, told at once for all of them."""

    def inspect(self, resource: R_contra, ctx: Context) -> Facts:
        """All that readiness has to know; may take a second for asking the neighbours."""

    def prepare(self, resource: R_contra, ctx: Context) -> None:
        """Everything is done that can be done while the group is still served elsewhere."""

    def start(self, resource: R_contra, ctx: Context) -> None:
        """The resource is up here."""

    def stop(self, resource: R_contra, ctx: Context, drain_s: float) -> None:
        """The resource is down here. ``drain_s``: how long work in progress may take to end first."""

    def fence(self, resource: R_contra, ctx: Context) -> None:
        """The resource is down here, by force: nobody who uses it is waited for."""

    def verify(self, resource: R_contra, ctx: Context) -> None:
        """The resource, just started, does its work as a client would see it; it may still be warming up."""

    def check(self, resource: R_contra, ctx: Context) -> None:
        """The resource, in service, does its work as a client would see it, now."""
