# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Describes the cluster on a node."""

from __future__ import annotations

from typing import Any

from ..plugin_utils import _specs
from ..plugin_utils._base import DescribingAction

ARGUMENT_SPEC: dict[str, Any] = {
    "cluster": {"type": "dict", "required": True, "options": _specs.CLUSTER},
    "node": {"type": "str"},
    "nodes_off": {"type": "list", "elements": "str", "default": []},
}


class ActionModule(DescribingAction):
    SPEC = ARGUMENT_SPEC
    VERB = "cluster"

    def request(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {
            "node": arguments["node"] or self.node,
            "cluster": self.given("cluster"),
            "nodes_off": [str(node) for node in arguments["nodes_off"] or ()],
        }
