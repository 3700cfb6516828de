# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Says why a group is where it is, and what would happen if a node died."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils._base import NodeAction
from ..plugin_utils._tables import explain_table

ARGUMENT_SPEC: dict[str, Any] = {"tag": {"type": "str", "required": True}}


class ActionModule(NodeAction):
    SPEC = ARGUMENT_SPEC
    VERB = "explain"

    def result(self, answered: Mapping[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        del arguments
        explanation = answered.get("data") or {}
        return {"changed": False, "explanation": explanation, "table": explain_table(explanation)}
