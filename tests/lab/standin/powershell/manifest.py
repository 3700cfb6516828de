# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-core sends to its bootstrap wrapper: a manifest of scripts and actions, and their input.

Input is ``{bootstrap}``, a line of four NULs, ``{manifest}``, and for actions with input of their own another such
line and the data. Each action's script is checked against the known ones before it is acted upon.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..job import CommandError, Streams
from ..modules import run_module
from ..node import USER, Node
from ..paths import PathError
from .asynchronous import run_async
from .core_scripts import require_known

SEPARATOR = b"\0\0\0\0"
MODULE_WRAPPER = "module_wrapper.ps1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One step: the name of core's script and its parameters, secure ones included."""

    name: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What an action works with: its input lines, the actions after it, the job's streams and the node."""

    lines: Sequence[bytes]
    following: Sequence[Action]
    streams: Streams
    node: Node


def run_bootstrap(data: bytes, streams: Streams, node: Node) -> int:
    """The actions of the manifest were taken; the exit code is theirs. Raises CommandError for anything unknown."""
    sections = _sections(data)
    if len(sections) not in (2, 3):
        raise CommandError(f"bootstrap input: {len(sections)} sections; known are 2 and 3")
    bootstrap = json.loads(b"".join(sections[0]))
    if bootstrap.get("name") != "exec_wrapper":
        raise CommandError(f"bootstrap input: the script {bootstrap.get('name')!r} is not known")
    require_known("exec_wrapper", bootstrap["script"].encode())
    manifest = json.loads(b"".join(sections[1]))
    actions = [_action(raw, manifest["scripts"]) for raw in manifest["actions"]]
    lines = sections[2] if len(sections) == 3 else []
    return run_actions(actions, Context(lines=lines, following=(), streams=streams, node=node))


def run_actions(actions: Sequence[Action], context: Context) -> int:
    """The first action was taken; those after it are for it to start."""
    action, *following = actions
    handler = _HANDLERS.get(action.name)
    if handler is None:
        raise CommandError(f"the stand-in does not know the action '{action.name}' of ansible-core")
    context = Context(lines=context.lines, following=following, streams=context.streams, node=context.node)
    try:
        return handler(action.params, context)
    except PathError as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        raise CommandError(f"{action.name}: {error.strerror}") from error


def _sections(data: bytes) -> list[list[bytes]]:
    sections: list[list[bytes]] = [[]]
    for line in data.split(b"\n"):
        text = line.rstrip(b"\r")
        if text == SEPARATOR:
            sections.append([])
        else:
            sections[-1].append(text)
    return sections


def _action(raw: Mapping[str, Any], scripts: Mapping[str, Any]) -> Action:
    name = raw["name"]
    if name not in scripts:
        raise CommandError(f"manifest: the script of the action '{name}' is missing")
    require_known(name.removesuffix(".ps1"), base64.b64decode(scripts[name]["script"]))
    return Action(name=name, params={**raw["params"], **raw.get("secure_params", {})})


def _put_file(params: Mapping[str, Any], context: Context) -> int:
    path = context.node.drives.creatable(params["Path"])
    digest = hashlib.sha1(usedforsecurity=False)
    try:
        with path.open("wb") as file:
            for line in context.lines:
                data = base64.b64decode(line, validate=True)
                digest.update(data)
                file.write(data)
    except FileNotFoundError as error:
        raise CommandError(f"Could not find a part of the path '{params['Path']}'.") from error
    context.streams.out(json.dumps({"sha1": digest.hexdigest()}).encode() + b"\r\n")
    return 0


def _winrm_fetch_file(params: Mapping[str, Any], context: Context) -> int:
    path = context.node.drives.local(params["Path"])
    if path.is_dir():
        context.streams.out(b"[DIR]\r\n")
        return 0
    if not path.is_file():
        raise CommandError(f"{params['Path']} does not exist")
    with path.open("rb") as file:
        file.seek(params["Offset"])
        context.streams.out(base64.b64encode(file.read(params["BufferSize"])) + b"\r\n")
    return 0


def _psrp_fetch_file(params: Mapping[str, Any], context: Context) -> int:
    path = context.node.drives.local(params["Path"])
    if path.is_dir():
        context.streams.out(b"[DIR]\r\n")
        return 0
    if not path.is_file():
        raise CommandError(f"{params['Path']} does not exist")
    context.streams.out(b"[FILE]\r\n")
    with path.open("rb") as file:
        while data := file.read(params["BufferSize"]):
            context.streams.out(base64.b64encode(data) + b"\r\n")
    return 0


def _mkdtemp(params: Mapping[str, Any], context: Context) -> int:
    drives = context.node.drives
    folder = drives.creatable(drives.expand(params["Directory"]) + "\\" + params["Name"])
    if folder.exists():
        raise CommandError(f"New-Item : An item with the specified name {drives.windows(folder)} already exists.")
    folder.mkdir(parents=True)
    context.streams.out(drives.windows(folder).encode() + b"\r\n")
    return 0


def _expand_user(params: Mapping[str, Any], context: Context) -> int:
    path = params["Path"]
    profile = context.node.drives.variables["USERPROFILE"]
    if path == "~" or path.startswith("~\\"):
        path = profile + path[1:]
    context.streams.out(path.encode() + b"\r\n")
    return 0


def _become(params: Mapping[str, Any], context: Context) -> int:
    user = params.get("BecomeUser", "")
    password = params.get("BecomePassword")
    name = user.rpartition("\\")[2].lower()
    known = {account.lower(): secret for account, secret in context.node.users.items()}
    if name not in ("system", USER.lower()) and name not in known:
        raise CommandError(f"become: the account '{user}' does not exist on this node")
    if name != "system" and password != known.get(name):
        raise CommandError(f"become: Failed to become user {user}: the user name or password is incorrect")
    return run_actions(context.following, context)


def _async(params: Mapping[str, Any], context: Context) -> int:
    watchdog, module = context.following
    return run_async(
        params,
        timeout_s=watchdog.params["Timeout"],
        run=lambda streams: run_module(module.params, streams, context.node),
        streams=context.streams,
        node=context.node,
    )


def _module(params: Mapping[str, Any], context: Context) -> int:
    return run_module(params, context.streams, context.node)


_HANDLERS: Mapping[str, Callable[[Mapping[str, Any], Context], int]] = {
    "winrm_put_file.ps1": _put_file,
    "psrp_put_file.ps1": _put_file,
    "winrm_fetch_file.ps1": _winrm_fetch_file,
    "psrp_fetch_file.ps1": _psrp_fetch_file,
    "powershell_mkdtemp.ps1": _mkdtemp,
    "powershell_expand_user.ps1": _expand_user,
    "become_wrapper.ps1": _become,
    "async_wrapper.ps1": _async,
    MODULE_WRAPPER: _module,
}
