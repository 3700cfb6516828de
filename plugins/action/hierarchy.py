# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Protects IIS sites."""

from __future__ import annotations

from typing import Any

from ..plugin_utils import _specs
from ..plugin_utils._base import DescribingAction

ARGUMENT_SPEC: dict[str, Any] = {
    "hierarchies": {"type": "list", "elements": "dict", "required": True, "options": _specs.HIERARCHY},
    "prune": _specs.PRUNE,
}


class ActionModule(DescribingAction):
    SPEC = ARGUMENT_SPEC
    VERB = "hierarchy"

    def request(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return {"hierarchies": self.elements("hierarchies", _own), "prune": bool(arguments["prune"])}

    def prediction(self, args: dict[str, Any]) -> dict[str, Any]:
        """What the sites depend on is read on the node, so it is not foretold here."""
        predicted = super().prediction(args)
        for hierarchy in predicted["diff"]["after"].values():
            del hierarchy["depends_on"]
        return predicted


def _own(element: dict[str, Any]) -> dict[str, Any]:
    """The keys of the protection; an element of the inventory's list of sites has those of the site as well."""
    of_the_site = ("name", "content", "app_pool", "bindings")
    own = {key: value for key, value in element.items() if key not in of_the_site}
    return {"site": element["name"], **own} if "name" in element and "site" not in own else own
