# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Reads the cluster as a node sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils._base import NodeAction
from ..plugin_utils._tables import status_table

ARGUMENT_SPEC: dict[str, Any] = {}


class ActionModule(NodeAction):
    SPEC = ARGUMENT_SPEC
    VERB = "cluster_info"

    def result(self, answered: Mapping[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        del arguments
        status = answered.get("data") or {}
        return {"changed": False, "status": status, "table": status_table(status)}
