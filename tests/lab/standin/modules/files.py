# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_stat, win_file, slurp: looking at files and folders, making and removing them."""

from __future__ import annotations

import base64
import hashlib
import ntpath
import os
import shutil
from pathlib import Path
from typing import Any

from .base import Invocation, Module, ModuleError, options


def win_stat(call: Invocation) -> dict[str, Any]:
    """What is at the path."""
    path = call.params["path"]
    file = call.local(path)
    if not file.exists():
        return {"stat": {"exists": False}}
    status = file.stat()
    folder = file.is_dir()
    windows = call.node.drives.windows(file)
    stat: dict[str, Any] = {
        "exists": True,
        "attributes": "Directory" if folder else "Archive",
        "isarchive": not folder,
        "isdir": folder,
        "isreg": not folder,
        "ishidden": False,
        "isjunction": False,
        "islnk": False,
        "isreadonly": False,
        "isshared": False,
        "nlink": 1,
        "hlnk_targets": [],
        "creationtime": status.st_ctime,
        "lastaccesstime": status.st_atime,
        "lastwritetime": status.st_mtime,
        "path": windows,
        "filename": ntpath.basename(windows) or windows,
        "owner": r"BUILTIN\Administrators",
    }
    if not folder:
        stat["extension"] = ntpath.splitext(windows)[1]
        if call.params["get_checksum"]:
            stat["checksum"] = checksum(file, call.params["checksum_algorithm"])
    if call.params["get_size"]:
        stat["size"] = tree_size(file)
    return {"stat": stat}


def win_file(call: Invocation) -> dict[str, Any]:
    """A file or folder is there, or is not."""
    path, state = call.params["path"], call.params["state"]
    basename = call.params.get("_original_basename")
    if basename and call.local(path).is_dir():
        path = f"{path}\\{basename}"
    file = call.local(path) if state == "absent" else call.node.drives.creatable(path)
    if state == "touch":
        return _touch(call, file)
    if file.exists():
        return _existing(call, path, file)
    if state == "absent":
        return {"changed": False}
    if state == "directory" or (state is None and path.endswith(("\\", "/"))):
        return _make_folder(call, path, file)
    raise ModuleError(f"path {path} will not be created")


def slurp(call: Invocation) -> dict[str, Any]:
    """The file's content in base64."""
    file = call.local(call.params["src"])
    if file.is_dir():
        raise ModuleError(f"Path {call.params['src']} is a directory")
    if not file.is_file():
        raise ModuleError(f"Path {call.params['src']} is not found")
    return {"content": base64.b64encode(file.read_bytes()).decode(), "encoding": "base64"}


def checksum(file: Path, algorithm: str = "sha1") -> str:
    """The file's hash in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, algorithm).hexdigest()


def tree_size(path: Path) -> int:
    """Bytes of the file, or of all files below the folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(item.stat().st_size for item in path.rglob("*") if item.is_file())


def _touch(call: Invocation, file: Path) -> dict[str, Any]:
    if not call.check:
        if not file.parent.is_dir():
            raise ModuleError(f"Could not find a part of the path '{call.params['path']}'.")
        file.touch()
        os.utime(file)
    return {"changed": True}


def _existing(call: Invocation, path: str, file: Path) -> dict[str, Any]:
    state = call.params["state"]
    if state == "absent":
        if not call.check:
            remove(call, path)
        return {"changed": True}
    if state == "directory" and not file.is_dir():
        raise ModuleError(f"path {path} is not a directory")
    if state == "file" and file.is_dir():
        raise ModuleError(f"path {path} is not a file")
    return {"changed": False}


def _make_folder(call: Invocation, path: str, file: Path) -> dict[str, Any]:
    try:
        if not call.check:
            file.mkdir(parents=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise ModuleError(f"An item with the specified name {path} already exists.") from error
    return {"changed": True}


def remove(call: Invocation, path: str) -> None:
    """The file or the folder with all that is in it is gone. The root of a drive is refused."""
    drives = call.node.drives
    if len(drives.normal(path)) <= 3:
        raise ModuleError(f"Failed to delete {path}: the root of a drive cannot be removed")
    file = drives.local(path)
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    else:
        file.unlink()


MODULES = {
    "ansible.windows.win_stat": Module(
        run=win_stat, options=options("path get_checksum get_size checksum_algorithm follow")
    ),
    "ansible.windows.win_file": Module(
        run=win_file, options=options("path state"), internal=options("_original_basename")
    ),
    "ansible.windows.slurp": Module(run=slurp, options=options("src")),
}
