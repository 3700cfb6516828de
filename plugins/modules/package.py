# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: package
short_description: Put the monitor's files on a node
description:
  - Packs the monitor of this collection and puts it on a node, together with a Python runtime, side by side
    with older versions. Nothing that runs is changed.
  - Has the runtime compile the package's modules once, into a file beside it, so that the services start quickly.
  - The same collection gives the same file on every control host; its folder is named after its hash.
options:
  runtime:
    description: A zip file on the control host with a Windows Python, V(python.exe) at its top. The playbook
      holdfast.iis.runtime makes one.
    type: path
    required: true
  runtime_id:
    description: The name of the runtime's folder. The beginning of the zip file's SHA-256 if not given.
    type: str
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
  - module: holdfast.iis.private_folder
"""

EXAMPLES = r"""
- name: Put the monitor's files on every node
  holdfast.iis.package:
    runtime: files/holdfast-runtime.zip
  register: installed
"""

RETURN = r"""
sha256:
  description: The SHA-256 of the package.
  returned: success
  type: str
version:
  description: The version, as a running monitor reports it.
  returned: success
  type: str
  sample: 0.1.0+3f1c9a0b77d2e614
pointer:
  description: The text that C(holdfast.cmd) is to have to run this package.
  returned: success
  type: str
service:
  description: The command line of the service that runs this package.
  returned: success
  type: str
guard:
  description: The command line of the guard of this package.
  returned: success
  type: str
"""
