# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: witness_package
short_description: Put the package of a witness on a Linux machine
description:
  - Packs the monitor of this collection, which the witness is part of, and puts it on a machine with Linux, side by
    side with older versions. Nothing that runs is changed.
  - It is the same file that M(holdfast.iis.package) puts on the nodes; its folder is named after its hash.
options:
  root:
    description: The folder below which versions lie.
    type: path
    default: /opt/holdfast
  python:
    description: The Python that is to run it. It compiles the package's modules once.
    type: path
    default: /usr/bin/python3
version_added: "0.1.0"
author:
  - Holdfast contributors (@holdfast)
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  become:
    support: full
    details: The folder belongs to whom the task runs as; let that be root.
  bypass_host_loop:
    support: none
  connection:
    support: full
  delegation:
    support: full
  platform:
    support: full
    platforms: posix
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - ansible.builtin.action_common_attributes.conn
  - ansible.builtin.action_common_attributes.flow
  - holdfast.iis.attributes
seealso:
  - module: holdfast.iis.package
"""

EXAMPLES = r"""
- name: Put the package on the witness
  holdfast.iis.witness_package:
  register: installed
"""

RETURN = r"""
path:
  description: The file.
  returned: success
  type: str
  sample: /opt/holdfast/versions/3f1c9a0b77d2e614/holdfast.pyz
sha256:
  description: Its SHA-256.
  returned: success
  type: str
version:
  description: The version, as a running witness reports it.
  returned: success
  type: str
  sample: 0.1.0+3f1c9a0b77d2e614
"""
