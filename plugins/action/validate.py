# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Checks the whole inventory structure before any node is touched."""

from __future__ import annotations

from typing import Any

from ..module_utils.monitor.core.description.arbiter_rules import arbiter_warnings
from ..module_utils.monitor.core.description.rules import check_inventory
from ..module_utils.monitor.core.description.settings import read_cluster
from ..plugin_utils._base import ControllerAction, broken_rules
from ..plugin_utils._plain import plain

ARGUMENT_SPEC: dict[str, Any] = {
    "cluster": {"type": "raw"},
    "ips": {"type": "raw"},
    "volumes": {"type": "raw"},
    "sites": {"type": "raw"},
    "nodes": {"type": "list", "elements": "str"},
}


class ActionModule(ControllerAction):
    SPEC = ARGUMENT_SPEC

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        parts = {name: self._part(name) for name in ("cluster", "ips", "volumes", "sites")}
        nodes = arguments["nodes"] if arguments["nodes"] is not None else self.vars.get("ansible_play_hosts_all", [])
        nodes = [str(node) for node in plain(nodes)]
        problems = check_inventory(**parts, nodes=nodes)
        if problems:
            raise broken_rules(problems)
        cluster, _unused = read_cluster(parts["cluster"], "holdfast_cluster")
        counts = {name: len(parts[name] or ()) for name in ("ips", "volumes", "sites")}
        return {
            "changed": False,
            "msg": _summary(nodes, counts),
            "nodes": nodes,
            "problems": [],
            "warnings": arbiter_warnings(cluster) if cluster else [],
        }

    def _part(self, name: str) -> Any:
        """The argument, or the variable of the inventory when it is not given."""
        if name in self._task.args:
            return self.given(name)
        return plain(self._templar.template(self.vars.get(f"holdfast_{name}")))


def _summary(nodes: list[str], counts: dict[str, int]) -> str:
    parts = ", ".join(f"{count} {name}" for name, count in counts.items())
    return f"the inventory is in order: nodes {', '.join(nodes)}; {parts}"
