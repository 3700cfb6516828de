# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Makes folders on a node that only administrators and SYSTEM can open."""

from __future__ import annotations

from typing import Any

from ..plugin_utils._base import NodeAction

ARGUMENT_SPEC: dict[str, Any] = {"paths": {"type": "list", "elements": "str", "required": True}}

# Well-known SIDs, the same in every language of Windows: BUILTIN\\Administrators and NT AUTHORITY\\SYSTEM.
_OWNERS = ("S-1-5-32-544", "S-1-5-18")


class ActionModule(NodeAction):
    SPEC = ARGUMENT_SPEC
    VERB = "private_folder"

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.refuse_what_cannot_work()
        made = [path for path in arguments["paths"] if self._make(path)]
        before = dict.fromkeys(made, "open to others, or not there")
        after = dict.fromkeys(made, "administrators and SYSTEM only")
        diff = self.diff_of({"diff": {"before": before, "after": after}}) if made else {}
        return {"changed": bool(made), "paths": made, **diff}

    def _make(self, path: str) -> bool:
        """The folder exists and only the owners can open it; true when that was not so before.

        The owners' rights come first, so that nobody is locked out when it is interrupted in between.
        """
        if self._task.check_mode and not self.exists(path):
            return True
        results = [self.module("ansible.windows.win_file", path=path, state="directory")]
        if not self._task.check_mode:  # win_acl has no check mode
            results += [self._grant(path, owner) for owner in _OWNERS]
        results.append(self.module("ansible.windows.win_acl_inheritance", path=path, state="absent", reorganize=False))
        return any(result.get("changed", False) for result in results)

    def _grant(self, path: str, owner: str) -> dict[str, Any]:
        rights = {"rights": "FullControl", "type": "allow", "state": "present"}
        return self.module("ansible.windows.win_acl", path=path, user=owner, **rights)
