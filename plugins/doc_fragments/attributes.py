# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: Indicates this has a corresponding action plugin so some parts of the options can be executed
      on the controller.
    support: full
  action_group:
    description: Use C(group/holdfast.iis.holdfast) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - holdfast.iis.holdfast
  async:
    description: Supports being used with the C(async) keyword.
    support: none
  become:
    description: Is usable alongside become keywords.
    support: none
    details: A task with C(become) is refused. Connect as an administrator of the node.
"""

    NODE = r"""
options: {}
attributes:
  bypass_host_loop:
    description: Forces a I(global) task that does not execute per host, bypassing per host templating and
      serial, throttle and other loop considerations.
    support: none
  connection:
    description: Uses the target's configured connection information to execute code on it.
    support: full
  delegation:
    description: Can be used in conjunction with delegate_to and related keywords.
    support: full
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: windows
notes:
  - The connection may be C(winrm), C(psrp), or C(ssh) with PowerShell; the account has to be an administrator
    of the node.
  - The C(environment) keyword has no effect on this module.
requirements:
  - The role P(holdfast.iis.monitor#role) on the node.
"""

    CONTROLLER = r"""
options: {}
attributes:
  bypass_host_loop:
    description: Forces a I(global) task that does not execute per host, bypassing per host templating and
      serial, throttle and other loop considerations.
    support: none
  connection:
    description: Uses the target's configured connection information to execute code on it.
    support: none
  delegation:
    description: Can be used in conjunction with delegate_to and related keywords.
    support: none
    details: The task runs on the control host and needs no connection.
  platform:
    description: Target OS/families that can be operated against.
    support: full
    platforms: posix
"""
