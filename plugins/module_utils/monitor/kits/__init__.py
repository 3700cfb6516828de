# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What each kind of resource is: its state, start, stop and checks. One kit per kind."""

from __future__ import annotations

from typing import Any, Union

from ..core.values.model import Hierarchy, Ip, Volume
from .ip import IpKit
from .kit import Context, Kit
from .lifetimes import Lifetimes
from .notices import Changes
from .volume import VolumeKit
from .web import WebKit

__all__ = ["Changes", "Context", "Kit", "Lifetimes", "Resource", "kit_of"]

Resource = Union[Ip, Volume, Hierarchy]

_IP, _VOLUME, _WEB = IpKit(), VolumeKit(), WebKit()


def kit_of(resource: Resource) -> Kit[Any]:
    """The kit of this resource's kind; it is to be called with this resource."""
    if isinstance(resource, Ip):
        return _IP
    if isinstance(resource, Volume):
        return _VOLUME
    return _WEB
