# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_unzip: zip archives. As upstream, it is not idempotent; give ``creates``."""

from __future__ import annotations

import zipfile
from typing import Any

from .base import Invocation, Module, ModuleError, options


def win_unzip(call: Invocation) -> dict[str, Any]:
    """The archive's files are below ``dest``, replacing those of the same name."""
    params = call.params
    result: dict[str, Any] = {"dest": params["dest"], "removed": False, "src": params["src"]}
    if params["creates"] and call.local(params["creates"]).exists():
        return {**result, "skipped": True, "msg": f"The file or directory '{params['creates']}' already exists."}
    source = call.local(params["src"])
    if not source.is_file():
        raise ModuleError(f"File '{params['src']}' does not exist.", **result)
    if source.suffix.lower() != ".zip" or params["recurse"] or params["password"]:
        raise ModuleError(
            "PowerShellCommunityExtensions PowerShell Module (PSCX) is required for this archive.", **result
        )
    call.node.drives.creatable(params["dest"])
    try:
        result["changed"] = _expand(call)
    except zipfile.BadZipFile as error:
        raise ModuleError(f"Error unzipping '{params['src']}' to '{params['dest']}'!. {error}", **result) from error
    if params["delete_archive"]:
        if not call.check:
            source.unlink()
        result["removed"] = True
    return result


def _expand(call: Invocation) -> bool:
    dest = call.params["dest"]
    root = call.local(dest)
    with zipfile.ZipFile(call.local(call.params["src"])) as archive:
        for entry in archive.infolist():
            if ".." in entry.filename.replace("\\", "/").split("/"):
                raise ModuleError(
                    f"Error unzipping '{call.params['src']}' to '{dest}'! Filename contains relative paths which would "
                    f"extract outside the destination: {entry.filename}"
                )
            target = root / entry.filename
            if call.check:
                continue
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(entry))
        return bool(archive.infolist())


MODULES = {
    "community.windows.win_unzip": Module(
        run=win_unzip, options=options("src dest creates delete_archive recurse password")
    ),
}
