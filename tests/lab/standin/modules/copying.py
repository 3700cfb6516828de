# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_copy in its four modes (win_template uses it too): what the action plugin asks of the node's side.

``query``: which of these files differ; ``single``: one file was sent; ``explode``: a zip of many was sent, with
names in base64; ``remote``: everything is on the node already.
"""

from __future__ import annotations

import base64
import ntpath
import os
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

from .base import Invocation, Module, ModuleError, options
from .files import checksum, tree_size


def win_copy(call: Invocation) -> dict[str, Any]:
    """The mode's part of the copy is done."""
    mode = call.params.get("_copy_mode") or "single"
    if mode != "query" and not call.params["src"]:
        raise ModuleError("Missing required argument: src")
    match mode:
        case "query":
            return _query(call)
        case "single":
            return _single(call)
        case "explode":
            return _explode(call)
        case "remote":
            return _Remote(call).run()
    raise ModuleError(f"_copy_mode: {mode!r} is not query, single, explode or remote")


def _query(call: Invocation) -> dict[str, Any]:
    dest = call.params["dest"]
    files = [item for item in call.params.get("files") or [] if _differs(call, dest, item)]
    folders = [item for item in call.params.get("directories") or [] if _folder_missing(call, dest, item)]
    return {"files": files, "directories": folders, "symlinks": []}


def _differs(call: Invocation, dest: str, item: dict[str, Any]) -> bool:
    path = _join(dest, item["dest"])
    if call.local(path).is_dir():
        path = _join(path, os.path.basename(item["src"]))
    file = call.local(path)
    if file.is_dir():
        raise ModuleError(f"cannot copy file to dest '{path}': object at path is already a directory")
    if not file.is_file():
        return True
    return bool(call.params["force"]) and checksum(file) != item["checksum"]


def _folder_missing(call: Invocation, dest: str, item: dict[str, Any]) -> bool:
    path = _join(dest, item["dest"])
    if call.local(ntpath.dirname(path)).is_file():
        raise ModuleError(f"cannot copy folder to dest '{path}': object at parent directory path is already a file")
    if call.local(path).is_file():
        raise ModuleError(f"cannot copy folder to dest '{path}': object at path is already a file")
    return not call.local(path).is_dir()


def _single(call: Invocation) -> dict[str, Any]:
    source = call.local(call.params["src"])
    if not source.is_file():
        raise ModuleError(f"Cannot copy src file: '{call.params['src']}' as it does not exist")
    dest = call.params["dest"]
    target = dest
    if dest.endswith(("\\", "/")) or call.local(dest).is_dir():
        target = _join(dest, call.params["_original_basename"])
    _require_parent(call, target, may_create=target != dest)
    result: dict[str, Any] = {"changed": True}
    if call.params["backup"]:
        result["backup_file"] = _back_up(call, target)
    shutil.copyfile(source, call.node.drives.creatable(target))
    return result


def _explode(call: Invocation) -> dict[str, Any]:
    source = call.local(call.params["src"])
    if not source.is_file():
        raise ModuleError(f"Cannot expand src zip file: '{call.params['src']}' as it does not exist")
    with zipfile.ZipFile(source) as archive:
        for entry in archive.infolist():
            name = base64.b64decode(entry.filename.rstrip("/"), validate=True).decode()
            target = call.node.drives.creatable(_join(call.params["dest"], name))
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(entry))
    return {"changed": True}


def _require_parent(call: Invocation, target: str, *, may_create: bool) -> None:
    parent = ntpath.dirname(call.node.drives.normal(target))
    folder = call.node.drives.creatable(parent)
    if folder.is_file():
        raise ModuleError(f"object at destination parent dir '{parent}' is currently a file")
    if folder.is_dir():
        return
    if not may_create:
        raise ModuleError(f"Destination directory '{parent}' does not exist")
    if not call.check:
        folder.mkdir(parents=True)


def _back_up(call: Invocation, path: str) -> str:
    file = call.local(path)
    if not file.is_file():
        return ""
    name = f"{path}.{os.getpid()}.{time.strftime('%Y%m%d-%H%M%S')}.bak"
    if not call.check:
        shutil.copyfile(file, call.local(name))
    return name


def _join(folder: str, name: str) -> str:
    return folder.rstrip("\\/") + "\\" + name.replace("/", "\\").strip("\\")


class _Remote:
    """A copy from the node to itself; collects what changed."""

    def __init__(self, call: Invocation) -> None:
        self._call = call
        self._diff = ""
        self._changed = False
        self._extra: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        call, params = self._call, self._call.params
        source, dest = params["src"], params["dest"]
        if not call.local(source).exists():
            raise ModuleError(f"Cannot copy src file: '{source}' as it does not exist")
        if call.local(source).is_dir():
            target = self._copy_tree(source, dest)
        else:
            target = self._copy_one(source, dest)
        result = {"src": source, "dest": target, "changed": self._changed, **self._extra}
        exists = call.local(target).exists()
        result["size"] = tree_size(call.local(target)) if exists else None
        return result | ({"diff": {"prepared": self._diff}} if call.diff else {})

    def _copy_tree(self, source: str, dest: str) -> str:
        self._extra["operation"] = "folder_copy"
        if source.endswith(("\\", "/")):
            for child in sorted(self._call.local(source).iterdir()):
                self._entry(_join(source, child.name), _join(dest, child.name), child)
            return dest
        target = _join(dest, ntpath.basename(source))
        self._folder(source, target)
        return target

    def _copy_one(self, source: str, dest: str) -> str:
        name = ntpath.basename(source)
        self._extra |= {"operation": "file_copy", "original_basename": name}
        target = dest
        if dest.endswith(("\\", "/")) or self._call.local(dest).is_dir():
            target = _join(dest, name)
        _require_parent(self._call, target, may_create=target != dest)
        self._file(source, target)
        if self._call.params["force"]:
            self._extra["checksum"] = checksum(self._call.local(source))
        return target

    def _entry(self, source: str, target: str, child: Path) -> None:
        if child.is_dir():
            self._folder(source, target)
        else:
            self._file(source, target)

    def _folder(self, source: str, target: str) -> None:
        folder = self._call.node.drives.creatable(target)
        if folder.is_file():
            raise ModuleError(f"cannot copy folder from '{source}' to '{target}': dest is already a file")
        if not folder.is_dir():
            self._note(f"+{target}\\\n")
            if not self._call.check:
                folder.mkdir(parents=True)
        for child in sorted(self._call.local(source).iterdir()):
            self._entry(_join(source, child.name), _join(target, child.name), child)

    def _file(self, source: str, target: str) -> None:
        call = self._call
        file = call.node.drives.creatable(target)
        if file.is_dir():
            raise ModuleError(f"cannot copy file from '{source}' to '{target}': dest is already a folder")
        if file.is_file():
            if not call.params["force"] or checksum(call.local(source)) == checksum(file):
                return
            if call.params["backup"]:
                self._extra["backup_file"] = _back_up(call, target)
            self._note(f"-{target}\n")
        self._note(f"+{target}\n")
        if not call.check:
            file.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(call.local(source), file)

    def _note(self, line: str) -> None:
        self._diff += line
        self._changed = True


MODULES = {
    "ansible.windows.win_copy": Module(
        run=win_copy,
        options=options("backup content decrypt dest force local_follow remote_src src"),
        internal=options("_copy_mode _original_basename files directories symlinks"),
    ),
}
