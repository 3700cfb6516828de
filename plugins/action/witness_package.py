# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Puts the package on a Linux machine that is to be the witness, side by side with older ones."""

from __future__ import annotations

import shlex
import tempfile
from pathlib import Path
from typing import Any

from ..plugin_utils import _package
from ..plugin_utils._base import ControllerAction

ARGUMENT_SPEC: dict[str, Any] = {
    "root": {"type": "path", "default": "/opt/holdfast"},
    "python": {"type": "path", "default": "/usr/bin/python3"},
}


class ActionModule(ControllerAction):
    SPEC = ARGUMENT_SPEC
    _requires_connection = True
    TRANSFERS_FILES = True

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        package = _package.build()
        folder = f"{arguments['root']}/versions/{package.id}"
        path = f"{folder}/holdfast.pyz"
        made = bool(self.module("ansible.builtin.file", path=folder, state="directory", mode="0755").get("changed"))
        # In check mode before the first run there is no folder to compare with.
        copied = True if made and self._task.check_mode else self._write(package.data, path)
        prepared = self._prepare(arguments["python"], path, unknown=copied)
        return {
            "changed": made or copied or prepared,
            "path": path,
            "sha256": package.sha256,
            "version": f"{package.version}+{package.id}",
        }

    def _prepare(self, python: str, path: str, *, unknown: bool) -> bool:
        """The package starts from modules that this Python compiled; whether it did not before.

        ``unknown``: in check mode the machine has nothing yet that could be asked.
        """
        check = bool(self._task.check_mode)
        if check and unknown:
            return True
        words = [python, "-I", path, "prepare", *(["--check"] if check else [])]
        return self.prepared(self._low_level_execute_command(shlex.join(words)))

    def _write(self, data: bytes, path: str) -> bool:
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, "holdfast.pyz")
            local.write_bytes(data)
            return self.copy("ansible.builtin.copy", str(local), path, mode="0644")
