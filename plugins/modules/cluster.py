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
          - What decides when nodes cannot see each other. V(manual) moves groups by command only; every other one
            is a mapping with its C(kind).
          - >-
            V({kind: witness, name: w1, addresses: {path-a: 10.77.1.21}, port: 7431}) is a small service on a third
            machine; C(addresses) has its address on each comm path that leads to it. The usual choice for two nodes.
          - >-
            V({kind: etcd, endpoints: [...], prefix: /holdfast/web, user: "", any_version: false}) is an etcd of
            three members or more, by their client URLs. It needs the profile V(vm).
          - >-
            V({kind: share, path: '\\\\files\\holdfast'}) is a folder on an SMB share of a third machine.
          - >-
            V({kind: lan, targets: [10.77.0.1], accept_weaker: true}) asks the clients' network. Two nodes that both
            reach a target but not each other may both serve, so it has to be accepted in writing.
        type: raw
        default: manual
      profile:
        description: How long silence lasts until something is done. V(fast) is for quiet local networks, V(vm)
          for hosts that pause, and for etcd.
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
      recovery:
        description: What is done by itself when a group fails.
        type: dict
        suboptions:
          local:
            description: Stop and start on the same node before moving to another.
            type: bool
            default: true
          shutdown:
            description: What a node that shuts down does with its groups. V(switchover) moves them, V(stay) stops
              them and has them again after the start.
            type: str
            choices: [switchover, stay]
            default: switchover
          switchback:
            description: How a group returns to its preferred node. V(intelligent) waits for a command,
              V(automatic) returns it after C(stable_s).
            type: str
            choices: [intelligent, automatic]
            default: intelligent
          stable_s:
            description: For how many seconds the preferred node has been ready before a group returns by itself.
            type: float
            default: 600
          restarts:
            description: How many times a group is restarted on its node by itself within C(window_s).
            type: int
            default: 3
          failovers:
            description: How many times a group moves to another node by itself within C(window_s). After that it
              stays as it is until a person looks.
            type: int
            default: 3
          window_s:
            description: The seconds over which restarts and failovers are counted.
            type: float
            default: 1800
          quick_check_s:
            description: The seconds between two looks whether the resources run. V(0) never looks.
            type: float
            default: 5
          deep_check_s:
            description: The seconds between two tests whether they answer. V(0) never tests.
            type: float
            default: 10
          guard_resets:
            description: Reset the machine when what it may no longer serve cannot be taken off it.
            type: bool
            default: true
  node:
    description: The node's own name in O(cluster). The inventory hostname if not given.
    type: str
  nodes_off:
    description: Nodes that leave O(cluster) and that somebody made sure are switched off for good, or that were
      told to forget it. Without this word a node that leaves has to be heard leaving.
    type: list
    elements: str
    default: []
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
      arbiter:
        kind: witness
        name: w1
        addresses: {path-a: 10.77.1.21, path-b: 10.77.2.21}
      comm_paths:
        - name: path-a
          addresses: {n1: 10.77.1.11, n2: 10.77.1.12}
        - name: path-b
          addresses: {n1: 10.77.2.11, n2: 10.77.2.12}
      recovery:
        switchback: automatic
        stable_s: 900
"""

RETURN = r"""
config_hash:
  description: A short hash of everything that is described; nodes agree when theirs are equal. Not in check
    mode before the first run.
  returned: success
  type: str
  sample: 3f1c9a0b77d2e614
"""
