# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: explain
short_description: See why a group is where it is, and what would happen if a node died
description:
  - Says why the group of a tag is where it is, rule by rule with the values of this moment, and what would happen to
    it if each node or the arbiter died now. Nothing is touched.
  - It is what the node that is asked knows. Another node may know more, for example of its own permits.
options:
  tag:
    description: The tag of a hierarchy or resource.
    type: str
    required: true
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
  - module: holdfast.iis.cluster_info
"""

EXAMPLES = r"""
- name: Ask why the shop is where it is
  holdfast.iis.explain:
    tag: shop
  run_once: true
  register: explained

- name: Show it
  ansible.builtin.debug:
    msg: "{{ explained.table }}"
  run_once: true
"""

RETURN = r"""
explanation:
  description: The explanation. Empty in check mode before the first run.
  returned: success
  type: dict
  contains:
    group:
      description: The group of the tag.
      type: str
      sample: shop
    tags:
      description: All tags of the group.
      type: list
      elements: str
      sample: [vol-shop, ip-shop, shop]
    seen_from:
      description: The node that explains it.
      type: str
      sample: n1
    holder:
      description: The node that has the group, or nothing.
      type: str
      sample: n1
    state:
      description: What the group does.
      type: str
      sample: in_service
    epoch:
      description: The number of its last change of holder.
      type: int
      sample: 7
    why:
      description: The rules that led to it, each with its id, a sentence, its source and the values it rests on.
      type: list
      elements: dict
      sample: [{rule: HF901, text: "n1 holds it: brought into service by command", values: {holder: n1, epoch: 7}}]
    if:
      description: For each node and the arbiter what would happen if it died now. C(down) says that the group would
        not be served until somebody acts, C(to) which node would take it over, C(after_s) after how long.
      type: list
      elements: dict
      sample: [{dies: n1, down: false, to: n2, after_s: 3.6, rule: HF903, text: n2 takes it over after about 3.6 s}]
    candidates:
      description: The nodes that could have the group next, the best first, and why not.
      type: list
      elements: dict
      sample: [{node: n2, priority: 2, why_not: "", seconds_left: null}]
    settings:
      description: What of the cluster's C(recovery) the group has of its own.
      type: dict
      sample: {local: false}
    permit:
      description: For how long the node may serve it yet and by whose votes; only where it holds it.
      type: dict
    voting:
      description: The arbiter, whether its vote counts, and whether it answers.
      type: dict
    records:
      description: What happened to the group last, as far as this node knows.
      type: list
      elements: dict
table:
  description: The same as lines for people.
  returned: success
  type: list
  elements: str
"""
