# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_info
short_description: Look at the cluster as a node sees it
description:
  - Reads the state of the nodes, their comm paths, the groups and their resources. Nothing is changed.
options: {}
version_added: "0.1.0"
author:
  - Holdfast contributors (@holdfast)
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.flow
  - holdfast.iis.attributes
  - holdfast.iis.attributes.node
seealso:
  - module: holdfast.iis.plan
  - module: holdfast.iis.in_service
"""

EXAMPLES = r"""
- name: Look at the cluster
  holdfast.iis.cluster_info:
  register: cluster

- name: Show it
  ansible.builtin.debug:
    var: cluster.table
"""

RETURN = r"""
status:
  description: What the node knows. Empty in check mode before the first run.
  returned: success
  type: dict
  contains:
    cluster:
      description: The cluster's name.
      type: str
      sample: web
    node:
      description: The node that answered.
      type: str
      sample: n1
    config_hash:
      description: A short hash of everything that is described.
      type: str
      sample: 3f1c9a0b77d2e614
    arbiter:
      description: The arbiter.
      type: str
      sample: manual
    profile:
      description: The timing profile.
      type: str
      sample: normal
    nodes:
      description: Every node with its state (V(alive), V(suspect), V(dead), V(unknown)) and its comm paths.
      type: list
      elements: dict
    groups:
      description: Every group with its state, where it runs, its epoch, its hierarchies and resources.
      type: list
      elements: dict
    warnings:
      description: What somebody should look after.
      type: list
      elements: str
table:
  description: The same as lines for people.
  returned: success
  type: list
  elements: str
"""
