# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Describes switchable addresses."""

from __future__ import annotations

from typing import Any

from ..plugin_utils import _specs
from ..plugin_utils._base import DescribingAction

ARGUMENT_SPEC: dict[str, Any] = {
    "ips": {"type": "list", "elements": "dict", "required": True, "options": _specs.IP},
    "prune": _specs.PRUNE,
}


class ActionModule(DescribingAction):
    SPEC = ARGUMENT_SPEC
    VERB = "ip"

    def request(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"ips": self.given("ips"), "prune": bool(arguments["prune"])}
