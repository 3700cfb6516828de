# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: validate
short_description: Check the whole inventory before any node is touched
description:
  - Checks the cluster, its addresses, volumes and sites as one structure, and reports every problem with its
    place, the rule, and what to write instead.
  - Runs on the control host only.
options:
  cluster:
    description: The cluster. The variable C(holdfast_cluster) if not given.
    type: raw
  ips:
    description: The switchable addresses. The variable C(holdfast_ips) if not given.
    type: raw
  volumes:
    description: The volumes. The variable C(holdfast_volumes) if not given.
    type: raw
  sites:
    description: The sites. The variable C(holdfast_sites) if not given.
    type: raw
  nodes:
    description: The inventory hostnames of the nodes. All hosts of the play if not given.
    type: list
    elements: str
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
  - holdfast.iis.attributes.controller
seealso:
  - module: holdfast.iis.cluster
  - module: holdfast.iis.ip
  - module: holdfast.iis.volume
  - module: holdfast.iis.site
  - module: holdfast.iis.hierarchy
"""

EXAMPLES = r"""
- name: Check the inventory
  holdfast.iis.validate:
  run_once: true
"""

RETURN = r"""
nodes:
  description: The nodes that the inventory was checked for.
  returned: success
  type: list
  elements: str
  sample: [n1, n2]
problems:
  description: Every problem; empty when the task succeeds.
  returned: always
  type: list
  elements: dict
  contains:
    rule:
      description: The rule's id.
      type: str
      sample: HF206
    path:
      description: The place.
      type: str
      sample: holdfast_sites[2].bindings[0].port
    value:
      description: What stands there.
      type: raw
      sample: 80800
    message:
      description: What is wrong.
      type: str
      sample: port is 80800, outside 1 to 65535.
    cure:
      description: What to write or do instead.
      type: str
      sample: Write a number from 1 to 65535.
    source:
      description: Where the rule comes from.
      type: str
      sample: RFC 9293 section 3.1 (ports are 16 bit numbers)
"""
