# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: See what a move would do
description:
  - Says what bringing a tag in service on a node would do, without doing it. It names the phases with the time
    they are expected to take, what moves along, and every reason why it would be refused.
options:
  tag:
    description: The tag of a hierarchy or resource.
    type: str
    required: true
  node:
    description: The node to move to.
    type: str
    required: true
  peers_off:
    description: Nodes that somebody made sure are powered off, as for M(holdfast.iis.in_service).
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
    support: none
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.flow
  - holdfast.iis.attributes
  - holdfast.iis.attributes.node
seealso:
  - module: holdfast.iis.in_service
  - module: holdfast.iis.cluster_info
"""

EXAMPLES = r"""
- name: See what moving the shop to n2 would do
  holdfast.iis.plan:
    tag: shop
    node: n2
  run_once: true
  register: planned
"""

RETURN = r"""
plan:
  description: The plan. Empty in check mode before the first run.
  returned: success
  type: dict
  contains:
    group:
      description: The group that would move.
      type: str
      sample: shop
    tags:
      description: All tags of the group.
      type: list
      elements: str
      sample: [vol-shop, ip-shop, shop]
    from:
      description: The node that has the group, or nothing.
      type: str
      sample: n1
    to:
      description: The node it would move to.
      type: str
      sample: n2
    allowed:
      description: Whether the move would be done.
      type: bool
      sample: true
    problems:
      description: Why it would be refused.
      type: list
      elements: dict
    phases:
      description: The phases in their order, with the expected time in seconds where there is history.
      type: list
      elements: dict
      sample: [{name: stop site, node: n1, resource: shop, expected_s: 0.004}]
    dragged:
      description: Other tags that would move along.
      type: list
      elements: str
      sample: []
table:
  description: The same as lines for people.
  returned: success
  type: list
  elements: str
"""
