# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: out_of_service
short_description: Take sites out of service
description:
  - Stops the hierarchies of these tags where they run, with the addresses and volumes that nothing else in
    service needs. They start nowhere else.
  - They stay out of service until M(holdfast.iis.in_service), through faults and restarts.
  - One call, to any node that is alive, is enough for the whole cluster.
options:
  tags:
    description: The tags of hierarchies, or of resources that no hierarchy needs.
    type: list
    elements: str
    required: true
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
  - module: holdfast.iis.in_service
  - module: holdfast.iis.cluster_info
"""

EXAMPLES = r"""
- name: Stop the shop everywhere
  holdfast.iis.out_of_service:
    tags: [shop]
  run_once: true
"""

RETURN = r"""
stops:
  description: One element for each group that was stopped or was out of service already.
  returned: success
  type: list
  elements: dict
  sample: [{group: shop, tags: [shop], from: n1, epoch: 9, outcome: stopped}]
table:
  description: The same as lines for people.
  returned: success
  type: list
  elements: str
"""
