# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: ip
short_description: Describe switchable addresses
description:
  - Describes addresses that are on one node at a time and move with the sites that use them.
  - Describing an address puts it on no node; M(holdfast.iis.in_service) does.
options:
  ips:
    description: The addresses. The same structure as the variable C(holdfast_ips).
    type: list
    elements: dict
    required: true
    suboptions:
      tag:
        description: The name of this resource.
        type: str
        required: true
      address:
        description: A free address of the clients' network.
        type: str
        required: true
      prefix_length:
        description: The prefix length of the clients' network.
        type: int
        required: true
      interface:
        description: The connection alias that gets the address, V(LAN) for example, or a mapping of node names
          to aliases.
        type: raw
        required: true
      priorities:
        description: The nodes with their priorities, V(1) for the preferred one, then V(2) and so on; every
          node of the cluster.
        type: dict
        required: true
      ping:
        description: Addresses of other machines of which at least one answers while the card's network works. If
          not given, only the card's link counts.
        type: list
        elements: str
      spare:
        description: The connection alias of a second card on the same subnet, which takes the address when the
          first card fails, or a mapping of node names to aliases.
        type: raw
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
  - module: holdfast.iis.cluster
  - module: holdfast.iis.hierarchy
"""

EXAMPLES = r"""
- name: Describe the address of the shop
  holdfast.iis.ip:
    ips:
      - tag: ip-shop
        address: 10.77.0.113
        prefix_length: 24
        interface: LAN
        priorities: {n1: 1, n2: 2}
        ping: [10.77.0.1]
        spare: {n1: LAN 2}
"""

RETURN = r"""
config_hash:
  description: A short hash of everything that is described; nodes agree when theirs are equal. Not in check
    mode before the first run.
  returned: success
  type: str
  sample: 3f1c9a0b77d2e614
"""
