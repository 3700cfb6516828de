# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""win_acl and win_acl_inheritance for files and folders, recorded in ``access.json``.

The lab does not enforce access rights; it keeps what a real node would, so that a second run finds it. A record
belongs to the very file or folder: one that was removed and made anew has the rights that it inherits.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

from ..paths import PathError
from .base import Invocation, Module, ModuleError, options

FILE = "access.json"
APPLICATION_HOST = r"C:\Windows\System32\inetsrv\config\applicationHost.config"
# System.Security.AccessControl.FileSystemRights
RIGHTS = {
    "readdata": 0x1,
    "listdirectory": 0x1,
    "writedata": 0x2,
    "createfiles": 0x2,
    "appenddata": 0x4,
    "createdirectories": 0x4,
    "readextendedattributes": 0x8,
    "writeextendedattributes": 0x10,
    "executefile": 0x20,
    "traverse": 0x20,
    "deletesubdirectoriesandfiles": 0x40,
    "readattributes": 0x80,
    "writeattributes": 0x100,
    "delete": 0x10000,
    "readpermissions": 0x20000,
    "changepermissions": 0x40000,
    "takeownership": 0x80000,
    "synchronize": 0x100000,
    "read": 0x20089,
    "readandexecute": 0x200A9,
    "write": 0x116,
    "modify": 0x301BF,
    "fullcontrol": 0x1F01FF,
}
SYNCHRONIZE = 0x100000
PRINCIPALS = {
    "s-1-1-0": ("everyone",),
    "s-1-3-0": ("creator owner",),
    "s-1-5-11": ("authenticated users", r"nt authority\authenticated users"),
    "s-1-5-17": ("iusr", r"nt authority\iusr"),
    "s-1-5-18": ("system", r"nt authority\system", "localsystem"),
    "s-1-5-19": ("local service", r"nt authority\local service", "localservice"),
    "s-1-5-20": ("network service", r"nt authority\network service", "networkservice"),
    "s-1-5-32-544": ("administrators", r"builtin\administrators"),
    "s-1-5-32-545": ("users", r"builtin\users"),
    "s-1-5-32-568": ("iis_iusrs", r"builtin\iis_iusrs"),
}
INHERIT_ALL = "ContainerInherit, ObjectInherit"
INHERITED = (("s-1-5-18", RIGHTS["fullcontrol"]), ("s-1-5-32-544", RIGHTS["fullcontrol"]), ("s-1-5-32-545", 0x1200A9))


def win_acl(call: Invocation) -> dict[str, Any]:
    """A rule for a user is there, or is not."""
    params = call.params
    file = call.local(params["path"])
    if not file.exists():
        raise ModuleError(f"{params['path']} file or directory does not exist on the host")
    inherit = "None" if file.is_file() else params["inherit"] or INHERIT_ALL
    rule = {
        "user": _principal(call, params["user"]),
        "type": params["type"],
        "inherit": sorted(part.strip() for part in str(inherit).split(",")),
        "propagation": params["propagation"],
        "rights": _mask(call),
    }
    with call.node.records.change(FILE) as record:
        entry = _entry(record, file)
        there = rule in entry["rules"]
        wanted = params["state"] == "present"
        if there == wanted:
            return {"msg": "the specified rule already exists" if there else "the specified rule does not exist"}
        if wanted:
            _add(entry["rules"], rule)
        else:
            entry["rules"].remove(rule)
        record[str(file)] = entry
    return {"changed": True}


def win_acl_inheritance(call: Invocation) -> dict[str, Any]:
    """The rules of the parent apply, or do not."""
    path, wanted = call.params["path"], call.params["state"]
    file = call.local(call.node.drives.expand(path))
    if not file.exists():
        raise ModuleError(f"{path} does not exist")
    current = "present" if _entry(call.node.records.read(FILE), file)["inherits"] else "absent"
    if current != wanted and not call.check:
        with call.node.records.change(FILE) as record:
            record[str(file)] = _with_inheritance(_entry(record, file), wanted, reorganize=call.params["reorganize"])
    result: dict[str, Any] = {"changed": current != wanted}
    if call.diff:
        result["diff"] = {"before": {"state": current}, "after": {"state": wanted}}
    return result


def _entry(record: dict[str, Any], file: Path) -> dict[str, Any]:
    entry = record.get(str(file))
    if entry is None or entry["inode"] != file.stat().st_ino:
        return {"inode": file.stat().st_ino, "inherits": True, "rules": []}
    return dict(entry)


def _with_inheritance(entry: dict[str, Any], wanted: str, *, reorganize: bool) -> dict[str, Any]:
    entry["inherits"] = wanted == "present"
    copies = [
        {
            "user": user,
            "type": "allow",
            "inherit": sorted(INHERIT_ALL.split(", ")),
            "propagation": "None",
            "rights": mask,
        }
        for user, mask in INHERITED
    ]
    if wanted == "absent" and reorganize:
        entry["rules"] += [rule for rule in copies if rule not in entry["rules"]]
    if wanted == "present" and reorganize:
        entry["rules"] = [rule for rule in entry["rules"] if rule not in copies]
    return entry


def _add(rules: list[dict[str, Any]], rule: dict[str, Any]) -> None:
    """As AddAccessRule does: rights of a rule with the same user, type and flags are united."""
    for present in rules:
        if all(present[key] == rule[key] for key in ("user", "type", "inherit", "propagation")):
            present["rights"] |= rule["rights"]
            return
    rules.append(rule)


def _mask(call: Invocation) -> int:
    mask = 0
    for name in str(call.params["rights"]).split(","):
        if name.strip().lower() not in RIGHTS:
            raise ModuleError(
                f"an error occurred when attempting to {call.params['state']} {call.params['rights']} permission(s): "
                f"'{name.strip()}' is not a right of a file or folder"
            )
        mask |= RIGHTS[name.strip().lower()]
    return mask | (SYNCHRONIZE if call.params["type"] == "allow" else 0)


def _principal(call: Invocation, name: str) -> str:
    wanted = name.lower()
    for sid, names in PRINCIPALS.items():
        if wanted == sid or wanted in names:
            return sid
    domain, _, user = wanted.rpartition("\\")
    if domain == "iis apppool" and user in _pools(call):
        return f"iis apppool\\{user}"
    if domain in ("", ".", call.node.name.lower()) and user in (known.lower() for known in call.node.users):
        return user
    raise ModuleError(f"{name} is not a valid user or group on the host machine or domain")


def _pools(call: Invocation) -> set[str]:
    try:
        text = call.local(APPLICATION_HOST).read_text(encoding="utf-8-sig")
    except (FileNotFoundError, PathError):
        return set()
    found = ET.fromstring(re.sub(r"<\?xml[^>]*\?>", "", text)).iterfind(".//applicationPools/add")
    return {pool.get("name", "").lower() for pool in found}


MODULES = {
    "ansible.windows.win_acl": Module(
        run=win_acl, options=options("path user rights type state inherit propagation follow"), check_mode=False
    ),
    "ansible.windows.win_acl_inheritance": Module(run=win_acl_inheritance, options=options("path reorganize state")),
}
