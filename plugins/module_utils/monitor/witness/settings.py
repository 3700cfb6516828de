# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The witness's configuration file: JSON, written by role witness."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass, replace
from pathlib import Path

from ..core.wire import codec
from ..errors import StateError
from ..transport.identity import Pki
from .machine import Machine

_CURE = "Correct it, or run role witness again."


@dataclass(frozen=True, slots=True, kw_only=True)
class PkiFiles:
    """PEM files: the cluster's authority, this witness's certificate and its key."""

    authority: str
    certificate: str
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``listen`` are this machine's own addresses, ``state`` is the folder of its memory. Paths are local ones."""

    cluster: str
    name: str
    nodes: tuple[str, ...]
    listen: tuple[str, ...]
    port: int
    pki: PkiFiles
    state: str

    @property
    def certificates(self) -> Pki:
        """The files as transport wants them."""
        pki = self.pki
        return Pki(authority=Path(pki.authority), certificate=Path(pki.certificate), key=Path(pki.key))


def read_settings(machine: Machine, name: str) -> Settings:
    """The settings in the file of this name.

    Raises:
        StateError: the file is not there or makes no sense; it says what to do.
    """
    path = machine.local(name)
    try:
        settings = codec.decode(Settings, json.loads(path.read_bytes()))
    except FileNotFoundError:
        text = f"there is no {path}. Role witness writes it; name another one with --config."
        raise StateError(text) from None
    except (OSError, ValueError, RecursionError, codec.CodecError) as error:
        raise StateError(f"{path} is refused: {error}. {_CURE}") from None
    trouble = _trouble(settings)
    if trouble:
        raise StateError(f"{path} is refused: {trouble}. {_CURE}")
    files = {kind: str(machine.local(getattr(settings.pki, kind))) for kind in ("authority", "certificate", "key")}
    return replace(settings, pki=PkiFiles(**files), state=str(machine.local(settings.state)))


def _trouble(settings: Settings) -> str:
    if not (settings.cluster and settings.name and settings.state):
        return "cluster, name and state must not be empty"
    if len(set(settings.nodes)) < 2 or settings.name in settings.nodes:
        return f"nodes must name the two or more nodes of the cluster, and not {settings.name} itself"
    if not settings.listen:
        return "listen names no address"
    for address in settings.listen:
        try:
            ipaddress.ip_address(address)
        except ValueError:
            return f"listen has {address!r}, which is no IP address"
    if not 0 < settings.port < 65536:
        return f"port {settings.port} is no TCP port"
    return ""
