# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Makes the Windows runtime of the monitor on the control host."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..plugin_utils._base import ControllerAction
from ..plugin_utils._node import NodeFailure
from ..plugin_utils._runtime import RuntimeFault, assemble, sha256

ARGUMENT_SPEC: dict[str, Any] = {
    "embeddable": {"type": "path", "required": True},
    "wheels": {"type": "path", "required": True},
    "dest": {"type": "path", "required": True},
}


class ActionModule(ControllerAction):
    SPEC = ARGUMENT_SPEC

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        dest = Path(arguments["dest"])
        wheels = sorted(Path(arguments["wheels"]).glob("*.whl"))
        if not wheels:
            raise NodeFailure(f"there are no wheels in {arguments['wheels']}. Fetch them with pip download first.")
        try:
            data = assemble(Path(arguments["embeddable"]), wheels)
        except RuntimeFault as fault:
            raise NodeFailure(str(fault)) from None
        changed = not dest.is_file() or dest.read_bytes() != data
        if changed and not self._task.check_mode:
            _replace(dest, data)
        return {"changed": changed, "dest": str(dest), "sha256": sha256(data)}


def _replace(path: Path, data: bytes) -> None:
    """The file has this content, wholly or not at all."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)
