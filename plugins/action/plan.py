# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Says what bringing a tag in service on a node would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils._base import NodeAction
from ..plugin_utils._tables import plan_table

ARGUMENT_SPEC: dict[str, Any] = {
    "tag": {"type": "str", "required": True},
    "node": {"type": "str", "required": True},
    "peers_off": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(NodeAction):
    SPEC = ARGUMENT_SPEC
    VERB = "plan"

    def result(self, answered: Mapping[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        del arguments
        plan = answered.get("data") or {}
        return {"changed": False, "plan": plan, "table": plan_table(plan)}
