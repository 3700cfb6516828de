# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""What each kind of resource is: its state, start, stop and checks. One kit per kind."""

from __future__ import annotations

from typing import Any, Union

from ..core.values.model import Hierarchy, Ip, Volume
from .ip import IpKit, refresh
from .kit import Context, Kit
from .notices import noticed_tags
from .volume import VolumeKit
from .web import WebKit

__all__ = ["Context", "Kit", "Resource", "kit_of", "noticed_tags", "refresh"]

Resource = Union[Ip, Volume, Hierarchy]

_IP, _VOLUME, _WEB = IpKit(), VolumeKit(), WebKit()


def kit_of(resource: Resource) -> Kit[Any]:
    """The kit of this resource's kind; it is to be called with this resource."""
    if isinstance(resource, Ip):
        return _IP
    if isinstance(resource, Volume):
        return _VOLUME
    return _WEB
