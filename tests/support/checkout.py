# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things are in a checkout, and the names under which its parts are imported.

Run as a program (``make venv`` does) it makes the links; tests/conftest.py makes them too, so that a plain
``pytest`` in a fresh clone works.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
MONITOR = ROOT / "plugins" / "module_utils" / "monitor"

LINKS = {
    # the name on a node, where the package is the top of holdfast.pyz
    "python/holdfast": MONITOR,
    "python/holdfast_lab": ROOT / "tests" / "lab",
    "python/holdfast_sim": ROOT / "tests" / "simulation",
    "python/holdfast_bench": ROOT / "tests" / "bench",
    # the collection under test, as if it were installed
    "ansible_collections/holdfast/iis": ROOT,
}
"""Link below .build -> folder. Imports, mypy and ansible all go through these."""

NOT_OURS = (".pyc", ".tar.gz", "generated.yml")
"""How the names of files end that .gitignore leaves out, where there is no git to ask."""


def make_links() -> None:
    """Every link is there and leads to its folder; safe when several processes do it at once."""
    for name, folder in LINKS.items():
        link = BUILD / name
        target = os.path.relpath(folder, link.parent)
        if link.is_symlink() and os.readlink(link) == target:
            continue
        link.parent.mkdir(parents=True, exist_ok=True)
        temporary = link.with_name(f".{link.name}.{os.getpid()}")
        temporary.symlink_to(target)
        temporary.replace(link)


def tracked_files() -> Sequence[Path]:
    """All files of the project, relative to ROOT: tracked, or new and not ignored. No generated ones."""
    if not (ROOT / ".git").exists():
        return _files_without_git()
    listing = subprocess.run(
        # reading the list of a checkout that belongs to somebody else is harmless
        ["git", "-c", "safe.directory=*", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout.decode()
    names = sorted({name for name in listing.split("\0") if name})
    return [Path(name) for name in names if (ROOT / name).is_file()]


def environment() -> dict[str, str]:
    """For a child process that uses this checkout: its programs, its ansible.cfg, its import names."""
    programs = ROOT / ".venv" / "bin"
    return {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONPATH": str(BUILD / "python"),
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
    }


def _files_without_git() -> Sequence[Path]:
    """The files of an unpacked archive, without what .gitignore leaves out."""
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [name for name in folders if not name.startswith(".") or name == ".ci"]
        folders[:] = [name for name in folders if name not in {"__pycache__", "output"}]
        found += [Path(folder, name).relative_to(ROOT) for name in files if not name.endswith(NOT_OURS)]
    return sorted(found)


if __name__ == "__main__":
    make_links()
