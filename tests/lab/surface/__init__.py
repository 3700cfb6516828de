# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's surface: the primitives of ``holdfast.surface`` on the network, files and programs of one lab node.

It runs inside the monitor's process, in the node's namespaces, and is named by HOLDFAST_SURFACE. Addresses, ARP and
files are real; disks, IIS and the service control manager are the lab's. Rule: strict. What the lab does not know
is a SurfaceError, never a guess. Standard library only, because a node's Python runtime has little else.

Environment: HOLDFAST_LAB_NODE, the node's folder; HOLDFAST_LAB_BOOT_ID, new at each power-on (else the file
``standin/boot_id``); HOLDFAST_LAB_DISKS when the disks are not in ``../../disks`` of the node's folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from holdfast.surface import Surface


def open_lab_surface() -> Surface:
    """The surface of the node that HOLDFAST_LAB_NODE names."""
    # Not at the top: the lab's IIS imports parts of this package and has no use for the monitor.
    from .node import LabSurface

    folder = os.environ.get("HOLDFAST_LAB_NODE", "")
    if not folder:
        raise RuntimeError("HOLDFAST_LAB_NODE is not set; on a lab node it names the node's folder")
    node = Path(folder)
    disks = Path(os.environ.get("HOLDFAST_LAB_DISKS", node.parent.parent / "disks"))
    return LabSurface(node=node, disks=disks, boot_id=os.environ.get("HOLDFAST_LAB_BOOT_ID"))


open = open_lab_surface  # noqa: A001  - the name the nodes' environment uses; nothing in this file opens files
