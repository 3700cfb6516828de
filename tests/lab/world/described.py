# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own description of cluster and sites, as Ansible would see it."""

from __future__ import annotations

from typing import Any

import yaml
from jinja2.nativetypes import NativeEnvironment

from .places import REPOSITORY
from .remote import Lab

DESCRIPTION = REPOSITORY / "inventory" / "lab" / "group_vars" / "holdfast" / "cluster.yml"


def described(lab: Lab) -> dict[str, Any]:
    """The variables of inventory/lab for the group `holdfast`, with those of this lab filled in."""
    whole = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    return dict(_filled(whole, lab.generated(), NativeEnvironment()))


def _filled(value: Any, variables: dict[str, Any], templates: NativeEnvironment) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, variables, templates) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, variables, templates) for inner in value]
    if isinstance(value, str) and "{{" in value:
        return templates.from_string(value).render(variables)
    return value
