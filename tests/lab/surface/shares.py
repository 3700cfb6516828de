# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network shares of the lab: folders that every node sees, and files on them that one process at a time has open.

A server is there when its folder is: take ``shares/<server>`` away, and its shares are out of reach.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import BinaryIO, cast

from holdfast.errors import NotThereError, SurfaceError

BAD_NETPATH, PATH_NOT_FOUND, SHARING_VIOLATION = 53, 3, 32


def shared(shares: Path, path: str) -> Path | None:
    r"""Where the file ``\\server\share\folder\file`` is; None when the path is not one of a share.

    Raises:
        SurfaceError: there is no such server.
    """
    if not path.startswith("\\\\"):
        return None
    server, *rest = path[2:].split("\\")
    if not (shares / server).is_dir():
        raise SurfaceError("exclusive_file", f"{path}: the network path was not found", BAD_NETPATH)
    return (shares / server).joinpath(*rest)


def open_exclusively(local: Path, path: str) -> BinaryIO:
    """The file, locked for whoever opens files in this way."""
    try:
        number = os.open(local, os.O_RDWR | os.O_CREAT | os.O_DSYNC | os.O_CLOEXEC, 0o600)
    except (FileNotFoundError, NotADirectoryError):
        raise NotThereError("exclusive_file", f"{path}: its folder does not exist", PATH_NOT_FOUND) from None
    except OSError as error:
        raise SurfaceError("exclusive_file", f"{path}: {error.strerror}", 5) from None
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(number)
        raise SurfaceError("exclusive_file", f"{path} is in use by another process", SHARING_VIOLATION) from None
    return cast(BinaryIO, os.fdopen(number, "r+b", buffering=0))
