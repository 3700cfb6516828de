# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which instance of a witness this node knows, on its disk. Blocking; called in worker threads only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .. import paths
from ..core.wire import codec
from ..errors import StateError
from ..store.disk import Disk, RealDisk, put_durably
from ..surface import Surface

PATH = paths.STATE + r"\witness.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The witness's ``instance``, and the latest ``serial`` number that it has shown us."""

    instance: str
    serial: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pins:
    witnesses: Mapping[str, Pin]


class PinFile:
    """The pins of this node by the witness's name. A witness that the cluster had before keeps its pin."""

    def __init__(self, surface: Surface, disk: Disk | None = None) -> None:
        self._path: Path = surface.local_path(PATH)
        self._disk = disk or RealDisk()

    def read(self, witness: str) -> Pin | None:
        """The pin; None when this node never met a witness of this name.

        Raises:
            StateError: the file makes no sense.
        """
        return self._read().get(witness)

    def write(self, witness: str, pin: Pin) -> None:
        """The pin is durable. A file that makes no sense is replaced."""
        try:
            others = self._read()
        except StateError:
            others = {}
        pins = _Pins(witnesses={**others, witness: pin})
        content = json.dumps(codec.encode(pins, _Pins), sort_keys=True).encode("ascii") + b"\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        put_durably(self._disk, self._path, content)

    def _read(self) -> Mapping[str, Pin]:
        content = self._disk.read(self._path)
        if content is None:
            return {}
        try:
            return codec.decode(_Pins, json.loads(content)).witnesses
        except (ValueError, RecursionError, codec.CodecError) as error:
            raise StateError(f"{self._path} is torn or not ours ({error})") from None
