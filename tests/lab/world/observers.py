# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The oracles that watch right now, and telling them what was done to a machine."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Observers:
    """Watching processes that read one JSON line per event on their standard input."""

    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    def tell(self, *, event: str, machine: str, pid: int | None = None) -> None:
        """Every oracle will learn that this was done to the machine, and when (monotonic seconds)."""
        line = json.dumps({"t_s": time.monotonic(), "event": event, "machine": machine, "pid": pid})
        for process in self.processes.values():
            if process.stdin is not None and process.returncode is None:
                process.stdin.write(line.encode() + b"\n")

    async def stop(self, name: str) -> int:
        """The oracle has written everything and ended; its exit code."""
        process = self.processes.pop(name)
        if process.stdin is not None:
            process.stdin.close()
        try:
            return await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            return await process.wait()

    async def close(self) -> None:
        """No oracle is left."""
        for name in list(self.processes):
            await self.stop(name)
