# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: in_service
short_description: Bring sites in service on a node
description:
  - Brings the groups of these tags in service. A group that runs on another node is moved (switchover); clients
    notice as little as possible.
  - A move that cannot succeed is refused while the site still runs.
  - One call, to any node that is alive, is enough for the whole cluster.
options:
  tags:
    description: The tags of hierarchies, or of resources that no hierarchy needs.
    type: list
    elements: str
    required: true
  node:
    description: The node to run on. Each one's preferred node if not given.
    type: str
  initial:
    description:
      - Whether only groups that were never placed before are brought in service.
      - What moved since then stays where it is, and what an operator took out of service stays out.
    type: bool
    default: false
  peers_off:
    description:
      - Nodes that somebody made sure are powered off. A group that such a node had last may start elsewhere.
      - An arbiter that answers decides all the same. It does so when the lease of the absent node has run out.
      - Without one, a node in this list that still runs, or is switched on unheard, makes the site run twice.
      - So look first, and keep it off until its network works.
      - It counts as switched off until it is heard again, also when the monitor restarts. After a reboot of the node
        that serves, nobody is taken for switched off any more.
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
  - holdfast.iis.options.timeout
seealso:
  - module: holdfast.iis.plan
  - module: holdfast.iis.out_of_service
  - module: holdfast.iis.cluster_info
"""

EXAMPLES = r"""
- name: Move the shop to n2
  holdfast.iis.in_service:
    tags: [shop]
    node: n2
  run_once: true

- name: Start what is new on its preferred node
  holdfast.iis.in_service:
    tags: "{{ holdfast_sites | map(attribute='name') }}"
    initial: true
  run_once: true
"""

RETURN = r"""
moves:
  description: One element for each group.
  returned: success
  type: list
  elements: dict
  contains:
    group:
      description: The group's name.
      type: str
      sample: shop
    tags:
      description: The tags of its hierarchies.
      type: list
      elements: str
      sample: [shop]
    from:
      description: The node that had the group, or nothing.
      type: str
      sample: n1
    to:
      description: The node that has it now.
      type: str
      sample: n2
    epoch:
      description: The number of this ownership; it only grows.
      type: int
      sample: 8
    outcome:
      description: V(moved), V(started) or V(unchanged); V(predicted) in check mode before the first run.
      type: str
      sample: moved
    outage_s:
      description: The time in seconds for which clients had no answer.
      type: float
      sample: 0.012
    phases:
      description: What was done when, in the order in which it began.
      type: list
      elements: dict
      sample: [{name: stop site, node: n1, resource: shop, start_s: 0.0, seconds: 0.004}]
table:
  description: The same as lines for people.
  returned: success
  type: list
  elements: str
"""
