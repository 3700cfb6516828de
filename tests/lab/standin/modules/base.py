# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a re-implemented module gets and gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..job import Streams
from ..node import Node


class ModuleError(Exception):
    """The module fails with this message; ``result`` is returned beside it."""

    def __init__(self, message: str, **result: Any) -> None:
        super().__init__(message)
        self.result = result


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One run of a module. ``params`` are validated, defaults filled in, absent ones None."""

    params: Mapping[str, Any]
    check: bool
    diff: bool
    environment: Mapping[str, str]
    streams: Streams
    node: Node

    def local(self, windows: str) -> Path:
        """The file in the node's folder."""
        return self.node.drives.local(windows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """A module. ``options``: the documented ones that are implemented; ``internal``: what action plugins add."""

    run: Callable[[Invocation], dict[str, Any]]
    options: frozenset[str]
    internal: frozenset[str] = field(default=frozenset())
    check_mode: bool = True


def options(text: str) -> frozenset[str]:
    """The names in the text."""
    return frozenset(text.split())
