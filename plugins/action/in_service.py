# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Brings groups in service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils import _specs
from ..plugin_utils._base import NodeAction
from ..plugin_utils._tables import move_table

ARGUMENT_SPEC: dict[str, Any] = {
    "tags": {"type": "list", "elements": "str", "required": True},
    "node": {"type": "str"},
    "initial": {"type": "bool", "default": False},
    "peers_off": {"type": "list", "elements": "str", "default": []},
    "timeout_s": _specs.TIMEOUT,
}


class ActionModule(NodeAction):
    SPEC = ARGUMENT_SPEC
    VERB = "in_service"

    def prediction(self, args: dict[str, Any]) -> dict[str, Any]:
        """Where nothing was ever placed, every tag is."""
        moves = [
            {"group": tag, "tags": [tag], "from": None, "to": args["node"], "outcome": "predicted"}
            for tag in args["tags"]
        ]
        after = {tag: {"in_service_on": args["node"] or "its preferred node"} for tag in args["tags"]}
        return {"changed": bool(moves), "diff": {"before": {}, "after": after}, "data": {"moves": moves}}

    def result(self, answered: Mapping[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        result = super().result(answered, arguments)
        return {**result, "table": move_table(result.get("moves") or (), check=self._task.check_mode)}
