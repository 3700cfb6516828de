# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ``ansible-test sanity`` over a copy of the project, without a container.

ansible-test wants a git checkout below ansible_collections/<namespace>/<name>. The copy in .build/sanity is
kept, so that only changed files are written again; the virtual environments that ansible-test makes stay in
~/.ansible/test, where it looks for them. A tree in which nothing was found is not searched again: pylint takes a
minute. Further arguments are handed on:
``python tests/support/sanity.py --test pylint plugins/action/site.py``.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from checkout import BUILD, ROOT, environment, tracked_files

COPY = BUILD / "sanity" / "ansible_collections" / "holdfast" / "iis"
CLEAN = BUILD / "sanity" / "clean"
"""Holds the fingerprint of the tree in which all tests last found nothing."""

GET_PIP = Path.home() / ".ansible" / "test" / "cache" / "get_pip_24_2.py"

SUBSTITUTE = '''\
"""Stands in for get-pip: the pip that comes with Python installs what is asked for."""
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip"])
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "pip", "install", *wanted])
raise SystemExit(0)
'''


def main(arguments: list[str]) -> int:
    """The exit code of ansible-test; its output goes where ours goes."""
    tree = fingerprint(copy_project())
    if not arguments and CLEAN.is_file() and CLEAN.read_text() == tree:
        sys.stdout.write(f"Nothing has changed since sanity found nothing ({CLEAN.relative_to(ROOT)}).\n")
        return 0
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ["ansible-test", "sanity", "--python", python, "--color", "no", *arguments]
    with pip_bootstrap():
        code = subprocess.run(command, cwd=COPY, env=_environment(), check=False).returncode
    if code == 0 and not arguments:
        CLEAN.write_text(tree)
    return code


def copy_project() -> Sequence[Path]:
    """COPY holds the files of the collection, which are returned, and no others, as a git checkout of its own."""
    wanted = [path for path in tracked_files() if _is_collection(path)]
    for path in wanted:
        source, target = ROOT / path, COPY / path
        if target.is_file() and filecmp.cmp(source, target):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    known = set(wanted)
    for path in [path for path in COPY.rglob("*") if path.is_file() or path.is_symlink()]:
        relative = path.relative_to(COPY)
        if relative.parts[0] != ".git" and relative not in known:
            path.unlink()
    if not (COPY / ".git").exists():
        subprocess.run(["git", "init", "--quiet"], cwd=COPY, check=True)
    return wanted


def _is_collection(path: Path) -> bool:
    """Whether ansible-test is to see it. Our tests are no part of the collection that users get; ruff and mypy read
    them, and pylint would take longer for them than for all of the collection."""
    return path.parts[0] != "tests" or path.parts[1] in ("config.yml", "sanity")


def fingerprint(files: Sequence[Path]) -> str:
    """A text that differs when a file of the copy, ansible-core or Python does."""
    digest = hashlib.sha256(f"{version('ansible-core')} {sys.version}".encode())
    for path in files:
        content = (COPY / path).read_bytes()
        digest.update(f"\n{path} {len(content)}\n".encode() + content)
    return digest.hexdigest()


@contextmanager
def pip_bootstrap() -> Iterator[None]:
    """ansible-test finds get-pip in its cache; afterwards the cache is as it was."""
    if GET_PIP.exists():
        yield
        return
    GET_PIP.parent.mkdir(parents=True, exist_ok=True)
    GET_PIP.write_text(SUBSTITUTE)
    try:
        yield
    finally:
        GET_PIP.unlink(missing_ok=True)


def _environment() -> dict[str, str]:
    """ansible-test sets up its own paths; ours would lead it to the original instead of the copy."""
    ours = {"PYTHONPATH", "ANSIBLE_CONFIG"}
    return {name: value for name, value in environment().items() if name not in ours}


if __name__ == "__main__":
    os.chdir(ROOT)
    raise SystemExit(main(sys.argv[1:]))
