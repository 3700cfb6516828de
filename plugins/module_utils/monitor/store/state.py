# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The state of a node as typed values: its configuration and its registers.

Blocking; used by the one thread that writes state.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import paths
from ..core.description.settings import read_config
from ..core.values.lineage import Lineage
from ..core.values.messages import Register
from ..core.values.model import Config, as_data
from ..core.wire import codec
from ..errors import StateError
from ..surface import Surface
from .disk import Disk, RealDisk, put_durably
from .registry import EncodedRegisters
from .sealed import Document, SealedFiles

CONFIG, REGISTERS = "config", "registers"
SEAL = paths.DATA + r"\run\seal.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Configured:
    """Which node this is, and what the cluster is to be."""

    node: str
    config: Config
    lineage: Lineage


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """What a start finds. ``boot_id`` is that of the system start in which the registers were written.

    ``agreed`` is the arbiter that all nodes were known to have (core.cluster.agreement), ``vouched`` the nodes that an
    operator said are off (core.node.keeping).
    """

    configured: Configured | None = None
    registers: Mapping[str, Register]
    boot_id: str | None = None
    agreed: str = ""
    vouched: frozenset[str] = frozenset()


class Store:
    """The state files of this node."""

    def __init__(self, surface: Surface, disk: Disk | None = None) -> None:
        self._folder = surface.local_path(paths.STATE)
        self._seal = surface.local_path(SEAL)
        for folder in (self._folder, self._seal.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._disk = disk or RealDisk()
        self._files = SealedFiles(
            disk=self._disk, folder=self._folder, seal=self._seal, in_slots=frozenset({REGISTERS})
        )
        self._incarnation = self._folder / "incarnation"
        self._boot_id = surface.boot_id()
        self._identity: dict[str, str] = {}
        self._encoded = EncodedRegisters(terse=False)

    def load(self) -> Remembered:
        """What this node wrote last.

        Raises:
            StateError: a file is torn, foreign, too new or an older copy; it says what to do.
        """
        configured = self._load_config()
        document = self._files.read(REGISTERS)
        if document is None:
            return Remembered(configured=configured, registers={})
        if configured is not None:
            self._require_ours(document)
        try:
            found = codec.decode(_Registers, document.body)
        except codec.CodecError as error:
            raise self._files.refused(REGISTERS, f"it holds no registers ({error})") from None
        return Remembered(
            configured=configured,
            registers=found.registers,
            boot_id=found.boot_id,
            agreed=found.agreed,
            vouched=found.vouched,
        )

    def next_incarnation(self, wall_ms: int) -> int:
        """A number above those of all earlier starts of this node, durable. A lost file leaves the wall clock."""
        content = self._disk.read(self._incarnation)
        try:
            before = int(content) if content is not None else 0
        except ValueError:
            before = 0
        number = max(before + 1, wall_ms)
        put_durably(self._disk, self._incarnation, b"%d\n" % number)
        return number

    def save_config(self, node: str, config: Config, lineage: Lineage) -> None:
        """The configuration is durable, and which ones came before it."""
        self._identity = _identity(node, config)
        body = {"node": node, "config": as_data(config), "lineage": codec.encode(lineage, Lineage)}
        self._files.write(CONFIG, identity=self._identity, body=body)
        self._files.seal()

    def save_registers(
        self, registers: Mapping[str, Register], agreed: str, vouched: frozenset[str] = frozenset()
    ) -> None:
        """All of it is durable, with the boot in which it was written; ``seal`` should follow."""
        kept = _Registers(boot_id=self._boot_id, registers={}, agreed=agreed, vouched=vouched)
        body = {**codec.encode(kept, _Registers), "registers": self._encoded.data(registers)}
        self._files.write(REGISTERS, identity=self._identity, body=body)

    def seal(self) -> None:
        """Older copies of what was saved are recognised from now on."""
        self._files.seal()

    def _load_config(self) -> Configured | None:
        document = self._files.read(CONFIG)
        if document is None:
            return None
        node = document.body.get("node")
        try:
            config = read_config(document.body.get("config"))
            lineage = codec.decode(Lineage, document.body.get("lineage"))
        except (StateError, codec.CodecError) as error:
            raise self._files.refused(CONFIG, f"it holds no configuration ({error})") from None
        if lineage.digest != config.digest:
            # Written by a version that knew other settings: the same configuration has another digest now.
            lineage = lineage.followed_by(config.digest)
        if not isinstance(node, str) or node not in config.cluster.nodes:
            raise self._files.refused(CONFIG, f"it is for node {node!r}, which the cluster in it does not have")
        self._identity = _identity(node, config)
        return Configured(node=node, config=config, lineage=lineage)

    def _require_ours(self, document: Document) -> None:
        """A seal has vouched for the origin already where there is one; the node's name has to fit in any case."""
        if document.identity.get("node") != self._identity["node"]:
            whose = document.identity.get("node", "nobody")
            raise self._files.refused(REGISTERS, f"it is of node {whose}; this is {self._identity['node']}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Registers:
    boot_id: str
    registers: Mapping[str, Register]
    agreed: str = ""
    vouched: frozenset[str] = frozenset()


def set_aside(surface: Surface, now: datetime.datetime) -> Path | None:
    """The state files and their seal are in the folder given back and count no more; None when there were none."""
    folder = surface.local_path(paths.STATE)
    names = [folder / f"{CONFIG}.json", folder / f"{REGISTERS}.slots", surface.local_path(SEAL)]
    there = [path for path in names if path.exists()]
    if not there:
        return None
    aside = folder / f"set-aside-{now:%Y%m%dT%H%M%SZ}"
    aside.mkdir()
    for path in there:
        os.replace(path, aside / path.name)
    return aside


def _identity(node: str, config: Config) -> dict[str, Any]:
    return {"node": node, "cluster": config.cluster.name}
