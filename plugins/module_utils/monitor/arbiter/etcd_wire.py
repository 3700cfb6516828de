# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""Operations as requests to etcd's JSON gateway, and its answers back. No I/O.

The gateway writes 64 bit numbers as texts, bytes in base64, and leaves out what is zero or false.
Sources: etcd.io/docs/v3.5/dev-guide/api_grpc_gateway; etcd.io/docs/v3.5/learning/api; api/etcdserverpb/rpc.proto in
github.com/etcd-io/etcd.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.values.records import Answer, Operation, Read, Stored, Swap
from .records import as_text, from_text
from .stored import StoreError

RANGE, TXN, WATCH, AUTHENTICATE = "/v3/kv/range", "/v3/kv/txn", "/v3/watch", "/v3/auth/authenticate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """Who answers, and as of when."""

    cluster_id: str
    term: int
    revision: int


def request(operation: Operation, prefix: str) -> tuple[str, dict[str, Any]]:
    """The path and the body of the call.

    A swap reads in the same transaction what changed, and everything when it is refused.
    """
    if isinstance(operation, Read):
        return RANGE, _range(prefix, operation.since)
    compare = [
        {"key": _b64(prefix + key), "target": "MOD", "result": "EQUAL", "mod_revision": str(put.expected)}
        for key, put in operation.puts.items()
    ]
    puts = [
        {"request_put": {"key": _b64(prefix + key), "value": _b64(as_text(put.record))}}
        for key, put in operation.puts.items()
    ]
    return TXN, {
        "compare": compare,
        "success": [*puts, {"request_range": _range(prefix, operation.since)}],
        "failure": [{"request_range": _range(prefix, 0)}],
    }


def answer(operation: Operation, body: Mapping[str, Any], prefix: str) -> Answer:
    """What the gateway answered to the operation.

    Raises:
        StoreError: it is no such answer, or holds a record that is not ours.
    """
    done = isinstance(operation, Swap) and body.get("succeeded", False) is True
    try:
        found = body if isinstance(operation, Read) else body["responses"][-1]["response_range"]
        return Answer(
            revision=header(body).revision,
            records=_records(found.get("kvs", ()), prefix),
            complete=operation.since == 0 or (isinstance(operation, Swap) and not done),
            done=done,
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"what answers is no etcd gateway: {type(error).__name__} {error}") from None


def header(body: Mapping[str, Any]) -> Header:
    """The header of an answer; KeyError, TypeError or ValueError when there is none."""
    found = body["header"]
    return Header(
        cluster_id=str(found["cluster_id"]), term=int(found.get("raft_term", 0)), revision=int(found["revision"])
    )


def watch_request(prefix: str) -> dict[str, Any]:
    """The body that asks for all changes from now on."""
    return {"create_request": {"key": _b64(prefix), "range_end": _b64(_after(prefix))}}


def events(result: Mapping[str, Any], prefix: str) -> Answer:
    """The records that a message of a watch tells of; removals are left to the next read."""
    found = [event["kv"] for event in result.get("events", ()) if event.get("type", "PUT") == "PUT"]
    return Answer(revision=0, records=_records(found, prefix), complete=False)


def _records(kvs: Iterable[Mapping[str, Any]], prefix: str) -> dict[str, Stored]:
    records = {}
    for kv in kvs:
        key = base64.b64decode(kv["key"]).decode().removeprefix(prefix)
        record = from_text(prefix + key, base64.b64decode(kv.get("value", "")))
        records[key] = Stored(revision=int(kv["mod_revision"]), record=record)
    return records


def _range(prefix: str, since: int) -> dict[str, Any]:
    asked = {"key": _b64(prefix), "range_end": _b64(_after(prefix))}
    return asked | ({"min_mod_revision": str(since + 1)} if since else {})


def _after(prefix: str) -> str:
    """The first key after all that begin with the prefix, which ends in a slash."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
