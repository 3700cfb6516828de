# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A node that is only a web server: answers every request with the node's name.

For the tests of the lab itself and for the benchmark's floor. Nothing here knows of Holdfast.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from pathlib import Path

HEAD_BYTES_MAX = 16_384


async def serve(name: str, management: socket.socket, ready: int) -> None:
    """Runs until it is killed; answers on port 80 of every address and on the management listener."""
    body = f"{name}\n".encode()
    answer = (
        f"HTTP/1.1 200 OK\r\nX-Lab-Node: {name}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    ).encode() + body

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # the client went away or spoke no HTTP: its loss
        finally:
            writer.close()

    web = await asyncio.start_server(handle, "0.0.0.0", 80, limit=HEAD_BYTES_MAX, backlog=1024)
    remote = await asyncio.start_server(handle, sock=management, limit=HEAD_BYTES_MAX)
    os.write(ready, b"ready\n")
    os.close(ready)
    async with web, remote:
        await asyncio.gather(web.serve_forever(), remote.serve_forever())


def main() -> None:
    """Takes the same options as the stand-in for Windows."""
    parser = argparse.ArgumentParser(description="a node that is only a web server")
    parser.add_argument("--node", type=Path, required=True)
    parser.add_argument("--winrm-fd", type=int, required=True)
    parser.add_argument("--ssh-fd", type=int, help="taken for the stand-in's sake; nobody answers there")
    parser.add_argument("--ready-fd", type=int, required=True)
    options = parser.parse_args()
    management = socket.socket(fileno=options.winrm_fd)
    management.setblocking(False)
    asyncio.run(serve(options.node.name, management, options.ready_fd))


if __name__ == "__main__":
    main()
