# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Puts the package on a Linux machine that is to be the witness, side by side with older ones."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ..plugin_utils import _package
from ..plugin_utils._base import ControllerAction
from ..plugin_utils._node import NodeFailure

ARGUMENT_SPEC: dict[str, Any] = {"root": {"type": "path", "default": "/opt/holdfast"}}


class ActionModule(ControllerAction):
    SPEC = ARGUMENT_SPEC
    _requires_connection = True
    TRANSFERS_FILES = True

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        package = _package.build()
        folder = f"{arguments['root']}/versions/{package.id}"
        path = f"{folder}/holdfast.pyz"
        found = self._execute_module(
            module_name="ansible.builtin.file",
            module_args={"path": folder, "state": "directory", "mode": "0755"},
            task_vars=self.vars,
        )
        made = self._checked(found, folder)
        # In check mode before the first run there is no folder to compare with.
        copied = True if made and self._task.check_mode else self._copy(package.data, path)
        return {
            "changed": made or copied,
            "path": path,
            "sha256": package.sha256,
            "version": f"{package.version}+{package.id}",
        }

    def _copy(self, data: bytes, path: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, "holdfast.pyz")
            local.write_bytes(data)
            task = self._task.copy()
            task.args = {"src": str(local), "dest": path, "mode": "0644"}
            action = self._shared_loader_obj.action_loader.get(
                "ansible.builtin.copy",
                task=task,
                connection=self._connection,
                play_context=self._play_context,
                loader=self._loader,
                templar=self._templar,
                shared_loader_obj=self._shared_loader_obj,
            )
            return self._checked(action.run(task_vars=self.vars), path)

    def _checked(self, found: dict[str, Any], path: str) -> bool:
        """Whether something changed. Raises NodeFailure when it failed."""
        if found.get("failed"):
            raise NodeFailure(f"{self.node}: {path} could not be written: {found.get('msg')}")
        return bool(found.get("changed"))
