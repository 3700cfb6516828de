# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which resources a notice of the system may concern."""

from __future__ import annotations

from ..core.values.model import Config
from ..surface import Notice


def noticed_tags(kind: Notice, config: Config) -> frozenset[str]:
    """The tags of the resources that are to be looked at after a notice of this kind."""
    if kind == "network":
        return frozenset(ip.tag for ip in config.ips)
    if kind == "disk":
        return frozenset(volume.tag for volume in config.volumes)
    return frozenset(hierarchy.tag for hierarchy in config.hierarchies)
