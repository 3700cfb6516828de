# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: BSD-2-Clause

"""The file of records on a share, and what an operation does to it. Blocking.

It has two places. A swap is written to the one with the older content, so a writer that dies half way leaves the newer
content whole, and with it the state before a swap that nobody was told of. A file in which neither place is whole is
refused, never guessed at.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from ..core.values.records import Answer, Operation, Read, Stored, Swap
from .records import as_data, as_record
from .stored import StoreError

FORMAT = 1
PLACE_BYTES = 4 * 1024 * 1024
"""Room for each place: a thousand groups take a twentieth of it."""
_MAGIC = b"Holdfast"
_HEAD = struct.Struct(">8sQI32s")
"""Magic, revision, length of the JSON text that follows, SHA-256 of revision and text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the file holds. ``id`` was drawn when it was made; ``place`` is where the content lies, 0 or 1."""

    id: str
    cluster: str
    revision: int = 0
    records: Mapping[str, Stored] = field(default_factory=dict)
    place: int = 1


def read(file: BinaryIO, *, cluster: str, fresh_id: str) -> Content:
    """The content; that of a new file when it is empty.

    Raises:
        StoreError: it is torn, or not ours.
        OSError: it cannot be read.
    """
    if not file.seek(0, os.SEEK_END):
        return Content(id=fresh_id, cluster=cluster)
    found = [content for place in (0, 1) if (content := _place(file, place)) is not None]
    if not found:
        raise StoreError(
            "the file is torn or not one of Holdfast's. See that no other program writes there, delete it, and "
            "restart service Holdfast on every node, one by one"
        )
    content = max(found, key=lambda each: each.revision)
    if content.cluster != cluster:
        raise StoreError(f"the file belongs to cluster {content.cluster}, not {cluster}. Give each a folder of its own")
    return content


def carry_out(file: BinaryIO, content: Content, operation: Operation) -> tuple[Content, Answer]:
    """The content after the operation, and the answer to it.

    Raises:
        StoreError: there is no room.
        OSError: it cannot be written; both contents are possible then.
    """
    if isinstance(operation, Read):
        return content, _answer(content, since=operation.since)
    if any(_revision(content, key) != put.expected for key, put in operation.puts.items()):
        return content, _answer(content, since=0)
    swapped = _swapped(content, operation)
    _write(file, swapped)
    return swapped, _answer(swapped, since=operation.since, done=True)


def _swapped(content: Content, swap: Swap) -> Content:
    revision = content.revision + 1
    puts = {key: Stored(revision=revision, record=put.record) for key, put in swap.puts.items()}
    return Content(
        id=content.id,
        cluster=content.cluster,
        revision=revision,
        records={**content.records, **puts},
        place=1 - content.place,
    )


def _revision(content: Content, key: str) -> int:
    stored = content.records.get(key)
    return stored.revision if stored else 0


def _answer(content: Content, *, since: int, done: bool = False) -> Answer:
    changed = {key: stored for key, stored in content.records.items() if stored.revision > since}
    return Answer(revision=content.revision, records=changed, complete=since == 0, done=done)


def _place(file: BinaryIO, place: int) -> Content | None:
    """What lies there; None when it is not whole."""
    file.seek(place * PLACE_BYTES)
    head = _exactly(file, _HEAD.size)
    if head is None:
        return None
    magic, revision, length, digest = _HEAD.unpack(head)
    if magic != _MAGIC or length > PLACE_BYTES - _HEAD.size:
        return None
    text = _exactly(file, length)
    if text is None or digest != _digest(revision, text):
        return None
    return _content(json.loads(text), revision=revision, place=place)


def _content(data: Mapping[str, Any], *, revision: int, place: int) -> Content:
    """The data is whole, so what is wrong with it is another version's doing."""
    try:
        if data["format"] != FORMAT:
            raise StoreError(
                f"the file has format {data['format']}, and this version writes {FORMAT}. Upgrade this node"
            )
        records = {
            key: Stored(revision=int(changed), record=as_record(key, record))
            for key, (changed, record) in data["records"].items()
        }
        return Content(
            id=str(data["id"]), cluster=str(data["cluster"]), revision=revision, records=records, place=place
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"the file cannot be read by this version: {error!r}. Upgrade this node") from None


def _write(file: BinaryIO, content: Content) -> None:
    records = {key: [stored.revision, as_data(stored.record)] for key, stored in content.records.items()}
    data = {"format": FORMAT, "id": content.id, "cluster": content.cluster, "records": records}
    text = json.dumps(data, separators=(",", ":")).encode()
    if len(text) > PLACE_BYTES - _HEAD.size:
        raise StoreError(f"the records take {len(text)} bytes, and the file has room for {PLACE_BYTES - _HEAD.size}")
    head = _HEAD.pack(_MAGIC, content.revision, len(text), _digest(content.revision, text))
    file.seek(content.place * PLACE_BYTES)
    left = memoryview(head + text)
    while left:
        left = left[file.write(left) :]
    os.fsync(file.fileno())


def _exactly(file: BinaryIO, count: int) -> bytes | None:
    """That many bytes; None when the file ends before."""
    data = b""
    while len(data) < count:
        more = file.read(count - len(data))
        if not more:
            return None
        data += more
    return data


def _digest(revision: int, text: bytes) -> bytes:
    return hashlib.sha256(b"%d " % revision + text).digest()
