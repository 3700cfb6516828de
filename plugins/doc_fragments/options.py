# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    PRUNE = r"""
options:
  prune:
    description:
      - Whether what the node has and this list does not mention is removed.
      - What something else still needs is never removed; the task is refused then.
    type: bool
    default: false
"""

    TIMEOUT = r"""
options:
  timeout_s:
    description:
      - The time in seconds after which the task gives up waiting.
      - What the monitors began by then, they bring to an end.
    type: int
    default: 60
"""
