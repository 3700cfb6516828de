# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The monitor as one file: the same everywhere, nothing foreign in it, and it runs."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ansible_collections.holdfast.iis.plugins.action.package import pointer
from ansible_collections.holdfast.iis.plugins.plugin_utils._package import Package, build
from checkout import ROOT

MONITOR = ROOT / "plugins/module_utils/monitor"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small monitor that says what it was called with."""
    folder = tmp_path / "monitor"
    (folder / "core").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "core/__init__.py").write_text("")
    (folder / "start.py").write_text("def origin(package): return package\n")
    (folder / "cli.py").write_text("import sys\ndef main(words): sys.stdout.write(repr(words)); return 7\n")
    return folder


def test_two_builds_are_equal_to_the_byte(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(MONITOR, copy, copy_function=shutil.copyfile)
    for path in copy.rglob("*.py"):
        os.utime(path, (0, 0))
        path.chmod(0o600)

    assert build(copy).data == build().data


def test_a_changed_line_changes_the_hash(source: Path) -> None:
    before = build(source)
    (source / "core/__init__.py").write_text("# changed\n")

    assert build(source).sha256 != before.sha256


def test_what_python_leaves_behind_is_not_packed(source: Path) -> None:
    (source / "__pycache__").mkdir()
    (source / "__pycache__/cli.cpython-311.pyc").write_bytes(b"x")
    (source / "cli.pyc").write_bytes(b"x")

    assert names(build(source)) == [
        "__main__.py",
        "holdfast/__init__.py",
        "holdfast/cli.py",
        "holdfast/core/__init__.py",
        "holdfast/start.py",
        "holdfast_start.py",
    ]


def test_everything_of_the_monitor_is_packed_under_its_name_on_a_node() -> None:
    packed = set(names(build()))

    assert {"__main__.py", "holdfast/__init__.py", "holdfast/core/description/rules.py"} <= packed
    assert len(packed) == 2 + len([path for path in MONITOR.rglob("*.py") if "__pycache__" not in path.parts])


def test_the_id_is_the_beginning_of_the_hash() -> None:
    package = build()

    assert package.sha256 == hashlib.sha256(package.data).hexdigest()
    assert package.id == package.sha256[:16]
    assert package.version == "0.1.0"


def test_the_package_runs_and_its_exit_code_is_the_program_s(source: Path, tmp_path: Path) -> None:
    file = tmp_path / "holdfast.pyz"
    file.write_bytes(build(source).data)

    done = subprocess.run([sys.executable, "-I", str(file), "call", "x"], capture_output=True, timeout=20, check=False)

    assert (done.stdout, done.returncode) == (b"['call', 'x']", 7)


def test_the_pointer_has_two_lines_that_name_runtime_package_and_hash() -> None:
    package = Package(data=b"x", version="0.1.0")

    assert pointer(package, "python-1") == (
        f"@rem Holdfast 0.1.0 {package.sha256}\r\n"
        f'@"%~dp0runtimes\\python-1\\python.exe" "%~dp0versions\\{package.id}\\holdfast.pyz" %*\r\n'
    )


def names(package: Package) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(package.data)) as archive:
        return archive.namelist()
