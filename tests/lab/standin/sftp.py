# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""SFTP over the node's drives: paths arrive as ``/C:/folder/file``."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import paramiko
from paramiko import SFTPAttributes, SFTPHandle, SFTPServer, SFTPServerInterface

from .node import USER, Node
from .paths import PathError


class Files(SFTPServerInterface):
    """What sftp and scp need to read and write single files."""

    def __init__(self, server: paramiko.ServerInterface, node: Node) -> None:
        super().__init__(server)
        self._drives = node.drives

    def canonicalize(self, path: str) -> str:
        text = path.lstrip("/")
        if not text or text == ".":
            return f"/C:/Users/{USER}"
        return "/" + (text if ":" in text else f"C:/Users/{USER}/{text}").replace("\\", "/")

    def stat(self, path: str) -> SFTPAttributes | int:
        return self._try(lambda: SFTPAttributes.from_stat(self._local(path).stat()))

    def lstat(self, path: str) -> SFTPAttributes | int:
        return self.stat(path)

    def open(self, path: str, flags: int, attr: SFTPAttributes) -> SFTPHandle | int:  # noqa: ARG002 - paramiko's signature
        return self._try(lambda: self._opened(path, flags))

    def remove(self, path: str) -> int:
        return int(self._try(lambda: self._local(path).unlink() or paramiko.SFTP_OK))

    def mkdir(self, path: str, attr: SFTPAttributes) -> int:  # noqa: ARG002 - paramiko's signature
        return int(self._try(lambda: self._local(path).mkdir() or paramiko.SFTP_OK))

    def chattr(self, path: str, attr: SFTPAttributes) -> int:  # noqa: ARG002 - Windows has no modes
        return int(paramiko.SFTP_OK)

    def _local(self, path: str) -> Any:
        return self._drives.creatable(self.canonicalize(path).lstrip("/"))

    def _opened(self, path: str, flags: int) -> SFTPHandle:
        descriptor = os.open(self._local(path), flags, 0o644)
        mode = "r+b" if flags & os.O_RDWR else "wb" if flags & os.O_WRONLY else "rb"
        file = os.fdopen(descriptor, mode)
        handle = SFTPHandle(flags)
        if flags & (os.O_RDWR | os.O_WRONLY):
            handle.writefile = file
        if not flags & os.O_WRONLY:
            handle.readfile = file
        return handle

    def _try(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except PathError:
            return paramiko.SFTP_NO_SUCH_FILE
        except OSError as error:
            return SFTPServer.convert_errno(error.errno)
