# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: volume
short_description: Describe content volumes
description:
  - Describes volumes that one node at a time has, with the content of sites on them.
  - Describing a volume mounts it nowhere; M(holdfast.iis.in_service) does.
options:
  volumes:
    description: The volumes. The same structure as the variable C(holdfast_volumes).
    type: list
    elements: dict
    required: true
    suboptions:
      tag:
        description: The name of this resource.
        type: str
        required: true
      drive:
        description: The drive letter and a colon, the same on every node.
        type: str
        required: true
      driver:
        description: How the volume is handed over. V(shared_disk) is a disk that all nodes see, with SCSI-3
          persistent reservations.
        type: str
        choices: [shared_disk]
        default: shared_disk
      disk:
        description: The disk's unique id, as C(Get-Disk) shows it on every node.
        type: str
        required: true
      priorities:
        description: The nodes with their priorities, V(1) for the preferred one, then V(2) and so on; every
          node of the cluster.
        type: dict
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
  - holdfast.iis.options.prune
seealso:
  - module: holdfast.iis.cluster
  - module: holdfast.iis.hierarchy
"""

EXAMPLES = r"""
- name: Describe the volume of the shop
  holdfast.iis.volume:
    volumes:
      - tag: vol-shop
        drive: "X:"
        disk: 600224801C5C6A3B8E2F4D6A9B1C2D3E
        priorities: {n1: 1, n2: 2}
"""

RETURN = r"""
config_hash:
  description: A short hash of everything that is described; nodes agree when theirs are equal. Not in check
    mode before the first run.
  returned: success
  type: str
  sample: 3f1c9a0b77d2e614
"""
