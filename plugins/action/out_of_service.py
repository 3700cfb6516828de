# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Takes groups out of service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..plugin_utils import _specs
from ..plugin_utils._base import NodeAction
from ..plugin_utils._tables import stop_table

ARGUMENT_SPEC: dict[str, Any] = {
    "tags": {"type": "list", "elements": "str", "required": True},
    "timeout_s": _specs.TIMEOUT,
}


class ActionModule(NodeAction):
    SPEC = ARGUMENT_SPEC
    VERB = "out_of_service"

    def result(self, answered: Mapping[str, Any], arguments: dict[str, Any]) -> dict[str, Any]:
        result = {"stops": [], **super().result(answered, arguments)}
        return {**result, "table": stop_table(result["stops"], check=self._task.check_mode)}
