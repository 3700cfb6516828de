# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventories that come with the collection are in order by its own rules."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from collection import ansible

from checkout import ROOT
from holdfast.core.description.rules import check_inventory

LAB: dict[str, Any] = {
    "lab_management_prefix": "127.44.0",
    "lab_disk_id": "D1",
    "lab_https_thumbprint": "A" * 40,
    "lab_password": "x",
    "lab_arbiter": {"kind": "witness", "name": "w1", "addresses": {"path-a": "10.77.1.21", "path-b": "10.77.2.21"}},
    "lab_profile": "fast",
    "lab_recovery": {},
    "lab_shop_priorities": {"n1": 1, "n2": 2},
    "lab_docs_priorities": {"n1": 2, "n2": 1},
    "lab_comm_paths": [
        {"name": "path-a", "addresses": {"n1": "10.77.1.11", "n2": "10.77.1.12"}},
        {"name": "path-b", "addresses": {"n1": "10.77.2.11", "n2": "10.77.2.12"}},
    ],
}


@pytest.mark.parametrize("name", ["example", "lab"])
def test_an_inventory_that_comes_with_the_collection_breaks_no_rule(name: str) -> None:
    hosts = variables(name)
    node = next(iter(hosts.values()))

    problems = check_inventory(
        cluster=node["holdfast_cluster"],
        ips=node["holdfast_ips"],
        volumes=node["holdfast_volumes"],
        sites=node["holdfast_sites"],
        nodes=sorted(hosts),
    )

    assert [problem.line for problem in problems] == []
    assert len(hosts) == 2


def test_no_inventory_holds_a_secret() -> None:
    for path in (ROOT / "inventory").rglob("*.yml"):
        if path.name != "generated.yml":
            assert not re.search(r"(?i)password:\s*[^\s\"{#]", path.read_text(encoding="utf-8")), path


def variables(name: str) -> dict[str, dict[str, Any]]:
    """The variables of every host, templates of the lab resolved."""
    listing = json.loads(ansible("ansible-inventory", "-i", f"inventory/{name}", "--list"))
    hosts: dict[str, dict[str, Any]] = {
        name: resolved(values)
        for name, values in listing["_meta"]["hostvars"].items()
        if name in listing["holdfast"]["hosts"]
    }
    return hosts


def resolved(value: Any) -> Any:
    """The value with the lab's variables in place of their templates."""
    if isinstance(value, dict):
        return {key: resolved(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [resolved(inner) for inner in value]
    if not isinstance(value, str):
        return value
    for variable, content in LAB.items():
        if value == f"{{{{ {variable} }}}}":
            return content
        value = value.replace(f"{{{{ {variable} }}}}", str(content))
    return value
