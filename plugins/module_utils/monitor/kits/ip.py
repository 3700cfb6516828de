# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""A switchable address: on one interface of one node, announced when it arrives, gone when the permit is.

A node may have a spare card on the same subnet: an address that is started goes to the card that works (guide chapter
2, IP local recovery). It stays where it is until it is started anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ..core.values.facts import IpFacts, State
from ..core.values.model import Ip
from ..errors import NetworkError, NotThereError, SurfaceError
from ..surface import FOREVER_S, Interface
from ..windows import network
from .kit import Context, require_permit

PROBE_S = 0.5
"""How long a neighbour has for answering; on one segment an answer takes milliseconds."""

PING_S = 0.5
"""How long each address of the ping list has for answering."""


class IpKit:
    """Addresses."""

    def state(self, resource: Ip, ctx: Context) -> State:
        """Up: usable on a card of its own that has a link. Partial: there, but doubled, elsewhere or of no use."""
        places = network.places_of(ctx.surface, resource.address)
        if not places:
            return "down"
        right = len(places) == 1 and places[0].usable and places[0].interface in _cards(resource, ctx)
        return "up" if right and network.interface_of(ctx.surface, places[0].interface).up else "partial"

    def states(self, resources: Sequence[Ip], ctx: Context) -> Mapping[str, State]:
        """By a look at all addresses that is shared."""
        return {resource.tag: self.state(resource, ctx) for resource in resources}

    def inspect(self, resource: Ip, ctx: Context) -> IpFacts:
        """With the hardware address of another machine that answers for the address now."""
        state = self.state(resource, ctx)
        names = _cards(resource, ctx) or ("",)
        try:
            cards = [network.interface_of(ctx.surface, name) for name in names]
        except NotThereError as missing:
            return IpFacts(state=state, interface_up=False, answered_by=None, detail=str(missing))
        card = next((card for card in cards if card.up), None)
        if card is None:
            down = " and ".join(f"interface {name!r}" for name in names)
            return IpFacts(
                state=state, interface_up=False, answered_by=None, detail=f"{down} has no link or is disabled"
            )
        answered_by = self._other_holder(resource, ctx, card) if state == "down" else None
        silent = "" if _working(resource, ctx, names) else _trouble(resource, ctx, card.name)
        return IpFacts(state=state, interface_up=True, answered_by=answered_by, silent=silent)

    def prepare(self, resource: Ip, ctx: Context) -> None:
        """Nothing: an address cannot be half there."""

    def start(self, resource: Ip, ctx: Context) -> None:
        """The address is usable on a card that works and announced; a second call announces it again.

        It lives for the whole seconds that are left of the permit, at least one: ``Lifetimes`` prolongs that.
        """
        name = self._choose(resource, ctx)
        for entry in network.places_of(ctx.surface, resource.address):
            if entry.interface != name:
                ctx.surface.remove_address(interface=entry.interface, address=resource.address)
        left_s = require_permit(resource.tag, ctx)
        network.put_up(
            ctx.surface,
            interface=name,
            address=resource.address,
            prefix_length=resource.prefix_length,
            lifetime_s=FOREVER_S if left_s is None else max(1, int(left_s)),
        )

    def stop(self, resource: Ip, ctx: Context, drain_s: float) -> None:  # noqa: ARG002 - an address has no work to end
        """The address is on no interface of this node."""
        network.take_off(ctx.surface, resource.address)

    def fence(self, resource: Ip, ctx: Context) -> None:
        """The address is on no interface of this node."""
        network.take_off(ctx.surface, resource.address)

    def verify(self, resource: Ip, ctx: Context) -> None:
        """The address is still usable on a card of its own: nobody has claimed it since."""
        if self.state(resource, ctx) != "up":
            entries = network.places_of(ctx.surface, resource.address)
            found = "it is gone" if not entries else f"what there is: {entries}, cards {ctx.surface.interfaces()}"
            cards = " or ".join(repr(name) for name in _cards(resource, ctx))
            raise SurfaceError("addresses", f"{resource.address} is not usable on {cards}; {found}")

    def check(self, resource: Ip, ctx: Context) -> None:
        """The address is usable, its card has a link, and an address of the ping list answers through it.

        Raises:
            NetworkError: neither does another card of this node work, so starting the address anew is no help.
        """
        for entry in network.places_of(ctx.surface, resource.address):
            if trouble := _trouble(resource, ctx, entry.interface):
                spare = _working(resource, ctx, (card for card in _cards(resource, ctx) if card != entry.interface))
                if spare is None:
                    raise NetworkError("network", trouble)
                raise SurfaceError("network", f"{trouble}; {spare!r} works")
        self.verify(resource, ctx)

    def _choose(self, resource: Ip, ctx: Context) -> str:
        """The card that the address is to be on: where it is now, then its own, then the spare one; one that works."""
        cards = _cards(resource, ctx)
        if not cards:
            message = f"address {resource.tag!r} has no interface for node {ctx.node!r}"
            raise NotThereError("add_address", f"{message}; name one in its description")
        if len(cards) == 1:
            return cards[0]
        now = [entry.interface for entry in network.places_of(ctx.surface, resource.address)]
        in_order = [*(name for name in cards if name in now), *(name for name in cards if name not in now)]
        return _working(resource, ctx, in_order) or cards[0]

    def _other_holder(self, resource: Ip, ctx: Context, card: Interface) -> str | None:
        mac = ctx.surface.neighbour(interface=card.name, address=resource.address, timeout_s=PROBE_S)
        own = {each.mac.lower() for each in ctx.surface.interfaces()}
        return None if mac is None or mac.lower() in own else mac.lower()


def _cards(resource: Ip, ctx: Context) -> tuple[str, ...]:
    """The cards that may have the address on this node, the preferred one first."""
    places = (resource.interfaces.get(ctx.node), resource.spare.get(ctx.node))
    return tuple(name for name in places if name is not None)


def _working(resource: Ip, ctx: Context, names: Iterable[str]) -> str | None:
    """The first of these cards through which clients can be reached, as far as can be told."""
    return next((name for name in names if not _trouble(resource, ctx, name)), None)


def _trouble(resource: Ip, ctx: Context, name: str) -> str:
    """Why clients cannot be reached through this card; empty when they can, as far as can be told."""
    try:
        if not network.interface_of(ctx.surface, name).up:
            return f"interface {name!r} has no link or is disabled"
    except NotThereError as missing:
        return str(missing)
    answers = (ctx.surface.ping(address=target, timeout_s=PING_S, interface=name) for target in resource.ping)
    if resource.ping and not any(answers):
        return f"none of {', '.join(resource.ping)} answers through interface {name!r}"
    return ""
