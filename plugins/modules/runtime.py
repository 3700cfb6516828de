# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: runtime
short_description: Make the Windows runtime of the monitor
description:
  - Makes one zip file of the Windows embeddable package of Python and wheels for Windows, so that nodes need no
    internet.
  - Runs on the control host only. The same inputs give the same file.
options:
  embeddable:
    description: The embeddable package, as python.org offers it for Windows.
    type: path
    required: true
  wheels:
    description: The folder with the wheels to add.
    type: path
    required: true
  dest:
    description: The zip file to make.
    type: path
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
  - holdfast.iis.attributes.controller
seealso:
  - module: holdfast.iis.package
"""

EXAMPLES = r"""
- name: Make the runtime
  holdfast.iis.runtime:
    embeddable: python-3.13.5-embed-amd64.zip
    wheels: wheels
    dest: holdfast-runtime.zip
  delegate_to: localhost
"""

RETURN = r"""
dest:
  description: The zip file.
  returned: success
  type: str
sha256:
  description: Its SHA-256; the beginning is the runtime's id on the nodes.
  returned: success
  type: str
"""
