# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Requests and answers of a node as plain data, the form that crosses the loopback and the playbook's connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .. import PROTOCOL
from ..core.wire import codec
from ..errors import RequestError

Answer = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody wants of this node. In ``check`` mode nothing is changed and the answer predicts."""

    protocol: int
    verb: str
    args: Mapping[str, Any]
    check: bool = False
    diff: bool = False


def request_of(data: Any) -> Request:
    """The request in the data.

    Raises:
        RequestError: it is none.
    """
    try:
        request = codec.decode(Request, data)
    except codec.CodecError as error:
        raise RequestError("rule", f"this is no request: {error}") from None
    if request.protocol != PROTOCOL:
        raise RequestError(
            "refused",
            f"the request speaks protocol {request.protocol} and this monitor {PROTOCOL}: run role monitor, so that "
            "the collection and the node have the same version",
        )
    return request


def success(data: Mapping[str, Any], *, changed: bool = False, diff: Mapping[str, Any] | None = None) -> Answer:
    """The answer to a request that was carried out."""
    return {"ok": True, "changed": changed, "diff": diff, "data": dict(data)}


def failure(kind: str, message: str, problems: Sequence[Mapping[str, Any]] = ()) -> Answer:
    """The answer to a request that was not; ``kind`` is rule, refused, timeout, unreachable or internal."""
    return {"ok": False, "error": {"kind": kind, "message": message, "problems": [dict(p) for p in problems]}}
