# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: private_folder
short_description: Make folders that only administrators can open
description:
  - Makes folders on a node and lets only administrators and SYSTEM open them, inheritance off.
  - The roles use it for the keys and the state of Holdfast.
options:
  paths:
    description: The folders, outer ones first.
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
seealso:
  - module: holdfast.iis.package
"""

EXAMPLES = r"""
- name: Make the folder for the node's key
  holdfast.iis.private_folder:
    paths:
      - C:\ProgramData\Holdfast
"""

RETURN = r"""
paths:
  description: The folders that were made or closed.
  returned: success
  type: list
  elements: str
  sample: ['C:\ProgramData\Holdfast']
"""
