# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Describe the cluster on a node
description:
  - Tells a node which cluster it belongs to, how the nodes are connected, and what decides when they cannot see
    each other.
  - The task belongs on every node of the cluster, with the same O(cluster).
options:
  cluster:
    description: The cluster. The same structure as the variable C(holdfast_cluster).
    type: dict
    required: true
    suboptions:
      name:
        description: The cluster's name, 1 to 63 letters, digits and dashes, first a letter.
        type: str
        required: true
      arbiter:
        description:
          - What decides when nodes cannot see each other.
          - V(manual) moves groups by command only.
        type: str
        choices: [manual]
        default: manual
      profile:
        description: How long silence lasts until something is done. V(fast) is for quiet local networks, V(vm)
          for hosts that pause.
        type: str
        choices: [normal, fast, vm]
        default: normal
      comm_port:
        description: The TCP port of the comm paths.
        type: int
        default: 7430
      comm_paths:
        description: The networks that connect the nodes, at least two.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description: The comm path's name.
            type: str
            required: true
          addresses:
            description: The address of each node on this network, by inventory hostname.
            type: dict
            required: true
          prefix_length:
            description: The network's prefix length, 24 for IPv4 and 64 for IPv6 if not given. It is used to
              tell networks apart.
            type: int
  node:
    description: The node's own name in O(cluster). The inventory hostname if not given.
    type: str
version_added: "0.1.0"
author:
  - Holdfast contributors (@holdfast)
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.flow
  - holdfast.iis.attributes
  - holdfast.iis.attributes.node
seealso:
  - module: holdfast.iis.validate
  - module: holdfast.iis.ip
  - module: holdfast.iis.volume
  - module: holdfast.iis.hierarchy
"""

EXAMPLES = r"""
- name: Describe the cluster on every node
  holdfast.iis.cluster:
    cluster:
      name: web
      comm_paths:
        - name: path-a
          addresses: {n1: 10.77.1.11, n2: 10.77.1.12}
        - name: path-b
          addresses: {n1: 10.77.2.11, n2: 10.77.2.12}
"""

RETURN = r"""
config_hash:
  description: A short hash of everything that is described; nodes agree when theirs are equal. Not in check
    mode before the first run.
  returned: success
  type: str
  sample: 3f1c9a0b77d2e614
"""
