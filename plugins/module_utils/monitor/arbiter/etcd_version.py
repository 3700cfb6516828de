# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Which versions of etcd may be an arbiter."""

from __future__ import annotations

import re

SOUND: dict[tuple[int, int], int] = {(3, 5): 33, (3, 6): 14, (3, 7): 1}
"""The first release of each line without a known fault that concerns us. Source: CHANGELOG-3.4 to 3.7 in
github.com/etcd-io/etcd, as of 2026-07; 3.4 has had no releases since 2026-06."""


def fault(version: str) -> str:
    """Why this version is refused; empty when it is not. Lines newer than those known are taken for sound."""
    found = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)([-+].*)?", version)
    if not found:
        return f"its version {version!r} cannot be read"
    line, patch = (int(found[1]), int(found[2])), int(found[3])
    if line > max(SOUND):
        return ""
    if line not in SOUND:
        return (
            f"etcd {version} is of a line that is not maintained any more; it has to be 3.5.33, 3.6.14, 3.7.1 or later"
        )
    needed = SOUND[line]
    if patch < needed or (patch == needed and found[4] and found[4].startswith("-")):
        return f"etcd {version} has known faults; of this line it has to be {line[0]}.{line[1]}.{needed} or later"
    return ""
