# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A switchable address: on one interface of one node, announced when it arrives."""

from __future__ import annotations

from ..core.values.facts import IpFacts, State
from ..core.values.model import Ip
from ..errors import NotThereError, SurfaceError
from ..surface import Interface
from ..windows import network
from .kit import Context

PROBE_S = 1.0
"""How long a neighbour has for answering; on one segment an answer takes milliseconds."""


class IpKit:
    """Addresses."""

    def state(self, resource: Ip, ctx: Context) -> State:
        """Up: usable on its interface. Partial: there, but doubled, elsewhere or not usable yet."""
        places = network.places_of(ctx.surface, resource.address)
        if not places:
            return "down"
        interface = resource.interfaces.get(ctx.node, "")
        usable = network.is_usable(ctx.surface, interface=interface, address=resource.address)
        return "up" if usable else "partial"

    def inspect(self, resource: Ip, ctx: Context) -> IpFacts:
        """With the hardware address of another machine that answers for the address now."""
        state = self.state(resource, ctx)
        name = resource.interfaces.get(ctx.node, "")
        try:
            card = network.interface_of(ctx.surface, name)
        except NotThereError as missing:
            return IpFacts(state=state, interface_up=False, answered_by=None, detail=str(missing))
        answered_by = self._other_holder(resource, ctx, card) if state == "down" and card.up else None
        detail = "" if card.up else f"interface {name!r} has no link or is disabled"
        return IpFacts(state=state, interface_up=card.up, answered_by=answered_by, detail=detail)

    def prepare(self, resource: Ip, ctx: Context) -> None:
        """Nothing: an address cannot be half there."""

    def start(self, resource: Ip, ctx: Context) -> None:
        """The address is usable on its interface and announced; a second call announces it again."""
        name = self._interface(resource, ctx)
        for entry in network.places_of(ctx.surface, resource.address):
            if entry.interface != name:
                ctx.surface.remove_address(interface=entry.interface, address=resource.address)
        network.put_up(ctx.surface, interface=name, address=resource.address, prefix_length=resource.prefix_length)

    def stop(self, resource: Ip, ctx: Context, drain_s: float) -> None:  # noqa: ARG002 - an address has no work to end
        """The address is on no interface of this node."""
        network.take_off(ctx.surface, resource.address)

    def verify(self, resource: Ip, ctx: Context) -> None:
        """The address is still usable on its interface: nobody has claimed it since."""
        name = self._interface(resource, ctx)
        if not network.is_usable(ctx.surface, interface=name, address=resource.address):
            entries = network.places_of(ctx.surface, resource.address)
            found = "it is gone" if not entries else f"what there is: {entries}"
            raise SurfaceError("addresses", f"{resource.address} is not usable on {name!r}; {found}")

    def _interface(self, resource: Ip, ctx: Context) -> str:
        name = resource.interfaces.get(ctx.node)
        if name is None:
            message = f"address {resource.tag!r} has no interface for node {ctx.node!r}"
            raise NotThereError("add_address", f"{message}; name one in its description")
        return name

    def _other_holder(self, resource: Ip, ctx: Context, card: Interface) -> str | None:
        mac = ctx.surface.neighbour(interface=card.name, address=resource.address, timeout_s=PROBE_S)
        return None if mac is None or mac.lower() == card.mac.lower() else mac.lower()
