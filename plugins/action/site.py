# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Creates and changes IIS sites."""

from __future__ import annotations

from typing import Any

from ..plugin_utils import _specs
from ..plugin_utils._base import DescribingAction

ARGUMENT_SPEC: dict[str, Any] = {
    "sites": {"type": "list", "elements": "dict", "required": True, "options": _specs.SITE},
    "prune": _specs.PRUNE,
}


class ActionModule(DescribingAction):
    SPEC = ARGUMENT_SPEC
    VERB = "site"

    def request(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"sites": self.elements("sites", _own), "prune": bool(arguments["prune"])}


def _own(element: dict[str, Any]) -> dict[str, Any]:
    """The keys of the site; an element of the inventory's list of sites has those of its protection as well."""
    return {key: value for key, value in element.items() if key not in ("tag", "priorities", "drain_s", "recovery")}
