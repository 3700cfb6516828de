# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Defaults that stand in a module's specification and in the monitor are the same."""

from __future__ import annotations

import importlib

from holdfast.core.values.model import Recovery, as_data


def test_the_defaults_of_recovery_are_those_of_the_monitor() -> None:
    specs = importlib.import_module("ansible_collections.holdfast.iis.plugins.plugin_utils._specs")
    assert {name: option["default"] for name, option in specs.RECOVERY.items()} == as_data(Recovery())
