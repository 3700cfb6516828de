# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Registers as the data that is written: of a thousand one has changed, and only that one is encoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..core.values.messages import Register
from ..core.wire import codec


class EncodedRegisters:
    """Remembers the data of the registers that were written last. Used by one thread at a time."""

    def __init__(self, *, terse: bool) -> None:
        self._terse = terse
        self._known: dict[str, tuple[Register, Any]] = {}

    def data(self, registers: Mapping[str, Register]) -> dict[str, Any]:
        """The registers as plain data, by their keys."""
        known = {key: self._encoded(key, register) for key, register in registers.items()}
        self._known = known
        return {key: data for key, (_unused, data) in known.items()}

    def _encoded(self, key: str, register: Register) -> tuple[Register, Any]:
        known = self._known.get(key)
        if known is not None and known[0] is register:
            return known
        return register, codec.encode(register, Register, terse=self._terse)
