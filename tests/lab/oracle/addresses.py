# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Oracle: who has an address configured. Asks the kernels of the machines, never the monitor."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ..world.fabric import NSID_GENERATION
from ..world.namespaces import in_network_of
from . import netlink
from .records import Record, Source

Clock = Callable[[], float]


@dataclass(slots=True, kw_only=True)
class AddressOracle:
    """Follows events, and compares with a dump of every namespace at each sample.

    Events alone would be enough if none were ever lost; the samples prove that none was.
    """

    wanted: frozenset[str]
    hosts: dict[int, str]
    """Host number of a machine -> its name."""

    clock: Clock
    events: socket.socket = field(default_factory=netlink.open_events)
    present: set[tuple[str, str]] = field(default_factory=set)
    """(address, machine) pairs as known now."""

    doubtful: set[tuple[str, str]] = field(default_factory=set)
    """Pairs that differed at the last sample; a second time in a row counts."""

    queries: dict[str, socket.socket] = field(default_factory=dict)

    def attach(self, machine: str, pid: int) -> Iterator[Record]:
        """The machine is watched from now on; what it has already is recorded."""
        self.queries[machine] = in_network_of(pid, netlink.open_queries)
        yield from self.follow()
        for address in netlink.addresses(self.queries[machine]) & self.wanted:
            yield from self._set(address, machine, present=True, source="sample")

    def detach(self, machine: str) -> Iterator[Record]:
        """The machine has no power: it has no address any more."""
        if query := self.queries.pop(machine, None):
            query.close()  # it would keep the dead machine's namespace alive
        for address, holder in sorted(self.present):
            if holder == machine:
                yield from self._set(address, holder, present=False, source="world")

    def follow(self) -> Iterator[Record]:
        """What the events that wait say."""
        try:
            for change in netlink.read_events(self.events):
                machine = self.hosts.get((change.namespace_id or 0) % NSID_GENERATION)
                if change.address in self.wanted and machine in self.queries:
                    yield from self._set(change.address, machine, present=change.added, source="event")
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            yield self._record("", "oracle", present=True, source="event", trouble=True)

    def sample(self) -> Iterator[Record]:
        """Where the namespaces differ, twice in a row, from what the events said; normally nothing."""
        found = set()
        for machine, query in self.queries.items():
            found |= {(address, machine) for address in netlink.addresses(query) & self.wanted}
        yield from self.follow()
        differ = found ^ self.present
        for address, machine in sorted(differ & self.doubtful):
            yield from self._set(address, machine, present=(address, machine) in found, source="sample")
        self.doubtful = differ

    def _set(self, address: str, machine: str, *, present: bool, source: Source) -> Iterator[Record]:
        pair = (address, machine)
        if (pair in self.present) == present:
            return
        (self.present.add if present else self.present.discard)(pair)
        yield self._record(address, machine, present=present, source=source)

    def _record(self, subject: str, holder: str, *, present: bool, source: Source, trouble: bool = False) -> Record:
        return Record(
            t_s=self.clock(),
            kind="trouble" if trouble else "address",
            subject=subject,
            holder=holder,
            present=present,
            source=source,
        )
