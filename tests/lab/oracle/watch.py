# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The watching process: runs the three oracles and writes what they see, until its standard input closes.

Its standard input brings one JSON line per thing done to a machine (attach, detach, freeze, thaw, begin).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import select
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from ..world.namespaces import in_network_of
from .addresses import AddressOracle
from .arp import ArpOracle, open_raw
from .disks import DiskOracle
from .records import Record, to_line

PRIORITY = -10


class Watch:
    """The oracles of one watching process and the file they write to."""

    def __init__(self, orders: Mapping[str, Any], out: TextIO) -> None:
        self._orders = orders
        self._out = out
        self._addresses = AddressOracle(
            wanted=frozenset(orders["addresses"]),
            hosts={int(host): name for host, name in orders["hosts"].items()},
            clock=time.monotonic,
        )
        self._disks = DiskOracle(
            disks={disk: Path(folder) for disk, folder in orders["disks"].items()}, clock=time.monotonic
        )
        self._arp: ArpOracle | None = None
        self._input = b""
        self._open = True

    def run(self) -> None:
        """Everything was written; the standard input is closed."""
        sample_s, ask_s = self._orders["sample_ms"] / 1000, self._orders["ask_ms"] / 1000
        next_sample_s = next_ask_s = time.monotonic()
        while self._open:
            now_s = time.monotonic()
            select.select(self._sources(), [], [], max(0.0, min(next_sample_s, next_ask_s) - now_s))
            self._write(self._addresses.follow())
            if self._disks.descriptor >= 0:
                self._write(self._disks.follow())
            if self._arp:
                self._write(self._arp.listen())
            self._read_world()
            now_s = time.monotonic()
            if now_s >= next_sample_s:
                self._write(self._addresses.sample())
                if self._disks.descriptor >= 0:
                    self._write(self._disks.sample())
                next_sample_s = now_s + sample_s
            if now_s >= next_ask_s and self._arp:
                self._arp.ask()
                next_ask_s = now_s + ask_s

    def _sources(self) -> list[int]:
        sources = [sys.stdin.fileno(), self._addresses.events.fileno()]
        if self._disks.descriptor >= 0:
            sources.append(self._disks.descriptor)
        return [*sources, self._arp.raw.fileno()] if self._arp else sources

    def _read_world(self) -> None:
        readable, _, _ = select.select([sys.stdin.fileno()], [], [], 0)
        if not readable:
            return
        data = os.read(sys.stdin.fileno(), 65_536)
        self._open = bool(data)
        *lines, self._input = (self._input + data).split(b"\n")
        for line in lines:
            self._write(self._told(json.loads(line)))

    def _told(self, message: Mapping[str, Any]) -> Iterator[Record]:
        event, machine, t_s = message["event"], message["machine"], message["t_s"]
        if event == "attach":
            yield from self._addresses.attach(machine, message["pid"])
            if machine == self._orders["client"]["name"]:
                self._arp = self._open_arp(message["pid"])
        elif event == "detach":
            yield from self._addresses.detach(machine)
            yield Record(t_s=t_s, kind="machine", subject="", holder=machine, present=True, source="world")
        elif event in ("freeze", "thaw"):
            going = event == "thaw"
            yield Record(t_s=t_s, kind="machine", subject="", holder=machine, present=going, source="world")
        elif event == "begin":
            yield from self._disks.begin()
            sys.stdout.write("ready\n")
            sys.stdout.flush()

    def _open_arp(self, pid: int) -> ArpOracle:
        client = self._orders["client"]
        return ArpOracle(
            raw=in_network_of(pid, lambda: open_raw(client["interface"])),
            wanted=tuple(self._orders["addresses"]),
            own_mac=client["mac"],
            own_address=client["address"],
            machines=self._orders["macs"],
            clock=time.monotonic,
        )

    def _write(self, records: Iterable[Record]) -> None:
        self._out.writelines(to_line(record) for record in records)


def main() -> None:
    """Runs until the standard input closes."""
    parser = argparse.ArgumentParser(description="watch addresses and disks from outside")
    parser.add_argument("--orders", required=True, help="JSON, made by holdfast_lab.oracle.recording")
    orders = json.loads(parser.parse_args().orders)
    with contextlib.suppress(PermissionError):  # only for sharper times; not in a user namespace
        os.setpriority(os.PRIO_PROCESS, 0, PRIORITY)
    with Path(orders["out"]).open("w", encoding="utf-8", buffering=1) as out:
        Watch(orders, out).run()


if __name__ == "__main__":
    main()
