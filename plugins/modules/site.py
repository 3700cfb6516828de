# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: site
short_description: Create and change IIS sites
description:
  - Creates and changes sites in IIS, all of a node in one call, the same on every node.
  - A site that is created is stopped and does not start by itself; M(holdfast.iis.in_service) starts it where
    it belongs.
options:
  sites:
    description: The sites. Elements of the variable C(holdfast_sites) can be given as they are.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The site's name, letters, digits and dashes only.
        type: str
        required: true
      kind:
        description: The kind of site.
        type: str
        choices: [web]
        default: web
      content:
        description: The folder with the content, on a volume of M(holdfast.iis.volume), or on drive C as each
          node's own copy.
        type: str
        required: true
      app_pool:
        description: The application pool, which is created if it is not there. The site's name if not given.
        type: str
      bindings:
        description: Where the site listens, at least one binding.
        type: list
        elements: dict
        required: true
        suboptions:
          protocol:
            description: The protocol.
            type: str
            choices: [http, https]
            default: http
          ip:
            description: A switchable address of M(holdfast.iis.ip).
            type: str
            required: true
          port:
            description: The port.
            type: int
            required: true
          host:
            description: The host header, V("") for any.
            type: str
            default: ""
          certificate:
            description: The thumbprint of the certificate, 40 hexadecimal digits in capitals; for V(https)
              only. It is in the machine's store on every node.
            type: str
          sni:
            description: Whether clients choose the certificate by name (SNI); for V(https) with
              O(sites[].bindings[].host) only.
            type: bool
            default: false
      tag:
        description: Part of the site's protection, see M(holdfast.iis.hierarchy). It has no effect here.
        type: str
      priorities:
        description: Part of the site's protection, see M(holdfast.iis.hierarchy). It has no effect here.
        type: dict
      drain_s:
        description: Part of the site's protection, see M(holdfast.iis.hierarchy). It has no effect here.
        type: float
      recovery:
        description: Part of the site's protection, see M(holdfast.iis.hierarchy). It has no effect here.
        type: dict
        suboptions:
          local:
            description: See M(holdfast.iis.hierarchy).
            type: bool
          switchback:
            description: See M(holdfast.iis.hierarchy).
            type: str
            choices: [intelligent, automatic]
          stable_s:
            description: See M(holdfast.iis.hierarchy).
            type: float
          restarts:
            description: See M(holdfast.iis.hierarchy).
            type: int
          failovers:
            description: See M(holdfast.iis.hierarchy).
            type: int
          window_s:
            description: See M(holdfast.iis.hierarchy).
            type: float
          quick_check_s:
            description: See M(holdfast.iis.hierarchy).
            type: float
          deep_check_s:
            description: See M(holdfast.iis.hierarchy).
            type: float
  prune:
    description:
      - Whether sites in IIS that this list does not mention are removed, those that Holdfast never made included.
      - A protected site is never removed; the task is refused then.
    type: bool
    default: false
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
  - module: holdfast.iis.hierarchy
  - module: holdfast.iis.in_service
"""

EXAMPLES = r"""
- name: Create the shop on every node
  holdfast.iis.site:
    sites:
      - name: shop
        content: 'X:\shop'
        bindings:
          - ip: 10.77.0.113
            port: 80
          - protocol: https
            ip: 10.77.0.113
            port: 443
            host: shop.example.com
            certificate: 0123456789ABCDEF0123456789ABCDEF01234567
            sni: true

- name: Create everything that the inventory describes
  holdfast.iis.site:
    sites: "{{ holdfast_sites }}"
"""

RETURN = r"""
sites:
  description: The sites by name, with their run states.
  returned: success
  type: dict
  sample: {shop: {state: stopped, identical: true}}
"""
