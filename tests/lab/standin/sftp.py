# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""SFTP over the node's drives: paths arrive as ``/C:/folder/file``."""

from __future__ import annotations

import os
from pathlib import Path

from paramiko import ServerInterface, SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface
from paramiko.sftp import SFTP_FAILURE, SFTP_NO_SUCH_FILE, SFTP_OK

from .node import USER, Node
from .paths import PathError


class Files(SFTPServerInterface):
    """What sftp and scp need to read and write single files."""

    def __init__(self, server: ServerInterface, node: Node) -> None:
        super().__init__(server)
        self._drives = node.drives

    def canonicalize(self, path: str) -> str:
        text = path.lstrip("/")
        if not text or text == ".":
            return f"/C:/Users/{USER}"
        return "/" + (text if ":" in text else f"C:/Users/{USER}/{text}").replace("\\", "/")

    def stat(self, path: str) -> SFTPAttributes | int:
        try:
            return SFTPAttributes.from_stat(self._local(path).stat())
        except (PathError, OSError) as error:
            return _code(error)

    def lstat(self, path: str) -> SFTPAttributes | int:
        return self.stat(path)

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> SFTPHandle | int:  # noqa: ARG002 - paramiko's signature
        try:
            return _OpenFile(os.open(self._local(path), flags, 0o644), flags)
        except (PathError, OSError) as error:
            return _code(error)

    def remove(self, path: str) -> int:
        try:
            self._local(path).unlink()
        except (PathError, OSError) as error:
            return _code(error)
        return SFTP_OK

    def chattr(self, path: str, attr: SFTPAttributes) -> int:  # noqa: ARG002 - Windows has no modes
        return SFTP_OK

    def _local(self, path: str) -> Path:
        return self._drives.creatable(self.canonicalize(path).lstrip("/"))


class _OpenFile(SFTPHandle):
    """A file that paramiko reads and writes through these two attributes."""

    def __init__(self, descriptor: int, flags: int) -> None:
        super().__init__(flags)
        mode = "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb"
        self.readfile = self.writefile = os.fdopen(descriptor, mode)


def _code(error: PathError | OSError) -> int:
    if isinstance(error, PathError):
        return SFTP_NO_SUCH_FILE
    return int(SFTPServer.convert_errno(error.errno)) if error.errno is not None else SFTP_FAILURE
