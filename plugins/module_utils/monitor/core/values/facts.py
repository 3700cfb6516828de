# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What a node finds when it looks at its own resources; the rules of ``readiness`` judge these values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Union

from .model import Site

State = Literal["up", "down", "partial", "unknown"]
"""Up: running here, wholly. Down: confirmed to be off here. Partial: some of it is on. Unknown: cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IpFacts:
    """A switchable address as this node sees it. ``answered_by`` is a hardware address that is not ours, or None.

    ``silent`` is why no client would be reached although a card has a link: no address of ``ping`` answers; else empty.
    """

    state: State
    interface_up: bool
    answered_by: str | None
    silent: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeFacts:
    """A volume as this node sees it. ``holder`` is the reservation key of the node that may write.

    ``letter_used_by`` names another disk that has the drive letter here, or None.
    """

    state: State
    visible: bool
    online: bool
    holder: str | None
    letter_used_by: str | None
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebFacts:
    """A web site as this node sees it.

    ``site`` is what IIS has (None: no such site). ``services`` maps W3SVC and WAS to their states.
    ``certificates`` maps each thumbprint that the bindings need to "ok", "missing" or "no private key".
    ``content_present`` is None when the content's volume is not mounted here. ``autostart`` is serverAutoStart.
    """

    state: State
    site: Site | None
    autostart: bool
    services: Mapping[str, str]
    certificates: Mapping[str, str]
    content_present: bool | None
    detail: str = ""


Facts = Union[IpFacts, VolumeFacts, WebFacts]
