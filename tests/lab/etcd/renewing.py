# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that renews at an etcd for some seconds, as a process of its own: for machines of the lab.

    python -m holdfast_lab.etcd.renewing SECONDS RENEW_S ENDPOINT...

Prints, at the end, one JSON array: [asked, acknowledged] of each renewal, by the monotonic clock of the whole machine.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from holdfast.arbiter.etcd import EtcdStore
from holdfast.core.values.model import Etcd
from holdfast_lab.etcd.asking import Node, files, in_thread


def main(arguments: Sequence[str]) -> int:
    """Renews, then prints."""
    seconds, renew_s, *endpoints = arguments
    print(json.dumps(asyncio.run(_renew(float(seconds), float(renew_s), endpoints))), flush=True)
    return 0


async def _renew(seconds: float, renew_s: float, endpoints: Sequence[str]) -> list[tuple[float, float]]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Etcd(endpoints=tuple(endpoints), prefix="/renewing", any_version=True)
        node = Node("n1", EtcdStore(settings, files=files(Path(folder)), in_thread=in_thread), renew_s=renew_s)
        renewing = asyncio.create_task(node.keep_renewing({}))
        await asyncio.sleep(seconds)
        renewing.cancel()
        node.arbiter.close()
        await asyncio.sleep(0.1)
        return node.acknowledged


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
