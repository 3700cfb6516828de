# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs ``ansible-test sanity`` over a copy of the project, without a container.

ansible-test wants a git checkout below ansible_collections/<namespace>/<name>. The copy in .build/sanity is
kept, so that only changed files are written again; the virtual environments that ansible-test makes stay in
~/.ansible/test, where it looks for them. Further arguments are handed on:
``python tests/support/sanity.py --test pylint plugins/action/site.py``.
"""

from __future__ import annotations

import filecmp
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from checkout import BUILD, ROOT, environment, tracked_files

COPY = BUILD / "sanity" / "ansible_collections" / "holdfast" / "iis"
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
    copy_project()
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ["ansible-test", "sanity", "--python", version, "--color", "no", *arguments]
    with pip_bootstrap():
        return subprocess.run(command, cwd=COPY, env=_environment(), check=False).returncode


def copy_project() -> None:
    """COPY holds the files of the project as they are now and no others, as a git checkout of its own."""
    wanted = set(tracked_files())
    for path in wanted:
        source, target = ROOT / path, COPY / path
        if target.is_file() and filecmp.cmp(source, target):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)
    for path in [path for path in COPY.rglob("*") if path.is_file() or path.is_symlink()]:
        relative = path.relative_to(COPY)
        if relative.parts[0] != ".git" and relative not in wanted:
            path.unlink()
    if not (COPY / ".git").exists():
        subprocess.run(["git", "init", "--quiet"], cwd=COPY, check=True)


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
