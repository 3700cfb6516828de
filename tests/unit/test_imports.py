# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of the checkout are importable in tests under the names they have where they run."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

from checkout import ROOT, environment


def test_the_monitor_has_the_name_it_has_on_a_node() -> None:
    monitor = importlib.import_module("holdfast")

    assert monitor.__file__ is not None
    assert Path(monitor.__file__).resolve() == ROOT / "plugins/module_utils/monitor/__init__.py"


def test_plugins_are_found_as_the_collection_and_see_the_same_source() -> None:
    seen = importlib.import_module("ansible_collections.holdfast.iis.plugins.module_utils.monitor")

    assert seen.__version__ == importlib.import_module("holdfast").__version__


def test_upstream_collections_of_the_virtual_environment_are_found_too() -> None:
    importlib.import_module("ansible_collections.ansible.windows.plugins.plugin_utils")


def test_a_child_process_finds_the_same_names_through_its_environment() -> None:
    code = "import holdfast, holdfast.core; print(holdfast.__version__)"
    child = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )

    assert child.stdout.strip() == importlib.import_module("holdfast").__version__
