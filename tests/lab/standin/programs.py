# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting a program of the node: from a Windows path and arguments to a Linux process.

An ``.exe`` in the node's folder is an executable shell script. A ``.cmd`` must have exactly two lines, a remark and
one call that passes everything on: ``@rem ...`` and ``@"%~dp0...exe" "%~dp0..." %*``. Absolute Windows paths among
the arguments are translated to the node's folder, because the programs of the lab open them on Linux.
"""

from __future__ import annotations

import ntpath
import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .paths import Drives, PathError

_CMD_LINE = re.compile(r'@("[^"]+"(?: "[^"]+")*) %\*')
_WINDOWS_PATH = re.compile(r"[A-Za-z]:[\\/]")


class ProgramMissingError(Exception):
    """There is no such program on the node."""


class ProgramUnknownError(Exception):
    """The file is there, but the stand-in cannot run what it says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launcher:
    """Starts programs with the node's environment, each in a process group of its own."""

    drives: Drives
    environment: Mapping[str, str]

    def start(
        self,
        program: str,
        arguments: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        streams: bool,
    ) -> subprocess.Popen[bytes]:
        """The running process; with ``streams`` its standard streams are pipes, else nothing is read or kept.

        Raises ProgramMissingError, ProgramUnknownError.
        """
        argv = self.resolve(program, arguments)
        return self.start_argv(argv, environment=environment, streams=streams)

    def start_argv(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        streams: bool,
        descriptors: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """The same for a command of the host, which inherits the descriptors. Raises ProgramMissingError."""
        stream = subprocess.PIPE if streams else subprocess.DEVNULL
        try:
            return subprocess.Popen(
                list(argv),
                stdin=stream,
                stdout=stream,
                stderr=stream,
                cwd=self.drives.root / "C",
                env={**self.environment, **(environment or {})},
                start_new_session=True,
                pass_fds=descriptors,
            )
        except OSError as error:
            raise ProgramMissingError(f"{argv[0]}: {error.strerror}") from error

    def resolve(self, program: str, arguments: Sequence[str]) -> list[str]:
        """The Linux command for a Windows program. Raises ProgramMissingError, ProgramUnknownError."""
        file = self._file(program)
        suffix = file.suffix.lower()
        if suffix == ".cmd":
            program, first = self._expand_cmd(program, file)
            arguments = [*first, *arguments]
            try:
                file = self._file(program)
            except ProgramMissingError as error:  # for cmd.exe it is the batch file that fails, and that is there
                raise ProgramUnknownError(f"The system cannot find the path specified. ({error})") from error
            suffix = file.suffix.lower()
        if suffix != ".exe":
            raise ProgramUnknownError(f"'{program}': the stand-in starts .exe and two-line .cmd files only")
        if not os.access(file, os.X_OK):
            file.chmod(file.stat().st_mode | 0o111)  # Windows has no executable bit that an archive could lose
        return [str(file), *(self._argument(argument) for argument in arguments)]

    def _file(self, program: str) -> Path:
        try:
            file = self.drives.local(program)
        except PathError as error:
            raise ProgramMissingError(str(error)) from error
        if not file.is_file():
            raise ProgramMissingError(f"'{program}' does not exist")
        return file

    def _expand_cmd(self, program: str, file: Path) -> tuple[str, list[str]]:
        lines = file.read_text(encoding="utf-8").splitlines()
        match = _CMD_LINE.fullmatch(lines[1]) if len(lines) == 2 and lines[0].startswith("@rem ") else None
        if match is None:
            raise ProgramUnknownError(f"'{program}': it is not a remark and one quoted call that ends with %*")
        folder = ntpath.dirname(self.drives.normal(program)) + "\\"
        first, *rest = (word.replace("%~dp0", folder) for word in re.findall(r'"([^"]+)"', match[1]))
        return first, rest

    def _argument(self, argument: str) -> str:
        if not _WINDOWS_PATH.match(argument):
            return argument
        try:
            return str(self.drives.local(argument))
        except PathError as error:
            raise ProgramUnknownError(str(error)) from error


def split_command_line(line: str) -> list[str]:
    """The arguments of a Windows command line, by the rules of the C runtime.

    Source: "Parsing C command-line arguments", learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments.
    """
    arguments: list[str] = []
    word, started, quoted, backslashes = "", False, False, 0
    for character in line:
        if character == "\\":
            backslashes += 1
            continue
        if character == '"':
            word += "\\" * (backslashes // 2)
            if backslashes % 2:
                word += '"'
            else:
                quoted = not quoted
            started, backslashes = True, 0
            continue
        word += "\\" * backslashes
        started, backslashes = started or backslashes > 0, 0
        if character in " \t" and not quoted:
            if started:
                arguments.append(word)
            word, started = "", False
        else:
            word, started = word + character, True
    word += "\\" * backslashes
    if started or word:
        arguments.append(word)
    return arguments


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Neither the process nor anything it started in its group runs any longer."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
