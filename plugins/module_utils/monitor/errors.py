# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The error tree. Every error carries fields; the text is for people only."""

from __future__ import annotations

from typing import NoReturn


class HoldfastError(Exception):
    """Anything Holdfast raises on purpose."""


class RequestError(HoldfastError):
    """A request cannot be carried out as asked; nothing was changed.

    ``kind`` is one of rule, refused, timeout, unreachable.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class SurfaceError(HoldfastError):
    """A primitive of the operating system failed.

    ``code`` is the system's own number (a Win32 error or HRESULT) or 0 where there is none.
    """

    def __init__(self, primitive: str, message: str, code: int = 0) -> None:
        super().__init__(f"{primitive}: {message}" + (f" (code 0x{code & 0xFFFFFFFF:08X})" if code else ""))
        self.primitive = primitive
        self.code = code


class NotThereError(SurfaceError):
    """The object a primitive was asked about does not exist (address, disk, site, service, certificate)."""


class NetworkError(SurfaceError):
    """No card of this node reaches the clients: nothing that is stopped and started here mends that."""


class StateError(HoldfastError):
    """A state file is torn, foreign or newer than this program; it is refused, never guessed at."""


class WireError(HoldfastError):
    """A peer sent something that is not a message of this protocol; it is counted and dropped."""


class InvariantError(HoldfastError):
    """A rule of our own does not hold: our bug. The monitor stops rather than serves on."""


def require(condition: bool, message: str) -> None:
    """The condition holds, or an InvariantError says which rule was broken."""
    if not condition:
        fail(message)


def fail(message: str) -> NoReturn:
    """Raises InvariantError; for branches that cannot be reached."""
    raise InvariantError(message)
