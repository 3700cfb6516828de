# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: hierarchy
short_description: Protect IIS sites
description:
  - Protects sites that exist in IIS. From then on a site runs on one node at a time, together with the
    addresses and volumes it depends on.
  - The dependencies are read from the node's IIS configuration. They have to be described before, with the same
    priorities.
  - Protecting a site starts it nowhere; M(holdfast.iis.in_service) does.
options:
  hierarchies:
    description: The protected sites. Elements of the variable C(holdfast_sites) can be given as they are.
    type: list
    elements: dict
    required: true
    suboptions:
      site:
        description: The name of the site in IIS.
        type: str
        required: true
        aliases: [name]
      kind:
        description: The kind of site.
        type: str
        choices: [web]
        default: web
      tag:
        description: The name of the hierarchy. The site's name if not given.
        type: str
      priorities:
        description: The nodes with their priorities, V(1) for the preferred one, then V(2) and so on; every
          node of the cluster.
        type: dict
        required: true
      drain_s:
        description: The time in seconds for which requests may come to their end before a planned stop.
        type: float
        default: 0.0
      recovery:
        description: What of the cluster's C(recovery) is different for this site, and for the group that moves
          with it. Sites of one group do not contradict each other. What is not given is as in
          M(holdfast.iis.cluster).
        type: dict
        suboptions:
          local:
            description: Stop and start on the same node before moving to another.
            type: bool
          switchback:
            description: How the group returns to its preferred node.
            type: str
            choices: [intelligent, automatic]
          stable_s:
            description: For how many seconds the preferred node has been ready before it returns by itself.
            type: float
          restarts:
            description: How many times it is restarted by itself within C(window_s).
            type: int
          failovers:
            description: How many times it moves by itself within C(window_s).
            type: int
          window_s:
            description: The seconds over which restarts and failovers are counted.
            type: float
          quick_check_s:
            description: The seconds between two looks whether it runs. V(0) never looks.
            type: float
          deep_check_s:
            description: The seconds between two tests whether it answers. V(0) never tests.
            type: float
      content:
        description: Part of the site, see M(holdfast.iis.site). It has no effect here.
        type: str
      app_pool:
        description: Part of the site, see M(holdfast.iis.site). It has no effect here.
        type: str
      bindings:
        description: Part of the site, see M(holdfast.iis.site). It has no effect here.
        type: list
        elements: dict
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
  - holdfast.iis.options.prune
seealso:
  - module: holdfast.iis.site
  - module: holdfast.iis.ip
  - module: holdfast.iis.volume
  - module: holdfast.iis.in_service
"""

EXAMPLES = r"""
- name: Protect the shop
  holdfast.iis.hierarchy:
    hierarchies:
      - site: shop
        priorities: {n1: 1, n2: 2}
        drain_s: 5
        recovery: {local: false, deep_check_s: 30}

- name: Protect everything that the inventory describes
  holdfast.iis.hierarchy:
    hierarchies: "{{ holdfast_sites }}"
"""

RETURN = r"""
config_hash:
  description: A short hash of everything that is described; nodes agree when theirs are equal. Not in check
    mode before the first run.
  returned: success
  type: str
  sample: 3f1c9a0b77d2e614
groups:
  description: The groups that move as one, with the tags in each.
  returned: success
  type: raw
  sample: [{name: shop, tags: [vol-shop, ip-shop, shop]}]
"""
