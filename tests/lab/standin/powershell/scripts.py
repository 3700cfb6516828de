# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which script is this? From a command line or a script text to what has to be done on the node.

Known: ansible-core's bootstrap wrapper, its file removal and existence test, and one call of a program:
``[$input | ] & 'program' ['argument' ...][; exit $LASTEXITCODE]``. Everything else is a failure.
"""

from __future__ import annotations

import base64
import binascii
import re
import shutil
from collections.abc import Callable

from ..job import CommandError, Streams
from ..node import Node
from ..paths import PathError
from .call import Call, run_call
from .core_scripts import bootstrap_lines, lines_of
from .manifest import run_bootstrap

Body = Callable[[Streams], int]

QUOTES = "'\u2018\u2019\u201a\u201b"
_PREFIX = "PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand "
_TYPE = re.compile(r"""type (?P<file>'[^']+'|"[^"]+"|\S+) \| (?P<command>PowerShell .*)""", re.DOTALL)
_STRICT = "Set-StrictMode -Version Latest"
_TAIL = (
    "If (-not $?) { If (Get-Variable LASTEXITCODE -ErrorAction SilentlyContinue) "
    "{ exit $LASTEXITCODE } Else { exit 1 } }"
)
_EXIT = "exit $LASTEXITCODE"
_QUOTED = rf"[{QUOTES}](?:[^{QUOTES}]|[{QUOTES}]{{2}})*[{QUOTES}]"
_CALL = re.compile(
    rf"(?P<input>\$input \| ?)?& ?(?P<program>{_QUOTED})(?P<arguments>(?: {_QUOTED})*)"
    r" ?(?P<exit>; ?exit \$LASTEXITCODE)?;?"
)
_REMOVE = re.compile(rf"Remove-Item (?P<path>{_QUOTED}) -Force(?P<recurse> -Recurse)?;")
_EXISTS = re.compile(
    rf"If \(Test-Path (?P<path>{_QUOTED})\) \{{ \$res = 0; \}} Else \{{ \$res = 1; \}} "
    r"Write-Output '\$res'; Exit \$res;"
)


def recognise_command(line: str, node: Node) -> Body:
    """What a command line given to the node's command shell does. A line that is not known fails when run."""
    if match := _TYPE.fullmatch(line):
        inner = recognise_command(match["command"], node)
        return _with_file(inner, match["file"].strip("'\""), node)
    if not line.startswith(_PREFIX):
        return _refuse(f"the stand-in does not know the command line: {_short(line)}")
    try:
        script = base64.b64decode(line[len(_PREFIX) :], validate=True).decode("utf-16-le")
    except (binascii.Error, UnicodeDecodeError) as error:
        return _refuse(f"-EncodedCommand: not base64 of UTF-16: {error}")
    return recognise_script(script, node)


def recognise_script(script: str, node: Node) -> Body:
    """What a PowerShell script does. A script that is not known fails when run."""
    lines = list(lines_of(script))
    if lines and lines[0] == _STRICT:
        del lines[0]
    keeps_code = bool(lines) and lines[-1] == _TAIL
    if keeps_code:
        del lines[-1]
    if len(lines) > 1 and lines[-1] == _EXIT:
        keeps_code = True
        del lines[-1]
    if tuple(lines) == bootstrap_lines():
        return lambda streams: run_bootstrap(streams.read_all(), streams, node)
    text = " ".join(lines)
    if text.startswith(_PREFIX):  # PowerShell as the shell that is asked to start PowerShell
        return recognise_command(text, node)
    if match := _CALL.fullmatch(text):
        call = Call(
            program=unquote(match["program"]),
            arguments=tuple(unquote(word) for word in re.findall(_QUOTED, match["arguments"])),
            takes_input=match["input"] is not None,
            keeps_code=keeps_code or match["exit"] is not None,
        )
        return lambda streams: run_call(call, streams, node)
    if match := _REMOVE.fullmatch(text):
        path, recurse = unquote(match["path"]), match["recurse"] is not None
        return lambda _streams: _remove(path, recurse=recurse, node=node)
    if match := _EXISTS.fullmatch(text):
        path = unquote(match["path"])
        return lambda streams: _exists(path, streams, node)
    return _refuse(f"the stand-in does not know the PowerShell script: {_short(script)}")


def unquote(word: str) -> str:
    """The value of a PowerShell single-quoted string; a doubled quote of any of its five kinds stands for one."""
    return re.sub(rf"([{QUOTES}])[{QUOTES}]", r"\1", word[1:-1])


def _remove(path: str, *, recurse: bool, node: Node) -> int:
    try:
        file = node.drives.local(path)
    except PathError as error:
        raise CommandError(str(error)) from error
    if file.is_dir() and not file.is_symlink():
        if not recurse and any(file.iterdir()):
            raise CommandError(
                f"Remove-Item : The item at {path} has children and the Recurse parameter was not specified."
            )
        shutil.rmtree(file)
        return 0
    if not file.exists():
        raise CommandError(f"Remove-Item : Cannot find path '{path}' because it does not exist.")
    file.unlink()
    return 0


def _exists(path: str, streams: Streams, node: Node) -> int:
    code = 0 if node.drives.local(path).exists() else 1
    streams.out(b"$res\r\n")
    return code


def _with_file(inner: Body, path: str, node: Node) -> Body:
    """The inner command with a file of the node as its input, when core keeps remote files."""

    def body(streams: Streams) -> int:
        try:
            streams.provide(node.drives.local(path).read_bytes())
        except (OSError, PathError) as error:
            raise CommandError(f"type {path}: {error}") from error
        return inner(streams)

    return body


def _refuse(text: str) -> Body:
    def body(_streams: Streams) -> int:
        raise CommandError(text)

    return body


def _short(text: str) -> str:
    return repr(text if len(text) <= 300 else text[:300] + "...")
