# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Puts the monitor's Python runtime and its package on a node, side by side with older ones."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from ..module_utils.monitor.paths import PROGRAM
from ..plugin_utils import _node, _package
from ..plugin_utils._base import NodeAction
from ..plugin_utils._node import NodeFailure

COPY = "ansible.windows.win_copy"

ARGUMENT_SPEC: dict[str, Any] = {
    "runtime": {"type": "path", "required": True},
    "runtime_id": {"type": "str"},
}


class ActionModule(NodeAction):
    SPEC = ARGUMENT_SPEC
    VERB = "package"
    TRANSFERS_FILES = True

    def act(self, arguments: dict[str, Any]) -> dict[str, Any]:
        self.refuse_what_cannot_work()
        package = _package.build()
        archive, digest = _read(arguments["runtime"])
        runtime_id = arguments["runtime_id"] or digest[:16]
        runtime, program = rf"{PROGRAM}\runtimes\{runtime_id}", rf"{PROGRAM}\versions\{package.id}\holdfast.pyz"
        put = (self._put_runtime(archive, digest, runtime), self._put_package(package, program))
        steps = (*put, self._prepare(runtime, program, unknown=any(put)))
        new = dict.fromkeys((path for path in steps if path), "there")
        return {
            "changed": bool(new),
            "sha256": package.sha256,
            "version": f"{package.version}+{package.id}",
            "pointer": pointer(package, runtime_id),
            "service": f'"{runtime}\\python.exe" "{program}" service',
            "guard": f'"{runtime}\\python.exe" "{program}" guard',
            **self.diff_of({"diff": {"before": dict.fromkeys(new, "not there"), "after": new}}),
        }

    def _put_runtime(self, archive: str, digest: str, folder: str) -> str | None:
        """The runtime is unpacked in its folder; the folder when it was not before.

        The mark is written last: an unpacking that was interrupted has none and is done again.
        """
        mark = rf"{folder}\holdfast-runtime.sha256"
        if self._holds(mark, digest.encode("ascii")):
            return None
        if not self._task.check_mode:
            there = rf"{PROGRAM}\runtimes\{folder.rpartition(chr(92))[2]}.zip"
            self.module("ansible.windows.win_file", path=folder, state="directory")
            self.copy(COPY, archive, there)
            self.module("community.windows.win_unzip", src=there, dest=folder)
            self.module("ansible.windows.win_file", path=there, state="absent")
            self._write(mark, digest.encode("ascii"))
        return folder

    def _put_package(self, package: _package.Package, path: str) -> str | None:
        """The package is in the folder of its hash; its path when it was not before."""
        if self._holds(path, package.data):
            return None
        if not self._task.check_mode:
            self.module("ansible.windows.win_file", path=path.rpartition("\\")[0], state="directory")
            self._write(path, package.data)
        return path

    def _prepare(self, runtime: str, program: str, *, unknown: bool) -> str | None:
        """The package starts from modules that this runtime compiled; what to call them when it did not before.

        ``unknown``: in check mode the node has nothing yet that could be asked.
        """
        check = bool(self._task.check_mode)
        if not (check and unknown):
            words = (program, "prepare", *(["--check"] if check else []))
            line = _node.command(*words, program=rf"{runtime}\python.exe")
            if not self.prepared(self._low_level_execute_command(line, sudoable=False)):
                return None
        return f"{program}, compiled"

    def _holds(self, path: str, content: bytes) -> bool:
        """The file on the node has this content."""
        found = self.module("ansible.windows.win_stat", path=path, checksum_algorithm="sha256")["stat"]
        return bool(found["exists"]) and found.get("checksum") == hashlib.sha256(content).hexdigest()

    def _write(self, path: str, content: bytes) -> None:
        """The file on the node has this content."""
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder, path.rpartition("\\")[2])
            local.write_bytes(content)
            self.copy(COPY, str(local), path)


def pointer(package: _package.Package, runtime_id: str) -> str:
    """The text of holdfast.cmd, which says what runs: its lines end as batch files' do."""
    runtime, program = rf"runtimes\{runtime_id}\python.exe", rf"versions\{package.id}\holdfast.pyz"
    return f'@rem Holdfast {package.version} {package.sha256}\r\n@"%~dp0{runtime}" "%~dp0{program}" %*\r\n'


def _read(path: str) -> tuple[str, str]:
    """The zip file on the control host and its SHA-256."""
    try:
        return path, hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise NodeFailure(
            f"runtime {path} cannot be read: {error.strerror}. Make it with the playbook holdfast.iis.runtime, or "
            "give the path of another zip file with a Windows Python in it."
        ) from None
