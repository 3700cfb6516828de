# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The description of a cluster with a node less."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DOCUMENTATION = r"""
name: without_node
short_description: The description of a cluster with a node less
version_added: "0.1.0"
author:
  - Holdfast contributors (@holdfast)
description:
  - Takes a node out of what the inventory says of a cluster, its addresses, volumes or sites.
  - The priorities of the other nodes are numbered anew, in their order. Everything else stays as it is.
positional: node
options:
  _input:
    description: The value of C(holdfast_cluster), C(holdfast_ips), C(holdfast_volumes) or C(holdfast_sites).
    type: raw
    required: true
  node:
    description: The node's inventory hostname.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Describe the switchable addresses without n3
  holdfast.iis.ip:
    ips: "{{ holdfast_ips | holdfast.iis.without_node('n3') }}"
"""

RETURN = r"""
_value:
  description: The same value, in which no priority, interface or comm-path address is the node's.
  type: raw
"""

BY_NODE = ("priorities", "interface", "spare", "addresses")
"""The keys whose mappings are by node; an address on all interfaces, a text, is nobody's."""


def without_node(value: Any, node: str) -> Any:
    """The value without what it says of the node."""
    if isinstance(value, Mapping):
        return {key: _less(key, without_node(inner, node), node) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_node(inner, node) for inner in value]
    return value


def _less(key: str, value: Any, node: str) -> Any:
    if key not in BY_NODE or not isinstance(value, Mapping) or node not in value:
        return value
    others = {name: inner for name, inner in value.items() if name != node}
    if key != "priorities":
        return others
    order = sorted(others, key=lambda name: others[name])
    return {name: order.index(name) + 1 for name in others}


class FilterModule:
    """What Ansible asks for."""

    def filters(self) -> dict[str, Any]:
        """The filters by name."""
        return {"without_node": without_node}
