# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control socket of the lab's IIS: ``<node>/standin/iis.sock``, one JSON object per line each way.

    {"op": "state", "site": S}                       {"ok": true, "state": "started" | "stopped" | "failed"}
    {"op": "start" | "stop", "site": S}              {"ok": true}
    {"op": "requests", "site": S}                    {"ok": true, "requests": 0}
    {"op": "bound_certificate", "site": S, "information": "ip:port:host"}     {"ok": true, "thumbprint": T | null}
    {"op": "bind_certificate", "site": S, "information": I, "thumbprint": T, "store": "MY"}    {"ok": true}
    {"op": "pool_state", "pool": P}                  {"ok": true, "state": "started" | "stopped"}
    {"op": "start_pool" | "recycle_pool", "pool": P} {"ok": true}
    {"op": "stop_pool", "pool": P, "timeout_s": 5}   {"ok": true}
    {"op": "crash" | "hang" | "wake", "site": S}     {"ok": true}    faults, never asked for by the surface
    {"op": "reload"}                                 {"ok": true}
    {"op": "list"}                                   {"ok": true, "sites": [...], "pools": [...]}

A refusal is {"ok": false, "kind": "not_there" | "refused", "code": HRESULT, "error": "text"}.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from ..surface.configuration import ConfigurationError
from .service import AbsentError, RefusedError, WebService

INVALID_PARAMETER = 0x80070057
LINE_MAX = 1024 * 1024


class Control:
    """Answers what comes over the control socket."""

    def __init__(self, service: WebService) -> None:
        self._service = service

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Every request of this connection is answered, in order, until the other side closes it."""
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            return
        finally:
            writer.close()

    async def answer(self, line: bytes) -> dict[str, Any]:
        """The answer to one request."""
        try:
            request = json.loads(line)
            broken = await self._refresh()
            if broken and request["op"] == "reload":
                raise broken
            return {"ok": True} | await self._do(request)
        except AbsentError as error:
            return _refusal("not_there", error, error.code)
        except (RefusedError, ConfigurationError) as error:
            return _refusal("refused", error, error.code)
        except (KeyError, TypeError, ValueError) as error:
            return _refusal("refused", f"not a request of this socket: {error!r}", INVALID_PARAMETER)

    async def _refresh(self) -> ConfigurationError | None:
        try:
            await self._service.refresh()
        except ConfigurationError as error:
            return error
        return None

    async def _do(self, request: Mapping[str, Any]) -> dict[str, Any]:
        service = self._service
        match request["op"]:
            case "state":
                return {"state": service.state(_text(request, "site"))}
            case "start":
                await service.start(_text(request, "site"))
            case "stop":
                await service.stop(_text(request, "site"))
            case "requests":
                return {"requests": service.requests(_text(request, "site"))}
            case "bound_certificate":
                return {"thumbprint": service.bound_certificate(_text(request, "site"), _text(request, "information"))}
            case "bind_certificate":
                where, what = (_text(request, "site"), _text(request, "information")), _text(request, "thumbprint")
                service.bind_certificate(*where, thumbprint=what, store=_text(request, "store"))
            case "list":
                return service.describe()
            case "reload":
                pass
            case _:
                return await self._do_with_pool(request)
        return {}

    async def _do_with_pool(self, request: Mapping[str, Any]) -> dict[str, Any]:
        match request["op"]:
            case "pool_state":
                return {"state": self._service.pool_state(_text(request, "pool"))}
            case "start_pool":
                self._service.start_pool(_text(request, "pool"))
            case "recycle_pool":
                self._service.recycle_pool(_text(request, "pool"))
            case "stop_pool":
                await self._service.stop_pool(_text(request, "pool"), float(request["timeout_s"]))
            case _:
                self._suffer(request)
        return {}

    def _suffer(self, request: Mapping[str, Any]) -> None:
        match request["op"]:
            case "crash":
                self._service.crash(_text(request, "site"))
            case "hang":
                self._service.hang(_text(request, "site"))
            case "wake":
                self._service.wake(_text(request, "site"))
            case unknown:
                raise ValueError(f"unknown op {unknown!r}")


def _refusal(kind: str, error: Exception | str, code: int) -> dict[str, Any]:
    return {"ok": False, "kind": kind, "code": code, "error": str(error)}


def _text(request: Mapping[str, Any], member: str) -> str:
    value = request[member]
    if not isinstance(value, str):
        raise ValueError(f"{member} must be a text, not {value!r}")  # noqa: TRY004 - a wrong request, not a wrong call
    return value
